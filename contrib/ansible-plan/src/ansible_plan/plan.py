# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole plan: plays, inventory, and what may be included."""

from __future__ import annotations

import os
from typing import Any, Callable

from ansible import constants as C
from ansible.playbook import Playbook
from ansible.release import __version__ as ANSIBLE_VERSION

from ansible_plan import __version__
from ansible_plan.dynamic import Dynamic
from ansible_plan.inventory import write_inventory
from ansible_plan.library import Library
from ansible_plan.plays import write_play
from ansible_plan.session import Request, Session, open_session
from ansible_plan.values import plain

PLAN_VERSION = 1

#: How many hosts Ansible works on at once where nobody says.
USUAL_FORKS = 5


def make_plan(request: Request, warn: Callable[[str], None]) -> dict[str, Any]:
    """Loads the playbooks and writes them as one plan."""
    session = open_session(request)
    dynamic = Dynamic(session)
    plays: list[dict[str, Any]] = []
    for playbook in request.playbooks:
        session.loader.set_basedir(session.base_dir)
        loaded = Playbook.load(playbook, variable_manager=session.variables, loader=session.loader)
        for play in loaded.get_plays():
            session.loader.set_basedir(getattr(play, '_included_path', None) or session.base_dir)
            plays.append(write_play(session, dynamic, len(plays), play))
    session.loader.set_basedir(session.base_dir)
    library = Library(session, dynamic, warn)
    library.write()
    plan: dict[str, Any] = {
        'ansible_plan_version': PLAN_VERSION,
        'metadata': _metadata(session),
        'base_dir': '.' if request.is_relative else session.base_dir,
        'inventory': write_inventory(session),
        'inventory_sources': [str(source) for source in request.inventory],
        'hosts': [host.name for host in session.inventory.get_hosts()],
        'plays': plays,
    }
    if extra_vars := plain(session.variables.extra_vars):
        plan['extra_vars'] = extra_vars
    if library.includes:
        plan['includes'] = library.includes
    if library.roles:
        plan['roles'] = library.roles
    plan['total_tasks'] = sum(count_tasks(batch['tasks']) for play in plays for batch in play['batches'])
    return plan


def count_tasks(tasks: list[dict[str, Any]]) -> int:
    """Tasks with those inside of blocks, blocks not counted."""
    sections = ('block', 'rescue', 'always')
    return sum(
        sum(count_tasks(task.get(section, [])) for section in sections) if 'block' in task else 1 for task in tasks
    )


def _metadata(session: Session) -> dict[str, Any]:
    request = session.request
    forks = request.forks or (C.DEFAULT_FORKS if C.DEFAULT_FORKS != USUAL_FORKS else None)
    options = {
        'tags': request.tags,
        'skip_tags': request.skip_tags,
        'limit': request.limit,
        'forks': forks,
        'check_mode': request.check or None,
        'diff_mode': request.diff or None,
    }
    return {
        'generator': f'ansible-plan {__version__}',
        'ansible_core': ANSIBLE_VERSION,
        'playbook': ', '.join(os.path.basename(playbook) for playbook in request.playbooks),
        'planning_options': {name: value for name, value in options.items() if value},
    }
