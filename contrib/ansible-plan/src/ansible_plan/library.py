# SPDX-License-Identifier: GPL-3.0-or-later
"""The task files and roles that tasks may bring in as the plan runs, with all that these bring in in turn."""

from __future__ import annotations

import os
from typing import Any, Callable, Iterator

from ansible.errors import AnsibleError
from ansible.playbook.block import Block
from ansible.playbook.helpers import load_list_of_blocks
from ansible.playbook.play import Play
from ansible.playbook.role import Role
from ansible.playbook.role.include import RoleInclude
from ansible.playbook.task_include import TaskInclude

from ansible_plan import compat
from ansible_plan.causes import from_ansible
from ansible_plan.dynamic import Dynamic, WantedRole
from ansible_plan.handlers import write_handlers
from ansible_plan.session import Session
from ansible_plan.tasks import Plain, TaskWriter
from ansible_plan.values import plain

YAML = ('.yml', '.yaml')
IMPORTS = ('import_playbook', 'ansible.builtin.import_playbook')


class Library:
    """Writes what `dynamic` has noted until nothing new turns up."""

    def __init__(self, session: Session, dynamic: Dynamic, warn: Callable[[str], None]) -> None:
        self.session, self.dynamic, self.warn = session, dynamic, warn
        self.includes: dict[str, list[Plain]] = {}
        self.roles: dict[str, Plain] = {}
        self._roles_seen: set[WantedRole] = set()
        self._role_paths: set[str] = set()
        self._files_seen: set[str] = set()

    def write(self) -> None:
        """Follows every include. What cannot be loaded is left out with a warning: it may never be asked for."""
        while True:
            roles = [role for role in self.dynamic.roles if role not in self._roles_seen]
            own_roles = [role for path, role in self.dynamic.own_roles.items() if path not in self._role_paths]
            files = [path for path in self.dynamic.files if path not in self._files_seen]
            if not roles and not own_roles and not files:
                return
            for wanted in roles:
                self._roles_seen.add(wanted)
                self._guarded(f'role {wanted.name}', lambda wanted=wanted: self._wanted_role(wanted))
            for role in own_roles:
                self._guarded(f'role {role.get_name()}', lambda role=role: self._role(role.get_name(), role))
            for path in files:
                self._files_seen.add(path)
                self._guarded(self.session.relative(path), lambda path=path: self._file(path))

    def _guarded(self, what: str, write: Callable[[], None]) -> None:
        try:
            write()
        except AnsibleError as error:
            self.warn(f'{what} is left out of what may be included: {from_ansible(error)}')

    # ---- task files

    def _file(self, path: str) -> None:
        if any(path.startswith(os.path.join(role, '')) for role in self._role_paths):
            return  # a role has all of its files with it
        role = self.dynamic.files[path]
        key = self.session.relative(path)
        blocks = self._blocks(path, role, _scratch_play(self.session))
        if blocks is None:
            return
        writer = TaskWriter(self.session, self.dynamic, f'include:{key}')
        is_handlers = 'handlers' in key.split(os.sep)[:-1]
        if is_handlers:
            self.includes[key] = [_as_task(handler) for handler in write_handlers(writer, blocks)]
        else:
            self.includes[key] = writer.items(blocks, role)

    def _blocks(self, path: str, role: Role | None, play: Play) -> list[Block] | None:
        """The blocks of a file; none where it is no list of tasks."""
        data = compat.load_yaml(self.session.loader, path)
        if not data:
            return []
        if not _is_task_list(data):
            return None
        # What a file imports is looked up beside it, by way of the task that included it.
        beside = os.path.join(role.get_role_path(), 'tasks') if role is not None else self.session.base_dir
        include = {'include_tasks': os.path.relpath(path, beside)}
        return load_list_of_blocks(
            data,
            play=play,
            role=role,
            task_include=TaskInclude.load(
                include, role=role, variable_manager=self.session.variables, loader=self.session.loader
            ),
            variable_manager=self.session.variables,
            loader=self.session.loader,
            use_handlers=f'{os.sep}handlers{os.sep}' in path,
        )

    # ---- roles

    def _wanted_role(self, wanted: WantedRole) -> None:
        play = _scratch_play(self.session)
        include = RoleInclude.load(
            wanted.name,
            play=play,
            variable_manager=self.session.variables,
            loader=self.session.loader,
            collection_list=list(wanted.collections) or None,
        )
        self._role(wanted.name, Role.load(include, play, validate=False, static=False))

    def _role(self, name: str, role: Role) -> None:
        path = role.get_role_path()
        self._role_paths.add(path)
        written: Plain = {
            'path': self.session.relative(path),
            'defaults': plain(role._default_vars),
            'vars': plain(role._role_vars),
            'dependencies': self._dependencies(role),
            'allow_duplicates': True if role._metadata.allow_duplicates else None,
            'argument_specs': plain(role._get_role_argspecs() or {}),
            'vars_files': self._variable_files(path, 'vars'),
            'defaults_files': self._variable_files(path, 'defaults'),
            'tasks': {},
            'handlers': [],
            'handlers_files': {},
        }
        play = _scratch_play(self.session)
        for key, file in _yaml_files(os.path.join(path, 'tasks')):
            blocks = self._blocks(file, role, play)
            if blocks is not None:
                writer = TaskWriter(self.session, self.dynamic, f'role:{name}/tasks/{key}')
                written['tasks'][key] = writer.items(blocks, role=role)
        for key, file in _yaml_files(os.path.join(path, 'handlers')):
            blocks = self._blocks(file, role, play)
            if blocks is None:
                continue
            writer = TaskWriter(self.session, self.dynamic, f'role:{name}/handlers/{key}')
            handlers = [_without_role(handler, written['vars']) for handler in write_handlers(writer, blocks)]
            if os.path.splitext(key)[0] == 'main':
                written['handlers'] = handlers
            else:
                written['handlers_files'][key] = handlers
        is_needed = {'tasks', 'handlers'}
        self.roles[name] = {key: value for key, value in written.items() if value or key in is_needed}

    def _dependencies(self, role: Role) -> list[Any]:
        """The roles that a role depends on; those of its own collection by their whole names."""
        written = []
        for dependency in role._metadata.dependencies or []:
            collection = getattr(dependency, '_role_collection', None)
            own_name = plain(dependency.get_name() if hasattr(dependency, 'get_name') else dependency.role)
            name = f'{collection}.{own_name}' if collection and '.' not in own_name else own_name
            self.dynamic.roles.setdefault(WantedRole(name))
            ds = plain(dependency.get_ds())
            if isinstance(ds, dict):
                written.append({**{key: value for key, value in ds.items() if key not in ('role', 'name')}, 'role': name})
            else:
                written.append(name)
        return written

    def _variable_files(self, path: str, folder: str) -> Plain:
        """Files of variables beside `main`, which `vars_from` and `defaults_from` may pick."""
        found: Plain = {}
        folder = os.path.join(path, folder)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            file = os.path.join(folder, name)
            if os.path.isfile(file) and os.path.splitext(name)[0] != 'main' and name.endswith((*YAML, '.json')):
                found[name] = plain(compat.load_yaml(self.session.loader, file) or {})
        return found


