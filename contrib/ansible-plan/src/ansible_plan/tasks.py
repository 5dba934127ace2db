# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks and blocks. A role, and a file that was imported, become a block that holds their tasks."""

from __future__ import annotations

from typing import Any, Iterable

from ansible.playbook.block import Block
from ansible.playbook.role import Role
from ansible.playbook.task import Task
from ansible.playbook.task_include import TaskInclude
from ansible.utils.sentinel import Sentinel

from ansible_plan.dynamic import Dynamic
from ansible_plan.keywords import keywords
from ansible_plan.session import Session
from ansible_plan.values import as_list, is_template, plain, single

Plain = dict[str, Any]

#: Keywords of a role that add up with those of the roles that depend on it.
ADDING_UP = ('when', 'tags', 'environment')

#: Namespaces whose modules rustle-exec knows by their short names.
BUILTIN = ('ansible.builtin.', 'ansible.legacy.')


class TaskWriter:
    """Writes the tasks of one list: those of a play, or of one file that may be included."""

    def __init__(self, session: Session, dynamic: Dynamic, prefix: str) -> None:
        self.session, self.dynamic, self.prefix = session, dynamic, prefix
        self.count = 0
        self.roles_done: list[Role] = []
        self.imports_done: set[int] = set()

    def next_id(self, kind: str = 'task') -> tuple[str, int]:
        """An id, and the place in the list."""
        order = self.count
        self.count += 1
        return f'{self.prefix}-{kind}{order}', order

    def task(self, task: Task, kind: str = 'task') -> Plain:
        """One task or handler."""
        task_id, order = self.next_id(kind)
        written: Plain = {f'{kind}_id': task_id}
        if task.name:
            written['name'] = plain(task.name)
        module, args = module_name(task), self._args(task)
        written |= {'module': module, 'args': args, 'execution_order': order}
        written.update(keywords(task))
        written.update(_loop(task))
        ds = task.get_ds() or {}
        if kind == 'handler' and isinstance(ds, dict) and ds.get('listen') is not None:
            written['listen'] = plain(ds['listen'])
        if task.implicit:
            written['implicit'] = True
            # Before 2.17 what ansible-core adds itself runs with all tags, without saying so.
            written.setdefault('tags', ['always'])
        self.dynamic.note(task, written)
        return written

    def _args(self, task: Task) -> Plain:
        args = plain(task.args or {})
        if '_variable_params' in args:
            # What ansible-core before 2.19 calls arguments that are one template.
            args['_raw_params'] = args.pop('_variable_params')
        about = args.get('validate_args_context')
        if isinstance(about, dict) and about.get('path'):
            about['path'] = self.session.relative(about['path'])
        return args

    def items(self, items: Iterable[Any], role: Role | None = None, scope: frozenset[str] = frozenset()) -> list[Plain]:
        """Tasks and blocks. `scope` has the names of variables of blocks around, which win over those of roles."""
        items, written, at = list(items), [], 0
        while at < len(items):
            item = items[at]
            if not isinstance(item, Block):
                if not (item.implicit and (item.args or {}).get('_raw_params') == 'role_complete'):
                    written.append(self.task(item))
                at += 1
                continue
            imported = self._import_around(item)
            if imported is not None:
                group = _run(items, at, lambda block: _is_inside(block, imported))
                self.imports_done.update(id(block) for block in group)
                written += self._import(imported, group, role, scope)
            elif item._role is not None and item._role is not role:
                its = item._role
                group = _run(items, at, lambda block: block._role is its)
                written += self._role(its, item.get_dep_chain() or [its], group, scope)
            else:
                group = [item]
                written += self._block(item, role, scope)
            at += len(group)
        return written

    def _block(self, block: Block, role: Role | None, scope: frozenset[str]) -> list[Plain]:
        is_written = type(block).is_block(block.get_ds() or {}) or block.rescue or block.always
        if not is_written:
            # ansible-core puts tasks that follow each other into a block of its own making.
            return self.items(block.block, role, scope)
        task_id, order = self.next_id()
        own = keywords(block)
        scope = scope | set(own.get('vars', {}))
        written: Plain = {'task_id': task_id}
        if block.name:
            written['name'] = plain(block.name)
        written['execution_order'] = order
        written.update(own)
        written['block'] = self.items(block.block, role, scope)
        for section in ('rescue', 'always'):
            if tasks := getattr(block, section):
                written[section] = self.items(tasks, role, scope)
        return [written]

    def _import_around(self, block: Block) -> TaskInclude | None:
        """The import that brought a block in, unless it has been written."""
        parent = block._parent
        is_import = isinstance(parent, TaskInclude) and parent.statically_loaded
        return parent if is_import and id(block) not in self.imports_done else None

    def _import(self, imported: TaskInclude, group: list[Block], role: Role | None, scope: frozenset[str]) -> list[Plain]:
        task_id, order = self.next_id()
        own = keywords(imported)
        own.pop('register', None)
        inner = self.items(group, role, scope | set(own.get('vars', {})))
        if not inner:
            return []
        written: Plain = {'task_id': task_id}
        if imported.name:
            written['name'] = plain(imported.name)
        written['execution_order'] = order
        written.update(own)
        if path := (imported.args or {}).get('_raw_params'):
            written['path'] = plain(path)
        return [written | {'block': inner}]

    def _role(self, role: Role, chain: list[Role], group: list[Block], scope: frozenset[str]) -> list[Plain]:
        if role._metadata.allow_duplicates is False:
            # A role that was there with the same parameters does not run again.
            if any(role == done for done in self.roles_done):
                return []
            self.roles_done.append(role)
        task_id, order = self.next_id()
        own = role_keywords(role, chain)
        variables = {name: value for name, value in role_variables(role, chain).items() if name not in scope}
        inner = self.items(group, role, scope)
        if not inner:
            return []
        written: Plain = {'task_id': task_id, 'execution_order': order}
        written |= {'role': role.get_name(), 'role_path': self.session.relative(role.get_role_path()), **own}
        for key, value in (
            ('defaults', plain(role.get_default_vars(dep_chain=chain))),
            ('vars', variables),
            ('params', plain(role.get_role_params(dep_chain=chain))),
        ):
            if value:
                written[key] = value
        return [written | {'block': inner}]


