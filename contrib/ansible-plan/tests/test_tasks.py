# SPDX-License-Identifier: GPL-3.0-or-later
"""What tasks, blocks, roles and handlers look like in a plan."""

from __future__ import annotations


def test_keywords_are_written_as_they_stand_and_nothing_is_rendered(desk):
    [task] = desk.plan_of('''
- name: "Say {{ what }}"
  ansible.builtin.debug:
    msg: "{{ what | upper }}"
  when: what is defined
  loop: [1, 2]
  loop_control: {label: x}
  register: said
  until: said is success
  async: 10
  notify: nobody
''').tasks()
    assert task['name'] == 'Say {{ what }}'
    assert task['args'] == {'msg': '{{ what | upper }}'}
    assert (task['when'], task['until']) == ('what is defined', 'said is success')
    assert (task['loop'], task['loop_control']) == ([1, 2], {'label': 'x'})
    assert (task['async'], task['notify'], task['register']) == (10, ['nobody'], 'said')
    assert 'retries' not in task, 'defaults are not written'


def test_local_action_and_free_form_are_a_module_and_arguments(desk):
    local, command, lookup = desk.plan_of('''
- local_action: command echo hi chdir=/tmp
- shell: echo a b
- debug: msg={{ item }}
  with_items: [a]
''').tasks()
    assert (local['module'], local['delegate_to']) == ('command', 'localhost')
    assert local['args'] == {'_raw_params': 'echo hi', 'chdir': '/tmp'}
    assert command['args']['_raw_params'] == 'echo a b'
    assert lookup['with_items'] == ['a'] and 'loop' not in lookup


def test_blocks_keep_their_sections_and_keywords(desk):
    [block] = desk.plan_of('''
- name: b
  become: true
  block: [{ping: }]
  rescue: [{debug: {msg: r}}]
  always: [{debug: {msg: a}}]
''').tasks()
    assert (block['name'], block['become']) == ('b', True)
    assert [len(block[section]) for section in ('block', 'rescue', 'always')] == [1, 1, 1]


def test_imported_files_become_blocks_with_what_the_import_says(desk):
    desk.write('more.yml', '- ping:\n- ping:\n')
    [block] = desk.plan_of('- import_tasks: more.yml\n  when: x\n  vars: {a: 1}').tasks()
    assert (block['path'], block['when'], block['vars']) == ('more.yml', 'x', {'a': 1})
    assert len(block['block']) == 2


def test_roles_become_blocks_after_the_roles_they_depend_on(desk):
    desk.write('roles/web/tasks/main.yml', '- ping:\n  notify: restart\n')
    desk.write('roles/web/meta/main.yml', 'dependencies: [{role: base, level: 3}]\n')
    desk.write('roles/web/handlers/main.yml', '- name: restart\n  ping:\n')
    desk.write('roles/web/defaults/main.yml', 'port: 80\n')
    desk.write('roles/base/tasks/main.yml', '- ping:\n')
    desk.write('site.yml', '- hosts: h\n  gather_facts: false\n  roles: [{role: web, tags: [w], when: here, x: 1}]\n')
    outcome = desk.run('site.yml', '-i', 'h,')
    base, web = outcome.tasks()
    assert (base['role'], base['params']['level'], base['tags'], base['when']) == ('base', 3, ['w'], 'here')
    assert (web['role'], web['role_path'], web['params']) == ('web', 'roles/web', {'x': 1})
    assert web['defaults'] == {'port': 80}
    [handler] = outcome.plan['plays'][0]['handlers']
    assert (handler['name'], handler['role']) == ('restart', 'web')


def test_modules_of_collections_are_called_by_their_whole_names(desk):
    module = 'collections/ansible_collections/my/tools/plugins/modules'
    desk.write(f'{module}/hammer.py', '')
    desk.write('collections/ansible_collections/my/tools/meta/runtime.yml',
               'plugin_routing: {modules: {mallet: {redirect: my.tools.hammer}}}\n')
    desk.write('site.yml', '''
- hosts: h
  collections: [my.tools]
  tasks: [{hammer: {nail: 1}}, {my.tools.mallet: {}}, {copy: {dest: /x, content: y}}]
''')
    modules = [task['module'] for task in desk.run('site.yml', '-i', 'h,').tasks()]
    assert modules == ['my.tools.hammer', 'my.tools.hammer', 'copy']


def test_text_that_is_never_a_template_says_so(desk):
    [task] = desk.plan_of('- debug:\n    msg: !unsafe "{{ not this }}"').tasks()
    assert task['args'] == {'msg': {'__ansible_unsafe': '{{ not this }}'}}
