# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends the program: one line with its place, as `file:line: what is wrong`."""

from __future__ import annotations

# Exit statuses; they mean what they mean for rustle-exec.
DONE = 0
INTERNAL_ERROR = 1
NOT_VALID = 3
WRONG_USAGE = 5
CANCELLED = 130


class PlanError(Exception):
    """Something that the user can put right: playbook, inventory, passwords."""

    def __init__(self, text: str, place: str | None = None, hint: str | None = None) -> None:
        super().__init__(text)
        self.text, self.place, self.hint = text, place, hint

    def __str__(self) -> str:
        return f'{self.place}: {self.text}' if self.place else self.text
