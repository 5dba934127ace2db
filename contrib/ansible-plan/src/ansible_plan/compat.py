# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the versions of ansible-core, and nothing else.

Since 2.19 text that may be a template carries a tag, and so does where a value was written; before, text that may not be a
template had a class of its own, and places were attributes.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader

try:
    from ansible._internal._datatag._tags import Origin, TrustedAsTemplate
    from ansible.parsing.vault import EncryptedString
except ImportError:
    Origin = TrustedAsTemplate = EncryptedString = None

if EncryptedString is None:
    from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode
    from ansible.utils.unsafe_proxy import AnsibleUnsafe


def ciphertext(value: Any) -> str | None:
    """The text of a value that is encrypted, as it was written; none for all other values."""
    if EncryptedString is not None:
        return str(value._ciphertext) if isinstance(value, EncryptedString) else None
    if isinstance(value, AnsibleVaultEncryptedUnicode):
        text = value._ciphertext
        return text.decode() if isinstance(text, bytes) else str(text)
    return None


def is_never_template(text: str) -> bool:
    """Whether a text was marked as one that is no template, whatever it looks like."""
    if TrustedAsTemplate is not None:
        return not TrustedAsTemplate.is_tagged_on(text)
    return isinstance(text, AnsibleUnsafe)


def trusted(text: str) -> str:
    """The text as one that may be a template."""
    return TrustedAsTemplate().tag(text) if TrustedAsTemplate is not None else text


def load_yaml(loader: DataLoader, path: str) -> Any:
    """Reads a YAML file whose texts may be templates; it may be encrypted."""
    if TrustedAsTemplate is not None:
        return loader.load_from_file(path, trusted_as_template=True)
    return loader.load_from_file(path)


def place(value: Any) -> str | None:
    """Where a value was written, as `file:line`."""
    if Origin is not None:
        origin = value if isinstance(value, Origin) else Origin.get_tag(value) if value is not None else None
        if origin is None or origin.path is None:
            return None
        return f'{origin.path}:{origin.line_num}' if origin.line_num else origin.path
    position = getattr(value, 'ansible_pos', None)
    return f'{position[0]}:{position[1]}' if position and position[0] else None


def message(error: AnsibleError) -> str:
    """What an error says itself, without what caused it and without the lines of the file."""
    return str(getattr(error, '_message', None) or getattr(error, '_original_message', None) or error)
