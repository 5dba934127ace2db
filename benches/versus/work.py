"""The work that is timed, written once, as a playbook and as an execution plan.

A piece of work is a list of (name, module, arguments, keywords of the task). `{{ work }}` is a folder on
the host, another one for each fresh run.
"""

import json
import pathlib

MOTD = "".join(f"{line:04} this machine is managed; changes made by hand are lost\n" for line in range(60))
TEMPLATE = """\
# {{ inventory_hostname }}
workers = {{ workers }}
{% for name in names %}
[{{ name }}]
path = {{ work }}/{{ name | upper }}
{% endfor %}
"""
VARS = {"workers": 4, "names": ["alpha", "beta", "gamma", "delta"]}

TEN = [
    ("a folder", "file", {"path": "{{ work }}", "state": "directory", "mode": "0755"}, {}),
    ("a command", "command", {"cmd": "/bin/uname -r"}, {"changed_when": False, "register": "kernel"}),
    ("a shell line", "shell", {"cmd": "echo $HOME | wc -c"}, {"changed_when": False}),
    ("a file", "copy", {"src": "files/motd", "dest": "{{ work }}/motd", "mode": "0644"}, {}),
    ("some text", "copy", {"content": "{{ inventory_hostname }} {{ kernel.stdout }}\n", "dest": "{{ work }}/name"}, {}),
    ("a template", "template", {"src": "templates/app.conf.j2", "dest": "{{ work }}/app.conf", "mode": "0640"}, {}),
    ("a line", "lineinfile", {"path": "{{ work }}/settings", "line": "port=8080", "create": True}, {}),
    ("a link", "file", {"src": "{{ work }}/motd", "dest": "{{ work }}/current", "state": "link"}, {}),
    ("a look", "stat", {"path": "{{ work }}/app.conf"}, {"register": "found"}),
    (
        "a shell line once",
        "shell",
        {"cmd": "sort -r {{ work }}/motd >{{ work }}/sorted", "creates": "{{ work }}/sorted"},
        {"when": "found.stat.exists"},
    ),
]
PING = [("ping", "ping", {}, {})]
SLOW = [("a while", "command", {"cmd": "/bin/sleep 1"}, {})]


def trues(count):
    """`count` times the quickest command there is."""
    return [(f"true {n}", "command", {"cmd": "/bin/true"}, {}) for n in range(count)]


def write(folder, name, tasks, hosts):
    """Writes `name`.yml and `name`.json. JSON is YAML, so one writer does for both."""
    play = {"name": name, "hosts": hosts, "gather_facts": False, "vars": VARS}
    playbook = [{**play, "tasks": [{"name": n, m: a, **k} for n, m, a, k in tasks]}]
    plan_tasks = [
        {"task_id": f"task_{place}", "name": n, "module": m, "args": a, "execution_order": place, **k}
        for place, (n, m, a, k) in enumerate(tasks)
    ]
    plan = {"plan_version": 1, "plays": [{**play, "strategy": "Linear", "tasks": plan_tasks}]}
    (folder / f"{name}.yml").write_text(json.dumps(playbook))
    (folder / f"{name}.json").write_text(json.dumps(plan))


def write_all(folder, first_host):
    """Writes all work, with the files it copies, into `folder`."""
    folder = pathlib.Path(folder)
    for part in ("files", "templates"):
        (folder / part).mkdir()
    (folder / "files/motd").write_text(MOTD)
    (folder / "templates/app.conf.j2").write_text(TEMPLATE)
    write(folder, "ten", TEN, "all")
    write(folder, "ping", PING, "all")
    write(folder, "true1", trues(1), first_host)
    write(folder, "true100", trues(100), first_host)
    write(folder, "memory", TEN + SLOW, "all")
