# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-core made ready to load playbooks: its settings, passwords of vaults, inventory and variables."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from ansible import constants as C
from ansible import context
from ansible.cli import CLI
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.collection_loader._collection_finder import (
    _get_collection_name_from_path,
    _get_collection_playbook_path,
)
from ansible.vars.manager import VariableManager

from ansible_plan import compat
from ansible_plan.errors import PlanError


@dataclass
class Request:
    """What the user asked for."""

    playbooks: list[str]
    inventory: list[str] = field(default_factory=list)
    extra_vars: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    skip_tags: list[str] = field(default_factory=list)
    limit: str | None = None
    forks: int | None = None
    check: bool = False
    diff: bool = False
    vault_ids: list[str] = field(default_factory=list)
    vault_password_files: list[str] = field(default_factory=list)
    ask_vault_pass: bool = False
    is_relative: bool = False


@dataclass
class Session:
    """What loading needs, for the playbooks of one folder."""

    request: Request
    base_dir: str
    loader: DataLoader
    inventory: InventoryManager
    variables: VariableManager

    def relative(self, path: str) -> str:
        """The path as seen from the playbooks' folder, if it is below it."""
        path = os.path.realpath(path)
        return os.path.relpath(path, self.base_dir) if path.startswith(self.base_dir + os.sep) else path


def open_session(request: Request) -> Session:
    """Makes ansible-core ready, which it lets be done once a process. Passwords are asked for only by `--ask-vault-pass` and `--vault-id LABEL@prompt`."""
    _set_options(request)
    init_plugin_loader()
    request.playbooks = [_whole_path(playbook) for playbook in request.playbooks]
    base_dir = _base_dir(request.playbooks)
    _use_collections(base_dir)
    loader = DataLoader()
    secrets = CLI.setup_vault_secrets(
        loader,
        vault_ids=list(C.DEFAULT_VAULT_IDENTITY_LIST) + request.vault_ids,
        vault_password_files=list(request.vault_password_files),
        ask_vault_pass=request.ask_vault_pass,
        auto_prompt=False,
    )
    loader.set_vault_secrets(secrets)
    loader.set_basedir(base_dir)
    inventory = InventoryManager(loader=loader, sources=request.inventory or _usual_inventory())
    version = CLI.version_info(gitinfo=False)
    variables = VariableManager(loader=loader, inventory=inventory, version_info=version)
    return Session(request, base_dir, loader, inventory, variables)


def _usual_inventory() -> list[str] | None:
    """The inventory of ansible.cfg or of the environment, if it is there."""
    sources = C.DEFAULT_HOST_LIST or []
    return [source for source in sources if ',' in source or os.path.exists(source)] or None


def _whole_path(playbook: str) -> str:
    """The path of a playbook; one of a collection may be called by its name, `namespace.collection.playbook`."""
    found = None if os.path.exists(playbook) else _get_collection_playbook_path(playbook)
    return str(found[1]) if found else playbook


def _use_collections(base_dir: str) -> None:
    """Makes collections beside the playbooks known, and the collection that they lie in themselves."""
    AnsibleCollectionConfig.playbook_paths = [base_dir]
    collection = _get_collection_name_from_path(base_dir)
    if collection:
        AnsibleCollectionConfig.default_collection = collection


def _base_dir(playbooks: list[str]) -> str:
    """The folder that all playbooks lie in: a plan has one."""
    folders = []
    for playbook in playbooks:
        if not os.path.isfile(playbook):
            raise PlanError(f'the playbook `{playbook}` is not there')
        folders.append(os.path.realpath(os.path.dirname(os.path.abspath(playbook))))
    if len(set(folders)) > 1:
        raise PlanError(
            f'the playbooks lie in different folders: {", ".join(sorted(set(folders)))}',
            hint='make a plan of each, and run them one after the other',
        )
    return folders[0]


def _set_options(request: Request) -> None:
    """Sets the options that ansible-core looks up while it loads."""
    context.CLIARGS = ImmutableDict(
        tags=tuple(request.tags) or ('all',),
        skip_tags=tuple(request.skip_tags),
        check=request.check,
        diff=request.diff,
        become=C.DEFAULT_BECOME,
        become_method=C.DEFAULT_BECOME_METHOD,
        become_user=None,
        become_flags=None,
        become_exe=None,
        connection=C.DEFAULT_TRANSPORT,
        remote_user=None,
        private_key_file=None,
        verbosity=0,
        force_handlers=False,
        start_at_task=None,
        syntax=False,
        module_path=None,
        forks=request.forks or C.DEFAULT_FORKS,
        subset=None,
        listhosts=None,
        flush_cache=None,
        extra_vars=tuple(compat.trusted(text) for text in request.extra_vars),
        inventory=tuple(request.inventory),
        basedir=None,
    )
