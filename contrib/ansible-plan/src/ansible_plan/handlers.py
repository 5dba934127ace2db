# SPDX-License-Identifier: GPL-3.0-or-later
"""Handlers: one flat list, each with what the blocks, imports and the role around it give it."""

from __future__ import annotations

from typing import Any, Iterator

from ansible.playbook.block import Block
from ansible.playbook.task import Task
from ansible.playbook.task_include import TaskInclude

from ansible_plan.keywords import keywords
from ansible_plan.tasks import Plain, TaskWriter, line, role_variables
from ansible_plan.values import as_list, plain, single


def write_handlers(writer: TaskWriter, blocks: list[Block]) -> list[Plain]:
    """All handlers. Of two with one name Ansible takes the one in the last list, and in that list the first."""
    written: list[Plain] = []
    for block in blocks:
        mine, names = [], set()
        for handler in _handlers(writer, block, block):
            if not handler.get('name') or _key(handler) not in names:
                mine.append(handler)
            names.add(_key(handler))
        written = [earlier for earlier in written if not earlier.get('name') or _key(earlier) not in names]
        written += mine
    return written


def _key(handler: Plain) -> tuple[Any, Any]:
    return handler.get('role'), handler.get('name')


def _handlers(writer: TaskWriter, outer: Block, block: Block) -> Iterator[Plain]:
    for item in block.block:
        if isinstance(item, Block):
            yield from _handlers(writer, outer, item)
        else:
            yield _handler(writer, outer, item)


def _handler(writer: TaskWriter, outer: Block, handler: Task) -> Plain:
    written = writer.task(handler, 'handler')
    inherited = _from_around(written, handler)
    role = handler._role
    if role is not None:
        chain = outer.get_dep_chain() or [role]
        inherited = {**role_variables(role, chain), **inherited}
        written['role'] = role.get_name()
        written['role_path'] = writer.session.relative(role.get_role_path())
        if defaults := plain(role.get_default_vars(dep_chain=chain)):
            written['defaults'] = defaults
        for source in line(role, chain):
            _take(written, keywords(source), ('vars', 'tags', 'name'))
    if variables := {**inherited, **written.get('vars', {})}:
        written['vars'] = variables
    return written


def _from_around(written: Plain, handler: Task) -> Plain:
    """Adds the keywords of blocks and imports around a handler; gives their variables."""
    variables: Plain = {}
    parent = handler._parent
    while parent is not None:
        if isinstance(parent, Block) or (isinstance(parent, TaskInclude) and parent.statically_loaded):
            own = keywords(parent)
            variables = {**own.get('vars', {}), **variables}
            if 'tags' in own:
                written['tags'] = sorted({*written.get('tags', []), *own['tags']})
            _take(written, own, ('vars', 'tags', 'register'))
        parent = parent._parent
    return variables


def _take(written: Plain, outer: Plain, not_these: tuple[str, ...]) -> None:
    """Adds keywords from around: conditions add up, of others the inner one stands."""
    for key, value in outer.items():
        if key in not_these:
            continue
        if key == 'when':
            around = as_list(value)
            mine = [term for term in as_list(written.get('when', [])) if term not in around]
            written['when'] = single(around + mine)
        else:
            written.setdefault(key, value)
