# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory as `ansible-inventory --list` has it, with the variables of `group_vars/` and `host_vars/`."""

from __future__ import annotations

from typing import Any

from ansible.inventory.group import Group
from ansible.inventory.helpers import get_group_vars, sort_groups
from ansible.inventory.host import Host
from ansible.utils.vars import combine_vars
from ansible.vars.plugins import get_vars_from_inventory_sources, get_vars_from_path

from ansible_plan.session import Session
from ansible_plan.values import plain

#: Variables that every run makes itself.
MADE_BY_THE_RUN = (
    'inventory_hostname inventory_hostname_short group_names inventory_file inventory_dir groups omit ansible_group_priority'
).split()


def write_inventory(session: Session) -> dict[str, Any]:
    """Groups with their hosts, children and variables, and the variables of hosts."""
    written: dict[str, Any] = {}
    _write_group(session, session.inventory.groups['all'], written)
    hosts = session.inventory.get_hosts()
    written['_meta'] = {'hostvars': {host.name: _host_vars(session, host) for host in hosts}}
    return written


def _from_files(session: Session, entities: list[Any]) -> dict[str, Any]:
    """Variables that lie beside the inventory and beside the playbook."""
    beside = get_vars_from_inventory_sources(session.loader, session.inventory._sources, entities, 'all')
    return combine_vars(beside, get_vars_from_path(session.loader, session.base_dir, entities, 'all'))


def _write_group(session: Session, group: Group, written: dict[str, Any]) -> None:
    entry: dict[str, Any] = {}
    if group.name != 'all' and group.hosts:
        entry['hosts'] = [host.name for host in group.hosts]
    if group.child_groups:
        entry['children'] = [child.name for child in group.child_groups]
    variables = plain(combine_vars(group.get_vars(), _from_files(session, [group])))
    variables.pop('ansible_group_priority', None)
    if group.priority != 1:
        variables['ansible_group_priority'] = group.priority
    if variables:
        entry['vars'] = variables
    if entry:
        written[group.name] = entry
    for child in group.child_groups:
        if child.name not in written:
            _write_group(session, child, written)


def _host_vars(session: Session, host: Host) -> dict[str, Any]:
    """All variables of a host, lowest first: of all, of its groups, its own; each level's files above its inventory."""
    everybody = session.inventory.groups['all']
    groups = sort_groups([group for group in host.get_groups() if group.name != 'all'])
    variables: dict[str, Any] = {}
    for level in (
        everybody.get_vars(),
        _from_files(session, [everybody]),
        get_group_vars(groups),
        _from_files(session, groups),
        host.vars,
        _from_files(session, [host]),
    ):
        variables = combine_vars(variables, level)
    return {name: value for name, value in plain(variables).items() if name not in MADE_BY_THE_RUN}
