# SPDX-License-Identifier: GPL-3.0-or-later
"""Which task files and roles a plan has with it for what is included as it runs."""

from __future__ import annotations


def test_files_are_followed_from_include_to_include(desk):
    desk.write('tasks/a.yml', '- include_tasks: b.yml\n')
    desk.write('tasks/b.yml', '- ping:\n')
    desk.write('unrelated.yml', '- ping:\n')
    plan = desk.plan_of('- include_tasks: tasks/a.yml').plan
    assert sorted(plan['includes']) == ['tasks/a.yml', 'tasks/b.yml']


def test_imports_are_looked_up_beside_the_file_that_is_included(desk):
    desk.write('t/sub/deep.yml', '- import_tasks: deeper.yml\n')
    desk.write('t/sub/deeper.yml', '- ping:\n')
    desk.write('roles/r/tasks/main.yml', '- include_tasks: sub/deep.yml\n')
    desk.write('roles/r/tasks/sub/deep.yml', '- import_tasks: deeper.yml\n')
    desk.write('roles/r/tasks/sub/deeper.yml', '- debug:\n')
    plan = desk.plan_of('- include_tasks: t/sub/deep.yml\n- import_role: {name: r}').plan
    [imported] = plan['includes']['t/sub/deep.yml']
    assert imported['block'][0]['module'] == 'ping'
    [imported] = plan['roles']['r']['tasks']['sub/deep.yml']
    assert imported['block'][0]['module'] == 'debug'


def test_names_with_templates_mean_all_files_that_fit(desk):
    for name in ('Debian', 'RedHat', 'other'):
        desk.write(f'setup-{name}.yml', '- ping:\n')
    desk.write('setup-vars.yml', 'not: tasks\n')
    plan = desk.plan_of('- include_tasks: "setup-{{ ansible_os_family }}.yml"').plan
    assert sorted(plan['includes']) == [f'setup-{name}.yml' for name in ('Debian', 'RedHat', 'other')]


def test_items_of_a_loop_are_names(desk):
    for name in ('a', 'b', 'c'):
        desk.write(f'{name}.yml', '- ping:\n')
    plan = desk.plan_of('- include_tasks: "{{ item }}"\n  loop: [a.yml, b.yml]').plan
    assert sorted(plan['includes']) == ['a.yml', 'b.yml']


def test_a_role_has_all_its_files_and_what_it_depends_on(desk):
    desk.write('roles/r/tasks/main.yml', '- include_tasks: "{{ x }}.yml"\n')
    desk.write('roles/r/tasks/sub/deep.yml', '- ping:\n')
    desk.write('roles/r/vars/other.yml', 'v: 1\n')
    desk.write('roles/r/meta/main.yml', 'dependencies: [d]\n')
    desk.write('roles/d/handlers/main.yml', '- name: h\n  ping:\n')
    desk.write('roles/unrelated/tasks/main.yml', '- ping:\n')
    roles = desk.plan_of('- include_role: {name: r, vars_from: other}').plan['roles']
    assert sorted(roles) == ['d', 'r']
    assert sorted(roles['r']['tasks']) == ['main.yml', 'sub/deep.yml']
    assert (roles['r']['vars_files'], roles['r']['dependencies']) == ({'other.yml': {'v': 1}}, ['d'])
    assert roles['d']['handlers'][0]['name'] == 'h'


def test_names_of_roles_with_templates_mean_all_roles_that_fit(desk):
    for name in ('app_web', 'app_db', 'tool'):
        desk.write(f'roles/{name}/tasks/main.yml', '- ping:\n')
    roles = desk.plan_of('- include_role: {name: "app_{{ kind }}"}').plan['roles']
    assert sorted(roles) == ['app_db', 'app_web']


def test_a_role_of_a_collection_calls_its_neighbours_by_their_whole_names(desk):
    roles = 'collections/ansible_collections/my/tools/roles'
    desk.write(f'{roles}/one/tasks/main.yml', '- include_role: {name: two}\n')
    desk.write(f'{roles}/two/tasks/main.yml', '- ping:\n')
    every = desk.plan_of('- include_role: {name: "my.tools.{{ x }}"}').plan['roles']
    assert sorted(every) == ['my.tools.one', 'my.tools.two']
    plan = desk.plan_of('- include_role: {name: my.tools.one}').plan
    assert sorted(plan['roles']) == ['my.tools.one', 'my.tools.two']
    [task] = plan['roles']['my.tools.one']['tasks']['main.yml']
    assert task['args']['name'] == 'my.tools.two'


def test_what_cannot_be_loaded_is_left_out_with_a_warning(desk):
    desk.write('bad.yml', '- ping:\n  copy:\n')
    outcome = desk.plan_of('- include_tasks: bad.yml\n- include_role: {name: nowhere}')
    assert 'includes' not in outcome.plan and 'roles' not in outcome.plan
    assert 'warning: bad.yml is left out of what may be included: bad.yml:1: conflicting action' in outcome.err
    assert 'warning: role nowhere is left out' in outcome.err


def test_handlers_that_a_handler_includes_are_tasks(desk):
    desk.write('handlers/more.yml', '- name: more\n  ping:\n  listen: x\n')
    desk.write('site.yml', '- hosts: h\n  handlers: [{include_tasks: handlers/more.yml, listen: all}]\n')
    [task] = desk.run('site.yml', '-i', 'h,').plan['includes']['handlers/more.yml']
    assert (task['task_id'], task['name'], 'listen' in task) == ('include:handlers/more.yml-handler0', 'more', False)


def test_playbook_of_a_collection_is_called_by_its_name(desk):
    collection = 'collections/ansible_collections/my/tools'
    desk.write(f'{collection}/playbooks/deploy.yml', '- hosts: h\n  roles: [one]\n')
    desk.write(f'{collection}/roles/one/tasks/main.yml', '- ping:\n')
    desk.write('ansible.cfg', '[defaults]\ncollections_path = collections\n')
    [role] = desk.run_alone('my.tools.deploy', '-i', 'h,').tasks()
    assert role['role'] == 'my.tools.one'
