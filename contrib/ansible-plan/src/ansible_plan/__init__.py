# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes Ansible playbooks as execution plans, by ansible-core's own loader.

ansible-core resolves what is static (imports, roles, their dependencies, handlers); this package writes what it found, and
renders nothing: each keyword stands in the plan as the playbook has it.
"""

__version__ = '0.1.0'
