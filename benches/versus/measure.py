"""Runs every side and prints the table. Started by `run`, in the network of the hosts."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import work
from sides import Ansible, Bench, Failed, Rustle, Ssh

PARTS = ("fresh", "again", "tasks", "ping", "memory")


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts-tool", required=True)
    parser.add_argument("--rustle-exec", required=True)
    parser.add_argument("--ansible-playbook", required=True)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--forks", type=int, default=50)
    parser.add_argument("--kex", default="default")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PARTS))
    parser.add_argument("--no-ansible", action="store_true")
    parser.add_argument("--no-rustle", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    unknown = set(options.only) - set(PARTS)
    if unknown:
        parser.error(f"--only: unknown {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


class Table:
    """All measurements, by what was done and who did it."""

    def __init__(self):
        self.seconds = {}
        self.memory = {}

    def note(self, what, side, seconds, memory):
        self.seconds.setdefault(what, {}).setdefault(side, []).append(seconds)
        self.memory[side] = max(self.memory.get(side, 0), memory)
        print(f"  {what}, {side}: {seconds:.2f} s", file=sys.stderr, flush=True)

    def median(self, what, side):
        found = self.seconds.get(what, {}).get(side)
        return statistics.median(found) if found else None

    def row(self, what, *, floor):
        """One line: each side's seconds, rustle-exec by the bare connections, ansible by rustle-exec."""
        rustle, ansible = self.median(what, "rustle-exec"), self.median(what, "ansible")
        cells = [number(floor), number(rustle), number(ansible), ratio(rustle, floor), ratio(ansible, rustle)]
        return f"| {what} | {' | '.join(cells)} |"


def number(value, digits=2):
    return "–" if value is None else f"{value:.{digits}f}"


def ratio(one, other):
    return "–" if one is None or not other else f"{one / other:.1f}"


def require(condition, message):
    if not condition:
        raise Failed(message)


def ten_tasks(table, bench, sides, part, turn):
    """Ten tasks on all hosts: on fresh hosts, and the same again, each time with fresh connections."""
    for side in sides:
        folder = f"/tmp/versus-{side.name}-{turn}"
        if isinstance(side, Rustle):
            side.forget()
            seconds, memory, changed = side.run("ten", folder + "-cold")
            table.note(f"10 tasks × {len(bench.hosts)} hosts, no agent there", side.name, seconds, memory)
        seconds, memory, changed = side.run("ten", folder)
        require(changed == 7 * len(bench.hosts), f"{side.name}: {changed} changes, not 7 a host")
        table.note(f"10 tasks × {len(bench.hosts)} hosts", side.name, seconds, memory)
        if "again" in part:
            seconds, memory, changed = side.run("ten", folder)
            require(changed == 0, f"{side.name}: {changed} changes where nothing was to do")
            table.note(f"10 tasks × {len(bench.hosts)} hosts, unchanged", side.name, seconds, memory)


def measure(table, bench, sides, options, turn):
    ssh = Ssh(bench)
    table.note("connect all", ssh.name, *ssh.connect(len(bench.hosts)))
    table.note("connect one", ssh.name, *ssh.connect(1))
    if "fresh" in options.only or "again" in options.only:
        ten_tasks(table, bench, sides, options.only, turn)
    for side in sides:
        if "tasks" in options.only:
            for count in (1, 100):
                seconds, memory, _ = side.run(f"true{count}", "/tmp")
                table.note(f"{count} × command on 1 host", side.name, seconds, memory)
        if "ping" in options.only:
            seconds, memory, _ = side.run("ping", "/tmp")
            table.note(f"ping × {len(bench.hosts)} hosts", side.name, seconds, memory)


def agent_memory(rustle):
    """The largest peak of an agent on any host, in KiB. A run of its own, since looking takes time."""
    peaks = {}

    def look(_):
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                note_agent(entry, peaks)
        time.sleep(0.2)  # how often to look; nothing waits for it

    rustle.run("memory", "/tmp/versus-memory", watch=look)
    require(peaks, "no agent was seen on any host")
    return max(peaks.values())


def note_agent(entry, peaks):
    try:
        program = os.path.basename(os.readlink(f"{entry.path}/exe"))
        status = pathlib.Path(entry.path, "status").read_text()
    except OSError:
        return
    if program.startswith(("agent-", "rustle-agent")):
        peaks[entry.name] = int(status.split("VmHWM:")[1].split()[0])


def print_table(table, bench, sides, options, agent):
    connect_all, connect_one = table.median("connect all", "ssh"), table.median("connect one", "ssh")
    model = next((line for line in open("/proc/cpuinfo") if line.startswith("model name")), ":?").split(":")[1].strip()
    version = subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.split(",")[0]
    print(f"{os.cpu_count()} cores ({model}), {version}, " + ", ".join(side.version() for side in sides))
    print(f"{len(bench.hosts)} hosts, {options.forks} forks, key exchange {options.kex}, median of {options.repeat}")
    print(f"ssh host true: {connect_all:.2f} s for all hosts, {connect_one:.2f} s for one\n")
    print("| seconds | ssh host true | rustle-exec | ansible | rustle / ssh | ansible / rustle |")
    print("|---|---|---|---|---|---|")
    for what in table.seconds:
        if not what.startswith("connect"):
            print(table.row(what, floor=connect_one if "1 host" in what else connect_all))
    print()
    for side in sides:
        one, many = (table.median(f"{count} × command on 1 host", side.name) for count in (1, 100))
        if one is not None:
            print(f"{side.name}: {(many - one) / 99 * 1000:.1f} ms a task")
    for side in sides:
        print(f"{side.name}: largest controller process {table.memory.get(side.name, 0) / 1024:.0f} MiB")
    if agent is not None:
        print(f"agent: {agent / 1024:.1f} MiB at its peak")


def main():
    options = parse_arguments()
    table, agent = Table(), None
    with tempfile.TemporaryDirectory(prefix="versus-") as folder:
        bench = Bench(options, folder)
        work.write_all(folder, bench.hosts[0][0])
        sides = [] if options.no_rustle else [Rustle(bench)]
        sides += [] if options.no_ansible else [Ansible(bench)]
        try:
            Ssh(bench).connect(len(bench.hosts))  # not noted: fills the caches of the disk, for all sides alike
            for turn in range(options.repeat):
                measure(table, bench, sides, options, turn)
            if "memory" in options.only and not options.no_rustle:
                agent = agent_memory(sides[0])
        except Failed as failure:
            print(f"versus: {failure}", file=sys.stderr)
            return 1
        print_table(table, bench, sides, options, agent)
    if options.json:
        options.json.write_text(json.dumps({"seconds": table.seconds, "memory_kib": table.memory, "agent_kib": agent}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
