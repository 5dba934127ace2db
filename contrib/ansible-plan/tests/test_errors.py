# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes, as the user is told of them."""

from __future__ import annotations

import pytest


def refused(outcome, status=3):
    assert (outcome.status, outcome.out) == (status, ''), outcome.err
    return outcome.err


def test_playbook_that_is_not_there(desk):
    assert refused(desk.run('nowhere.yml')) == 'ansible-plan: error: the playbook `nowhere.yml` is not there\n'


@pytest.mark.parametrize(('tasks', 'text'), [
    ('- ping:\n  copy:', 'site.yml:4: conflicting action statements'),
    ('- ping:\n  retrys: 3', "site.yml:4: conflicting action statements"),
    ('- import_tasks: nowhere.yml', 'nowhere.yml'),
    ('- import_role: {name: nowhere}', "site.yml:4: the role 'nowhere' was not found"),
    ('- ping: [', 'site.yml:'),
    ('- block: 5', 'site.yml:4: '),
])
def test_mistakes_are_told_with_their_place(desk, tasks, text):
    told = refused(desk.plan_of(tasks))
    assert told.startswith('ansible-plan: error: ') and text in told
    assert told.count('\n') <= 2, 'one line, and a hint'


def test_encrypted_file_without_a_password_has_a_hint(desk):
    desk.write('tasks.yml', '$ANSIBLE_VAULT;1.1;AES256\n6162\n')
    told = refused(desk.plan_of('- import_tasks: tasks.yml'))
    assert 'hint: give the password by --vault-password-file' in told


def test_playbooks_of_different_folders_are_no_plan(desk):
    desk.write('a.yml', '- hosts: h\n')
    desk.write('sub/b.yml', '- hosts: h\n')
    assert 'lie in different folders' in refused(desk.run('a.yml', 'sub/b.yml'))


def test_roles_that_depend_on_each_other(desk):
    desk.write('roles/a/meta/main.yml', 'dependencies: [b]\n')
    desk.write('roles/b/meta/main.yml', 'dependencies: [a]\n')
    desk.write('site.yml', '- hosts: h\n  roles: [a]\n')
    assert 'recursion' in refused(desk.run('site.yml', '-i', 'h,'))


def test_wrong_usage_ends_with_5(desk):
    assert 'unrecognized arguments: --nonsense' in refused(desk.run('site.yml', '--nonsense'), 5)
    assert 'the following arguments are required' in refused(desk.run(), 5)


def test_output_that_cannot_be_written(desk):
    desk.write('site.yml', '- hosts: h\n')
    assert 'the plan cannot be written' in refused(desk.run('site.yml', '-i', 'h,', '-o', 'no/such/plan.json'))
