"""Writes the expected values of the cases beside this file, by asking ansible-core 2.19.14.

usage: /path/to/venv/bin/python generate.py     (a venv with ansible-core==2.19.14)

Each `*.json` here is a list of [template, expected] for values, or [template, {"error": true}] where Ansible fails.
`vars.json` holds the variables, all trusted. `*.in` files hold one template a line; `%` before one makes it a condition.
"""
import json
import pathlib

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible.utils.display import Display

Display.deprecated = lambda *a, **k: None
Display.warning = lambda *a, **k: None
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


variables = json.loads((here / "vars.json").read_text())
for source in sorted(here.glob("*.in")):
    lines = [json.loads(f'"{line}"') if "\\u" in line else line for line in source.read_text().splitlines() if line.strip()]
    cases = [[line, answer(line, variables)] for line in lines]
    text = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    source.with_suffix(".json").write_text(f"[\n{text}\n]\n")
    print(source.name, len(cases))
