# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-core's errors say, in one line with its place."""

from __future__ import annotations

import os
import re
from typing import Iterator

from ansible.errors import AnsibleError
from yaml import MarkedYAMLError

from ansible_plan import compat
from ansible_plan.errors import PlanError


def from_ansible(error: AnsibleError) -> PlanError:
    """An error of ansible-core's: its innermost place, and what was said on the way there, each thing once."""
    places: list[str] = []
    texts: list[str] = []
    for cause in _causes(error):
        place = compat.place(getattr(cause, 'obj', None))
        if place:
            places.append(place)
        if isinstance(cause, MarkedYAMLError) and texts:
            # What read the file has said it already, with its name.
            continue
        text = _one_line(compat.message(cause) if isinstance(cause, AnsibleError) else str(cause))
        if text and not any(text in other for other in texts):
            texts.append(text)
    text = ': '.join(text.rstrip('.') for text in texts) or 'the playbook cannot be read'
    return PlanError(text, _short(places[-1]) if places else None, _hint(text))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or getattr(cause, 'orig_exc', None)


def _one_line(text: str) -> str:
    """The text before ansible-core's picture of the file, in one line."""
    text = re.split(r'\n\s*\n?(?:The error appears to be|The offending line|Origin:|<<< caused by)', text)[0]
    return ' '.join(text.split())


def _short(place: str) -> str:
    """The place with a path that is seen from the working folder, if it is below it."""
    path, colon, line = place.rpartition(':')
    if not colon or not line.isdigit():
        path, line = place, ''
    relative = os.path.relpath(path)
    shown = path if relative.startswith('..') else relative
    return f'{shown}:{line}' if line else shown


def _hint(text: str) -> str | None:
    if re.search(r'vault (secrets|password)|decrypt', text, re.IGNORECASE):
        return 'give the password by --vault-password-file, --vault-id or --ask-vault-pass'
    if "couldn't resolve module/action" in text:
        return 'install its collection by `ansible-galaxy collection install`, or check its name'
    if re.search(r'the role .* was not found', text):
        return 'install it by `ansible-galaxy role install`, or set roles_path in ansible.cfg'
    return None
