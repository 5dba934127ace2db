"""Runs one module of Ansible; its arguments come as a JSON object on standard input."""
import os
import runpy
import sys

MODULE = "@MODULE@"


def start():
    given = sys.stdin.buffer.read()
    # Whatever the module runs finds the end of its input, and not ours.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    archive = os.path.dirname(os.path.abspath(__file__))

    from ansible.module_utils import basic

    basic._ANSIBLE_ARGS = b'{"ANSIBLE_MODULE_ARGS": ' + given + b"}"
    if hasattr(basic, "_ANSIBLE_PROFILE"):
        basic._ANSIBLE_PROFILE = "legacy"
    names = {"_module_fqn": MODULE, "_modlib_path": archive}
    runpy.run_module(MODULE, init_globals=names, run_name="__main__", alter_sys=True)


start()