def _scratch_play(session: Session) -> Play:
    """A play for what is loaded outside of any."""
    ds = {'hosts': 'all', 'name': 'scratch', 'gather_facts': False}
    return Play.load(ds, variable_manager=session.variables, loader=session.loader)


def _is_task_list(data: Any) -> bool:
    return isinstance(data, list) and all(
        isinstance(task, dict) and 'hosts' not in task and not any(word in task for word in IMPORTS) for task in data
    )


def _yaml_files(folder: str) -> Iterator[tuple[str, str]]:
    """YAML files below a folder, with their paths as seen from it."""
    for top, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if name.endswith(YAML):
                path = os.path.join(top, name)
                yield os.path.relpath(path, folder), path


def _as_task(handler: Plain) -> Plain:
    """A handler that a handler includes: it runs in its place, and nobody can notify it."""
    kept = {key: value for key, value in handler.items() if key not in ('handler_id', 'listen')}
    return {'task_id': handler['handler_id'], **kept}


def _without_role(handler: Plain, variables: Plain) -> Plain:
    """A handler without what its role's own entry says."""
    kept = {key: value for key, value in handler.items() if key not in ('role', 'role_path', 'defaults', 'vars')}
    own = {key: value for key, value in handler.get('vars', {}).items() if variables.get(key) != value}
    return {**kept, 'vars': own} if own else kept
