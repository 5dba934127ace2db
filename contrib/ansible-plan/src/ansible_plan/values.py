# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of Ansible's as JSON: encrypted ones stay so, and text that is never a template says so."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from ansible_plan import compat

TEMPLATE_MARKS = ('{{', '{%', '{#')


def is_template(value: Any) -> bool:
    """Whether a text holds marks of a template."""
    return isinstance(value, str) and any(mark in value for mark in TEMPLATE_MARKS)


def plain(value: Any) -> Any:
    """The value in the types of JSON. It is not rendered, and keeps the order of its keys."""
    encrypted = compat.ciphertext(value)
    if encrypted is not None:
        return {'__ansible_vault': encrypted}
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = str.__str__(value)
        return {'__ansible_unsafe': text} if is_template(text) and compat.is_never_template(value) else text
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode('utf-8', 'surrogateescape')
    if isinstance(value, Mapping):
        return {key_text(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)


def key_text(key: Any) -> str:
    """A key as JSON has it: text."""
    return str.__str__(key) if isinstance(key, str) else json.dumps(plain(key))


def as_list(value: Any) -> list[Any]:
    """The value itself, if it is a list, else a list of it alone."""
    return value if isinstance(value, list) else [value]


def single(values: list[Any]) -> Any:
    """The one value of a list that has one, else the list."""
    return values[0] if len(values) == 1 else values
