"""The sides that are compared: how each of them is told to do a piece of work, and what it says it did."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time


class Failed(Exception):
    """A side did not do its work, so that its time means nothing."""


class Bench:
    """What all sides share: the hosts, the options of ssh, a folder, and how a program is timed."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = pathlib.Path(folder)
        listing = subprocess.run([options.hosts_tool, "list"], check=True, capture_output=True, text=True).stdout
        self.hosts = [line.split()[:2] for line in listing.splitlines()]
        key = subprocess.run([options.hosts_tool, "key"], check=True, capture_output=True, text=True).stdout.strip()
        self.key = key
        self.ssh_options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
        self.ssh_options += ["-o", "LogLevel=ERROR"]
        if options.kex != "default":
            self.ssh_options += ["-o", f"KexAlgorithms={options.kex}"]
        self.inventory = self.folder / "hosts.ini"
        self.inventory.write_text(self._inventory())

    def _inventory(self):
        lines = ["[hosts]", *(f"{name} ansible_host={address}" for name, address in self.hosts), "", "[hosts:vars]"]
        lines += ["ansible_user=root", f"ansible_ssh_private_key_file={self.key}"]
        lines += [f"ansible_ssh_common_args='{' '.join(self.ssh_options)}'", "ansible_python_interpreter=/usr/bin/python3"]
        return "\n".join(lines) + "\n"

    def time(self, command, env=None, stdin="", watch=None):
        """Runs `command` to its end: (seconds, peak resident KiB of its largest process, its output).

        Each run has an empty home. `watch(pid)` is called again and again while it runs.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as home, tempfile.TemporaryFile() as output:
            environment = {"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", **(env or {})}
            given = tempfile.TemporaryFile()
            given.write(stdin.encode())
            given.seek(0)
            start = time.monotonic()
            child = subprocess.Popen(command, env=environment, stdin=given, stdout=output, stderr=output, cwd=self.folder)
            if watch:
                while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
                    watch(child.pid)
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.monotonic() - start
            child.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            text = output.read().decode(errors="replace")
        if child.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: exit status {child.returncode}\n{text[-3000:]}")
        return seconds, usage.ru_maxrss, text


class Ssh:
    """`ssh host true` on all hosts: what setting up the connections costs alone."""

    name = "ssh"

    def __init__(self, bench):
        self.bench = bench

    def connect(self, hosts):
        """Connects to the first `hosts` hosts, as many at a time as there are forks."""
        options = [*self.bench.ssh_options, "-i", self.bench.key, "-o", "ControlPath=none", "-l", "root"]
        command = ["xargs", "-P", str(self.bench.options.forks), "-I", "{}", "ssh", "-n", *options, "{}", "true"]
        return self.bench.time(command, stdin="".join(f"{address}\n" for _, address in self.bench.hosts[:hosts]))[:2]


class Rustle:
    """rustle-exec, with a plan."""

    name = "rustle-exec"

    def __init__(self, bench):
        self.bench = bench
        self.program = bench.options.rustle_exec

    def version(self):
        return subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout.strip()

    def forget(self):
        """Removes the agents that the hosts keep."""
        for name, _ in self.bench.hosts:
            line = "rm -rf /root/.cache/rustle /root/.ansible /var/tmp/*rustle* /tmp/*rustle* /dev/shm/*rustle*"
            subprocess.run([self.bench.options.hosts_tool, "on", name, "sh", "-c", line], check=True)

    def run(self, work, folder, watch=None):
        """Does the work: (seconds, KiB, changes of all hosts)."""
        report = self.bench.folder / "report.json"
        command = [self.program, f"{work}.json", "-i", self.bench.inventory, "--forks", str(self.bench.options.forks)]
        command += ["-e", f"work={folder}", "--progress", "none", "--report-file", report]
        seconds, memory, _ = self.bench.time(command, watch=watch)
        stats = json.loads(report.read_text())["stats"]
        return seconds, memory, sum(host["changed"] for host in stats.values())


class Ansible:
    """ansible-playbook as its manual says that it is fastest: pipelining, persistent connections, many forks."""

    name = "ansible"

    def __init__(self, bench):
        self.bench = bench
        self.program = bench.options.ansible_playbook

    def version(self):
        output = subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout
        return output.splitlines()[0] if output else ""

    def run(self, work, folder):
        """Does the work: (seconds, KiB, changes of all hosts)."""
        sockets = tempfile.mkdtemp(prefix="cp-", dir="/tmp")
        environment = {
            "ANSIBLE_FORKS": str(self.bench.options.forks),
            "ANSIBLE_GATHERING": "explicit",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
        }
        command = [self.program, "-i", self.bench.inventory, "-e", f"work={folder}", f"{work}.yml"]
        try:
            seconds, memory, output = self.bench.time(command, env=environment)
        finally:
            self._close(sockets)
        return seconds, memory, sum(map(int, re.findall(r"\bok=\d+ +changed=(\d+)", output)))

    @staticmethod
    def _close(sockets):
        """Ends the connections that would persist, so that the next run's are fresh."""
        for socket in os.listdir(sockets):
            command = ["ssh", "-F", "none", "-o", f"ControlPath={sockets}/{socket}", "-O", "exit", "any"]
            subprocess.run(command, capture_output=True)
        shutil.rmtree(sockets, ignore_errors=True)
