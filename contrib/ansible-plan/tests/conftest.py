# SPDX-License-Identifier: GPL-3.0-or-later
"""A desk with playbooks on it, and the command run on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# Loaded once, for all the processes that the tests fork.
import ansible_plan.plan  # noqa: F401
from ansible_plan import cli


@dataclass
class Outcome:
    """What the command left."""

    status: int
    out: str
    err: str

    @property
    def plan(self) -> dict[str, Any]:
        """The plan, which has to be there."""
        assert self.status == 0, self.err
        return json.loads(self.out)

    def tasks(self, play: int = 0) -> list[dict[str, Any]]:
        """The tasks of a play that Ansible does not add by itself."""
        tasks = self.plan['plays'][play]['batches'][0]['tasks']
        return [task for task in tasks if not task.get('implicit')]


class Desk:
    """A folder of files that the command is run in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, *arguments: str) -> Outcome:
        """Runs the command in a process of its own, for ansible-core keeps what it has once set up."""
        out, err = self.folder / '.out', self.folder / '.err'
        child = os.fork()
        if child == 0:
            os._exit(_in_child(arguments, out, err))
        _, status = os.waitpid(child, 0)
        return Outcome(os.waitstatus_to_exitcode(status), out.read_text(), err.read_text())

    def run_alone(self, *arguments: str) -> Outcome:
        """Runs the command with an interpreter of its own, which reads ansible.cfg anew."""
        command = [sys.executable, '-m', 'ansible_plan', *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def plan_of(self, tasks: str, *arguments: str) -> Outcome:
        """The plan of one play on host `h` with these tasks."""
        indented = '\n'.join(f'    {line}' for line in tasks.strip('\n').splitlines())
        self.write('site.yml', f'- hosts: h\n  gather_facts: false\n  tasks:\n{indented}\n')
        return self.run('site.yml', '-i', 'h,', *arguments)


def _in_child(arguments: tuple[str, ...], out: Path, err: Path) -> int:
    try:
        sys.stdout, sys.stderr = out.open('w'), err.open('w')
        os.dup2(sys.stdout.fileno(), 1)
        os.dup2(sys.stderr.fileno(), 2)
        return cli.main(arguments)
    except SystemExit as exit:
        return int(exit.code or 0)
    except BaseException:
        traceback.print_exc()
        return 99
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)
