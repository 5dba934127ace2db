# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets `python -m ansible_plan` be the command."""

import sys

from ansible_plan.cli import main

sys.exit(main())
