# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays, inventory, vaults and the plan around them."""

from __future__ import annotations

import shutil
from pathlib import Path

SITE = Path(__file__).parent / 'site'


def test_sample_site_is_written_whole(desk):
    shutil.copytree(SITE, desk.folder, dirs_exist_ok=True)
    plan = desk.run('site.yml', '-i', 'hosts', '--vault-password-file', 'vault-password', '-e', 'target=/x').plan
    greetings, later = plan['plays']
    assert (greetings['hosts'], greetings['vars_files']) == (['one', 'two'], ['secrets.yml'])
    assert sorted(plan['includes']) == ['tasks/one.yml', 'tasks/two.yml']
    assert 'extra.yml' in plan['roles']['greeting']['tasks']
    assert plan['inventory']['greeters']['vars']['secret']['__ansible_vault'].startswith('$ANSIBLE_VAULT;')
    assert 'sesame' not in str(plan), 'what is encrypted stays so'
    assert (later['hosts'], later['vars_files']) == (['one'], ['more/later_vars.yml'])
    [around] = later['batches'][0]['tasks']
    assert around['path'] == 'more/playbook.yml'
    assert around['block'][2]['args']['src'] == 'more/templates/sent.j2'
    assert (plan['extra_vars'], plan['base_dir']) == ({'target': '/x'}, str(desk.folder))


def test_options_go_along_for_the_run(desk):
    outcome = desk.plan_of('- ping:', '-t', 'a,b', '--skip-tags', 'c', '-l', 'h', '-f', '7', '-C', '-D')
    assert outcome.plan['metadata']['planning_options'] == {
        'tags': ['a', 'b'], 'skip_tags': ['c'], 'limit': 'h', 'forks': 7, 'check_mode': True, 'diff_mode': True,
    }


def test_playbooks_follow_each_other(desk):
    for name in ('a', 'b'):
        desk.write(f'{name}.yml', f'- name: {name}\n  hosts: h\n  tasks: []\n')
    plays = desk.run('a.yml', 'b.yml', '-i', 'h,').plan['plays']
    assert [(play['play_id'], play['name']) for play in plays] == [('play0', 'a'), ('play1', 'b')]


def test_hosts_stay_a_pattern_once_the_inventory_changes(desk):
    desk.write('site.yml', '''
- hosts: a
  tasks: [{add_host: {name: new, groups: fresh}}]
- hosts: fresh
- hosts: "{{ later_known }}"
''')
    first, second, third = desk.run('site.yml', '-i', 'a,').plan['plays']
    assert (first['hosts'], second['hosts'], third['hosts']) == (['a'], 'fresh', '{{ later_known }}')


def test_variables_of_groups_and_hosts_are_in_the_inventory(desk):
    desk.write('hosts', '[web]\na n=1\n[all:vars]\neverywhere=yes\n')
    desk.write('group_vars/web.yml', 'port: 80\n')
    desk.write('host_vars/a.yml', 'n: 2\n')
    desk.write('site.yml', '- hosts: web\n')
    inventory = desk.run('site.yml', '-i', 'hosts').plan['inventory']
    assert inventory['_meta']['hostvars']['a'] == {'everywhere': True, 'n': 2, 'port': 80} | {
        'everywhere': inventory['_meta']['hostvars']['a']['everywhere']
    }
    assert inventory['web'] == {'hosts': ['a'], 'vars': {'port': 80}}


def test_prompts_strategy_and_order_are_copied(desk):
    desk.write('site.yml', '''
- hosts: h
  strategy: ansible.builtin.free
  order: sorted
  serial: [1, "50%"]
  vars_prompt: [{name: who, prompt: Who?, private: false}]
''')
    [play] = desk.run('site.yml', '-i', 'h,').plan['plays']
    assert (play['strategy'], play['order'], play['serial']) == ('free', 'sorted', [1, '50%'])
    assert play['vars_prompt'][0]['name'] == 'who'


def test_output_file_is_for_its_owner_alone(desk):
    desk.write('site.yml', '- hosts: h\n')
    outcome = desk.run('site.yml', '-i', 'h,', '-o', 'plan.json')
    assert (outcome.status, outcome.out) == (0, '')
    assert (desk.folder / 'plan.json').stat().st_mode & 0o777 == 0o600


def test_settings_of_ansible_cfg_go_along(desk):
    desk.write('ansible.cfg', '''
[defaults]
inventory = hosts
forks = 21
remote_user = deploy
roles_path = shared/roles
gathering = explicit
strategy = free
[privilege_escalation]
become = true
''')
    desk.write('hosts', 'h\n')
    desk.write('shared/roles/r/tasks/main.yml', '- ping:\n')
    desk.write('site.yml', '- hosts: all\n  roles: [r]\n')
    plan = desk.run_alone('site.yml').plan
    [play] = plan['plays']
    assert plan['metadata']['planning_options'] == {'forks': 21}
    assert (play['remote_user'], play['become'], play['strategy']) == ('deploy', True, 'free')
    assert (play['gather_facts'], play['hosts']) == (False, ['h'])
    assert play['batches'][0]['tasks'][1]['role_path'] == 'shared/roles/r'


def test_mistake_in_ansible_cfg_is_told(desk):
    desk.write('ansible.cfg', 'no section\n')
    desk.write('site.yml', '- hosts: all\n')
    outcome = desk.run_alone('site.yml')
    assert outcome.status == 3, outcome.err
    assert outcome.err.startswith('ansible-plan: error: ')
