# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays: their hosts, keywords, variables, tasks and handlers."""

from __future__ import annotations

import os
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.playbook.play import Play
from ansible.template import Templar
from ansible.utils.sentinel import Sentinel

from ansible_plan.dynamic import Dynamic
from ansible_plan.errors import PlanError
from ansible_plan.handlers import write_handlers
from ansible_plan.keywords import NOT_COPIED, own
from ansible_plan.session import Session
from ansible_plan.tasks import Plain, TaskWriter
from ansible_plan.values import is_template, plain

#: Keywords of plays that ansible.cfg may give another default, with the setting and the default that rustle-exec has.
CONFIGURED = (
    ('any_errors_fatal', 'ANY_ERRORS_FATAL', False),
    ('become', 'DEFAULT_BECOME', False),
    ('become_user', 'DEFAULT_BECOME_USER', 'root'),
    ('become_method', 'DEFAULT_BECOME_METHOD', 'sudo'),
    ('become_flags', 'DEFAULT_BECOME_FLAGS', ''),
    ('become_exe', 'DEFAULT_BECOME_EXE', None),
    ('connection', 'DEFAULT_TRANSPORT', 'ssh'),
    ('force_handlers', 'DEFAULT_FORCE_HANDLERS', False),
    ('no_log', 'DEFAULT_NO_LOG', False),
    ('port', 'DEFAULT_REMOTE_PORT', None),
    ('remote_user', 'DEFAULT_REMOTE_USER', None),
    ('timeout', 'TASK_TIMEOUT', 0),
)

#: Modules that send a file, with the folder in which it is looked for first.
SOURCES = {'copy': 'files', 'template': 'templates', 'unarchive': 'files', 'assemble': 'files'}

#: Keywords that are written apart.
APART = frozenset({'vars_prompt', 'vars_files', 'gather_facts', 'tags', 'strategy'})


def write_play(session: Session, dynamic: Dynamic, index: int, play: Play) -> Plain:
    """One play. Its hosts are names, unless they are known only when it begins."""
    ds = play.get_ds() or {}
    name = f'play{index}'
    written: Plain = {'play_id': name}
    if play.name:
        written['name'] = plain(play.name)
    hosts, pattern = _hosts(session, dynamic, play)
    written |= {'hosts': hosts or pattern, 'hosts_pattern': _pattern_text(ds.get('hosts', play.hosts))}
    written |= _keywords(session, play, ds)
    variables = _variables(play)
    blocks = play.compile()
    writer = TaskWriter(session, dynamic, name)
    tasks = _beside_its_playbook(session, play, writer.items(blocks))
    handlers = write_handlers(writer, play.compile_roles_handlers() + play.handlers)
    batch = {'batch_id': f'{name}-batch0', 'hosts': hosts, 'tasks': tasks}
    return written | variables | {'batches': [batch], 'handlers': handlers}


def _pattern_text(hosts: Any) -> str:
    hosts = plain(hosts)
    return ','.join(map(str, hosts)) if isinstance(hosts, list) else str(hosts)


def _hosts(session: Session, dynamic: Dynamic, play: Play) -> tuple[list[str], str]:
    """The play's hosts, none where they are not known yet; and its pattern."""
    written = (play.get_ds() or {}).get('hosts', play.hosts)
    pattern = _pattern_text(written)
    if is_template(pattern):
        variables = session.variables.get_vars(play=play)
        try:
            pattern = _pattern_text(Templar(loader=session.loader, variables=variables).template(written))
        except AnsibleError:
            # It takes something that is known only as the plan runs.
            return [], pattern
    if dynamic.changes_hosts:
        return [], pattern
    return [host.name for host in session.inventory.get_hosts(pattern)], pattern


def _keywords(session: Session, play: Play, ds: Plain) -> Plain:
    written: Plain = {}
    for attribute in play.fattributes:
        if attribute in NOT_COPIED or attribute in APART:
            continue
        value = own(play, attribute)
        if value is not Sentinel:
            written[attribute] = plain(ds.get(attribute, value))
    for keyword, setting, default in CONFIGURED:
        value = getattr(C, setting, default)
        if keyword not in written and value not in (default, None):
            written[keyword] = plain(value)
    facts = ds.get('gather_facts')
    written['gather_facts'] = plain(facts) if facts is not None else C.DEFAULT_GATHERING != 'explicit'
    tags = own(play, 'tags')
    if tags is not Sentinel:
        written['tags'] = [str(tag) for tag in plain(tags)]
    written['strategy'] = _strategy(play)
    if play.vars_prompt:
        written['vars_prompt'] = plain(play.vars_prompt)
    if 'vars_files' in ds and ds['vars_files']:
        written['vars_files'] = _vars_files(session, play, plain(ds['vars_files']))
    return written


def _strategy(play: Play) -> str:
    """The strategy by the name that rustle-exec has for it."""
    name = str(plain(play.strategy) or 'linear')
    short = name.rsplit('.', 1)[-1]
    if short == 'debug':
        raise PlanError('the strategy `debug` needs a person at the terminal of ansible-playbook', play.get_path())
    return short


def _variables(play: Play) -> Plain:
    """Variables of a play, and those that its roles show to all of it."""
    defaults: Plain = {}
    exported: Plain = {}
    for role in play.get_roles():
        if role.public:
            defaults.update(plain(role.get_default_vars()))
            exported.update(plain(role.get_vars(include_params=False, only_exports=True)))
    own_variables = plain(play.vars or {})
    written = {'defaults': defaults, 'role_vars': exported, 'vars': {**own_variables, **exported}}
    return {key: value for key, value in written.items() if value}


def _folder(session: Session, play: Play) -> str | None:
    """The folder of the playbook that a play was imported from, where it is another than that of the plan."""
    folder = getattr(play, '_included_path', None)
    if not folder or os.path.realpath(folder) == session.base_dir:
        return None
    return os.path.realpath(folder)


def _vars_files(session: Session, play: Play, files: Any) -> Any:
    """Files of variables, those beside an imported playbook by their path from the plan's folder."""
    folder = _folder(session, play)
    if folder is None:
        return files
    if isinstance(files, list):
        return [_vars_files(session, play, file) for file in files]
    is_relative = isinstance(files, str) and not os.path.isabs(files) and not files.startswith('{{')
    return session.relative(os.path.join(folder, files)) if is_relative else files


def _beside_its_playbook(session: Session, play: Play, tasks: list[Plain]) -> list[Plain]:
    """Tasks of an imported playbook look for files beside it: a block around them says where task files are, and sources
    are written by their path from the plan's folder."""
    folder = _folder(session, play)
    if folder is None or not tasks:
        return tasks
    _rewrite_sources(session, folder, tasks)
    path = session.relative(os.path.join(folder, 'playbook.yml'))
    return [{'task_id': f'{tasks[0]["task_id"]}-import', 'path': path, 'block': tasks}]


def _rewrite_sources(session: Session, folder: str, tasks: list[Plain]) -> None:
    for task in tasks:
        if 'role' in task:
            continue  # a role has files of its own
        for section in ('block', 'rescue', 'always'):
            _rewrite_sources(session, folder, task.get(section, []))
        kind = SOURCES.get(task.get('module', '').rsplit('.', 1)[-1])
        args = task.get('args', {})
        source = args.get('src')
        if kind is None or not isinstance(source, str) or os.path.isabs(source) or is_template(source):
            continue
        for place in (os.path.join(folder, kind, source), os.path.join(folder, source)):
            if os.path.exists(place) and args.get('remote_src') in (None, False):
                args['src'] = session.relative(place) + ('/' if source.endswith('/') else '')
                break
