# SPDX-License-Identifier: GPL-3.0-or-later
"""Keywords as they were written at one object of ansible-core's, without what it inherits and without defaults."""

from __future__ import annotations

from typing import Any

from ansible.utils.sentinel import Sentinel

from ansible_plan.values import plain, single

#: What a keyword is called in a playbook, where ansible-core's attribute is called otherwise.
WRITTEN_AS = {'async_val': 'async'}

#: Attributes that are written apart, or mean nothing in a plan.
NOT_COPIED = frozenset(
    'name action args loop loop_with loop_control block rescue always vars roles tasks pre_tasks post_tasks handlers hosts '
    'collections public allow_duplicates rolespec_validate static listen role tags'.split()
)

CONDITIONS = ('when', 'until', 'changed_when', 'failed_when')


def own(obj: Any, attribute: str) -> Any:
    """What was written at this very object; `Sentinel` if nothing was."""
    value = getattr(obj, f'_{attribute}', Sentinel)
    if value is Sentinel:
        return value
    written = obj.get_ds() if hasattr(obj, 'get_ds') else None
    if isinstance(written, dict) and (attribute in written or WRITTEN_AS.get(attribute, attribute) in written):
        return value
    default = obj.fattributes[attribute].default
    if callable(default):
        try:
            default = default()
        except Exception:  # a default that needs its object is no value that somebody wrote
            default = Sentinel
    return Sentinel if value == default or value in (None, [], {}) else value


def keywords(obj: Any) -> dict[str, Any]:
    """All keywords that were written at this object, with its variables and tags."""
    found: dict[str, Any] = {}
    for attribute in obj.fattributes:
        if attribute in NOT_COPIED:
            continue
        value = own(obj, attribute)
        if value is not Sentinel:
            found[WRITTEN_AS.get(attribute, attribute)] = plain(_usual(attribute, value))
    tags = own(obj, 'tags')
    if tags is not Sentinel:
        found['tags'] = tag_list(tags)
    variables = getattr(obj, '_vars', Sentinel)
    if variables is not Sentinel and variables:
        found['vars'] = plain(variables)
    return found


def tag_list(tags: Any) -> list[str]:
    """Tags as a sorted list of texts."""
    many = tags if isinstance(tags, (list, set, tuple)) else [tags]
    return sorted({str(tag) for tag in plain(many)})


def _usual(attribute: str, value: Any) -> Any:
    """Undoes what ansible-core wraps in lists, so that the plan reads as the playbook does."""
    if attribute in (*CONDITIONS, 'environment') and isinstance(value, list):
        return single(value)
    if attribute == 'module_defaults' and isinstance(value, list):
        merged: dict[str, Any] = {}
        for defaults in value:
            if isinstance(defaults, dict):
                merged.update(defaults)
        return merged
    if attribute == 'notify' and not isinstance(value, list):
        return [value]
    return value