def module_name(task: Task) -> str:
    """The module as it was written, or the collection's one that a short or outdated name stands for."""
    written = plain(task.action)
    if is_template(written):
        return written
    resolved = task.resolved_action
    if not resolved or resolved == written or resolved.startswith(BUILTIN):
        return written
    return str(resolved)


def role_variables(role: Role, chain: list[Role]) -> Plain:
    """Variables that a role gives its tasks."""
    return plain(role.get_vars(chain, include_params=True))


def line(role: Role, chain: list[Role]) -> list[Role]:
    """The role and those that depend on it, the role first."""
    return list(reversed(chain if role in chain else [*chain, role]))


def role_keywords(role: Role, chain: list[Role]) -> Plain:
    """Keywords of a role, with those of the roles that depend on it."""
    merged: Plain = {}
    for source in line(role, chain):
        for key, value in keywords(source).items():
            if key == 'vars':
                continue
            if key in ADDING_UP:
                outer = as_list(value)
                merged[key] = outer + [each for each in as_list(merged.get(key, [])) if each not in outer]
            else:
                merged.setdefault(key, value)
    for key in ('when', 'environment'):
        if isinstance(merged.get(key), list):
            merged[key] = single(merged[key])
    return merged


def _loop(task: Task) -> Plain:
    written: Plain = {}
    over, lookup = getattr(task, '_loop', Sentinel), getattr(task, '_loop_with', Sentinel)
    if over is not Sentinel and over is not None:
        key = 'loop' if lookup in (Sentinel, None) else f'with_{lookup}'
        written[key] = plain(over)
    control = getattr(task, '_loop_control', Sentinel)
    if control is not Sentinel and control is not None and not callable(control) and control.get_ds():
        written['loop_control'] = plain(dict(control.get_ds()))
    return written


def _run(items: list[Any], start: int, belongs: Any) -> list[Block]:
    """The blocks from `start` on, as long as they belong together."""
    end = start
    while end < len(items) and isinstance(items[end], Block) and belongs(items[end]):
        end += 1
    return items[start:end]


def _is_inside(block: Block, imported: TaskInclude) -> bool:
    parent = block._parent
    is_import = isinstance(parent, TaskInclude) and parent.statically_loaded
    return is_import and parent._uuid == imported._uuid
