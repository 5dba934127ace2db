"""Writes the expected values of the cases beside this file, by asking ansible-core 2.19.14.

usage: /path/to/venv/bin/python generate.py     (a venv with ansible-core==2.19.14)

Each `*.json` beside an `*.in` file is a list of [template, expected] for values, or [template, {"error": true}] where Ansible fails.
`vars.json` holds the variables, all trusted; `different.json` lists what differs, each with the reason. `*.in` files hold one template a line; `%` before one makes it a condition, `~` before
one makes its `\\n` and `\\t` the characters that they stand for.
"""
import json
import pathlib
import re

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible.utils.display import Display

Display.deprecated = lambda *a, **k: None
Display.warning = lambda *a, **k: None
init_plugin_loader([])
here = pathlib.Path(__file__).parent


def trust(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trust(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trust(item) for item in value]
    return value


def answer(line, variables):
    templar = Templar(loader=DataLoader(), variables=trust(variables))
    try:
        if line.startswith("%"):
            return templar.evaluate_conditional(trust(line[1:]))
        value = templar.template(trust(line))
        return json.loads(json.dumps(value, allow_nan=False))
    except Exception as error:  # noqa: BLE001
        return {"error": str(error).splitlines()[0]}


def encodable(case):
    """False for a value that no UTF-8 text can hold."""
    try:
        json.dumps(case, ensure_ascii=False).encode()
        return True
    except UnicodeEncodeError:
        return False


def unescaped(line):
    if line.startswith("~"):
        return line[1:].replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), line)


variables = json.loads((here / "vars.json").read_text())
for source in sorted(here.glob("*.in")):
    lines = [unescaped(line) for line in source.read_text().splitlines() if line.strip()]
    cases = [case for case in ([line, answer(line, variables)] for line in lines) if encodable(case)]
    text = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    source.with_suffix(".json").write_text(f"[\n{text}\n]\n")
    print(source.name, len(cases))
