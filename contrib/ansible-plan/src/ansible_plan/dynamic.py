# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks may bring in as the plan runs: which files and roles are meant, as far as their names tell."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass, field
from typing import Any, Iterator

from ansible import constants as C
from ansible.playbook.role import Role
from ansible.playbook.task import Task
from ansible.utils.collection_loader._collection_finder import _get_collection_path

from ansible_plan.session import Session
from ansible_plan.values import is_template

#: Modules after which the hosts of the inventory are others.
CHANGING_HOSTS = ('add_host', 'group_by')

#: A part of a name that is known only when the task runs.
UNKNOWN_PART = re.compile(r'\{\{.*?\}\}|\{%.*?%\}', re.DOTALL)

#: A name that is the item of the task's loop, and nothing else.
ITEM = re.compile(r'^\{\{\s*(?:item|(\w+))\s*\}\}$')


#: A name that begins with that of a collection.
IN_COLLECTION = re.compile(r'^(\w+\.\w+)\.(.*)$', re.DOTALL)


@dataclass(frozen=True)
class WantedRole:
    """A role that may be included, as a task names it."""

    name: str
    collections: tuple[str, ...] = ()


@dataclass
class Dynamic:
    """Gathers what is brought in as the plan runs."""

    session: Session
    #: Task files by their path, with the role that they lie in.
    files: dict[str, Role | None] = field(default_factory=dict)
    roles: dict[WantedRole, None] = field(default_factory=dict)
    #: Roles whose own task files may be included.
    own_roles: dict[str, Role] = field(default_factory=dict)
    changes_hosts: bool = False

    def note(self, task: Task, written: dict[str, Any]) -> None:
        """Notes what a task may bring in. A role of a collection is called by its whole name from here on."""
        short, args = written['module'].rsplit('.', 1)[-1], written['args']
        if short in CHANGING_HOSTS or (short == 'meta' and args.get('_raw_params') == 'refresh_inventory'):
            self.changes_hosts = True
        if short == 'include_tasks':
            target = args.get('file') or args.get('_raw_params')
            for name in _names(target, written):
                self._want_files(name, task)
        elif short == 'include_role':
            key = 'role' if 'role' in args else 'name'
            for name in _names(args.get(key), written):
                self._want_roles(name, task)
            if isinstance(args.get(key), str) and not is_template(args[key]):
                args[key] = self.whole_name(args[key], task)

    def _want_files(self, name: str, task: Task) -> None:
        role = task._role
        if role is not None:
            self.own_roles.setdefault(role.get_role_path(), role)
        for folder in self._folders_of_tasks(task):
            for path in self._matching(folder, name, role):
                self.files.setdefault(path, role)

    def _folders_of_tasks(self, task: Task) -> list[str]:
        """The folders in which a name of a task file is looked up."""
        beside = os.path.dirname((task.get_path() or '').rsplit(':', 1)[0])
        folders = [beside] if beside else []
        parent = task._parent
        while parent is not None:
            path = getattr(parent, 'get_path', lambda: None)()
            if path:
                folders.append(os.path.dirname(path.rsplit(':', 1)[0]))
            parent = getattr(parent, '_parent', None)
        if task._role is not None:
            folders += [os.path.join(task._role.get_role_path(), kind) for kind in ('tasks', 'handlers', '')]
        folders += [self.session.base_dir, os.path.join(self.session.base_dir, 'tasks')]
        return list(dict.fromkeys(os.path.realpath(folder) for folder in folders))

    def _matching(self, folder: str, name: str, role: Role | None) -> Iterator[str]:
        name = re.sub(r'\{\{\s*playbook_dir\s*\}\}', self.session.base_dir, name)
        if role is not None:
            name = re.sub(r'\{\{\s*role_path\s*\}\}', role.get_role_path(), name)
        pattern = UNKNOWN_PART.sub('\0', name)
        pattern = glob.escape(os.path.join(folder, pattern)).replace('\0', '*')
        for path in sorted(glob.glob(pattern)):
            if os.path.isfile(path) and ('*' not in pattern or path.endswith(('.yml', '.yaml'))):
                yield os.path.realpath(path)

    def _want_roles(self, name: str, task: Task) -> None:
        collections = tuple(task.collections or ())
        if not is_template(name):
            self.roles.setdefault(WantedRole(self.whole_name(name, task), collections))
            return
        in_collection = IN_COLLECTION.match(name)
        collection, name = in_collection.groups() if in_collection else ('', name)
        folders = _roles_of_collection(collection) if collection else self.role_folders()
        pattern = re.compile('.*'.join(map(re.escape, UNKNOWN_PART.split(name))))
        for folder in folders:
            for found in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
                if pattern.fullmatch(found) and is_role(os.path.join(folder, found)):
                    self.roles.setdefault(WantedRole(f'{collection}.{found}' if collection else found, collections))

    def role_folders(self) -> list[str]:
        """The folders that hold roles."""
        folders = [os.path.join(self.session.base_dir, 'roles'), *(C.DEFAULT_ROLES_PATH or ())]
        return list(dict.fromkeys(folders))

    def whole_name(self, name: str, task: Task) -> str:
        """A role's name with its collection, where the name means a role of the collection that the task is in."""
        role = task._role
        collection = role._role_collection if role is not None else None
        if not collection or '.' in name:
            return name
        beside = os.path.join(os.path.dirname(role.get_role_path()), name)
        return f'{collection}.{name}' if os.path.isdir(beside) else name


def _roles_of_collection(collection: str) -> list[str]:
    """The folder of a collection's roles, if it is installed."""
    try:
        return [os.path.join(_get_collection_path(collection), 'roles')]
    except (ImportError, ValueError):
        return []


def is_role(folder: str) -> bool:
    """Whether a folder looks like that of a role."""
    return any(os.path.isdir(os.path.join(folder, part)) for part in ('tasks', 'defaults', 'vars', 'meta', 'handlers'))


def _names(target: Any, written: dict[str, Any]) -> list[str]:
    """The names that are meant: those of the loop, where the name is its item and the items are there to be read."""
    if not isinstance(target, str) or not target:
        return []
    match = ITEM.match(target)
    items = next((written[key] for key in ('loop', 'with_items') if key in written), None)
    variable = (written.get('loop_control') or {}).get('loop_var', 'item')
    if match and (match[1] or 'item') == variable and isinstance(items, list):
        names = [item for item in items if isinstance(item, str) and item]
        if len(names) == len(items):
            return names
    return [target]
