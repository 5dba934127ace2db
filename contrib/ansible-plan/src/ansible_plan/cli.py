# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `ansible-plan site.yml -i hosts | rustle-exec`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from typing import Any, Sequence, TextIO

from ansible_plan import __version__, errors

EPILOG = """\
The plan carries the inventory with all its variables, and the extra variables, tags and limit that were given here; options of
rustle-exec win over them. Values that are encrypted stay so: give rustle-exec the password of the vault as well. ansible.cfg and
ANSIBLE_... variables mean what they mean for ansible-playbook.

exit status:
  0    the plan was written
  1    internal error; please report it
  3    playbook, inventory or passwords are not valid
  5    the command line is wrong
  130  cancelled
"""


class Parser(argparse.ArgumentParser):
    """Ends with our status for wrong usage."""

    def error(self, message: str) -> Any:
        self.print_usage(sys.stderr)
        self.exit(errors.WRONG_USAGE, f'ansible-plan: error: {message}\n')


def parser() -> argparse.ArgumentParser:
    """The options."""
    parser = Parser(
        prog='ansible-plan',
        description='Writes playbooks as one execution plan, by the ansible-core that is installed.',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('playbook', nargs='+', help='playbooks of one folder; their plays follow each other')
    add('-i', '--inventory', action='append', default=[], metavar='SOURCE', help='inventory, as of ansible-playbook (repeatable)')
    add('-l', '--limit', metavar='PATTERN', help='run on these hosts only')
    add('-e', '--extra-vars', action='append', default=[], metavar='VARS', help='key=value, YAML, JSON or @FILE (repeatable)')
    add('-t', '--tags', action='append', default=[], help='run only what has one of these tags (repeatable)')
    add('--skip-tags', action='append', default=[], metavar='TAGS', help='do not run what has one of these tags (repeatable)')
    add('-C', '--check', action='store_true', help='the run only predicts changes')
    add('-D', '--diff', action='store_true', help='the run shows differences')
    add('-f', '--forks', type=int, metavar='NUM', help='how many hosts the run works on at once')
    add('-o', '--output', metavar='FILE', help='write the plan to this file [default: standard output]')
    add('--relative', action='store_true', help="write paths as seen from the playbook's folder, so that plan and folder can move")
    add('--vault-id', action='append', default=[], metavar='LABEL@SOURCE', help='a password of vaults (repeatable)')
    add('--vault-password-file', '--vault-pass-file', action='append', default=[], metavar='FILE',
        help='a file with the password, or a program that prints it (repeatable)')
    add('-J', '--ask-vault-pass', '--ask-vault-password', action='store_true', help='ask for the password of the vault')
    add('--debug', action='store_true', help='show where in the program an error came up')
    add('--version', action='version', version=f'ansible-plan {__version__}')
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; gives its exit status."""
    options = parser().parse_args(arguments)
    try:
        plan = _plan(options)
        return _write(plan, options.output)
    except KeyboardInterrupt:
        return errors.CANCELLED
    except errors.PlanError as error:
        print(f'ansible-plan: error: {error}', file=sys.stderr)
        if error.hint:
            print(f'hint: {error.hint}', file=sys.stderr)
        return errors.NOT_VALID
    except Exception as error:
        if options.debug:
            raise
        print(f'ansible-plan: internal error: {type(error).__name__}: {error}', file=sys.stderr)
        print('hint: --debug shows where; please report it', file=sys.stderr)
        return errors.INTERNAL_ERROR


def _plan(options: argparse.Namespace) -> dict[str, Any]:
    """Loads and writes the plan. Whatever ansible-core prints goes to standard error: standard output is for the plan."""
    os.environ.setdefault('ANSIBLE_LOCALHOST_WARNING', 'False')
    os.environ.setdefault('ANSIBLE_INVENTORY_UNPARSED_WARNING', 'False')
    with contextlib.redirect_stdout(sys.stderr):
        from ansible.errors import AnsibleError

        try:
            # ansible-core reads its settings, and may find them wrong, when it is imported.
            from ansible_plan.causes import from_ansible
            from ansible_plan.plan import make_plan
            from ansible_plan.session import Request
        except AnsibleError as error:
            raise errors.PlanError(' '.join(str(error).split())) from error
        try:
            return make_plan(_request(options, Request), _warn)
        except AnsibleError as error:
            if options.debug:
                raise
            raise from_ansible(error) from error


def _request(options: argparse.Namespace, request: Any) -> Any:
    return request(
        playbooks=options.playbook,
        inventory=options.inventory,
        extra_vars=options.extra_vars,
        tags=_words(options.tags),
        skip_tags=_words(options.skip_tags),
        limit=options.limit,
        forks=options.forks,
        check=options.check,
        diff=options.diff,
        vault_ids=options.vault_id,
        vault_password_files=options.vault_password_file,
        ask_vault_pass=options.ask_vault_pass,
        is_relative=options.relative,
    )


def _words(lists: list[str]) -> list[str]:
    return [word.strip() for words in lists for word in words.split(',') if word.strip()]


def _warn(text: str) -> None:
    print(f'ansible-plan: warning: {text}', file=sys.stderr)


def _write(plan: dict[str, Any], output: str | None) -> int:
    try:
        if output is None:
            _dump(plan, sys.stdout)
            sys.stdout.flush()
        else:
            # A plan may hold secrets in plain text.
            handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(handle, 'w', encoding='utf-8', errors='surrogateescape') as file:
                _dump(plan, file)
    except BrokenPipeError:
        # The reader has gone, and has said why.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise errors.PlanError(f'the plan cannot be written: {error}') from error
    return errors.DONE


def _dump(plan: dict[str, Any], file: TextIO) -> None:
    json.dump(plan, file, indent=1, ensure_ascii=False)
    file.write('\n')
