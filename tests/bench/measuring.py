# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""What the rows of tests/bench/rows share: programs that measure, a daemon, workers, cgroups, results."""
import http.client
import json
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "vm"))
from harness import BUILD, MEMWEIR, Guard, check, read, wait_until, write

BENCH = os.path.join(BUILD, "tests", "bench")
CG = "/sys/fs/cgroup"
VM = "cgroup_no_v1=all" in read("/proc/cmdline")
BASE = "/tmp/memweir-bench"
median = statistics.median
tail = []  # of the last daemon's log, for a row that could not be measured

CONFIG = """
[class bench]
max_heap = 200MB
max_bin_heap = 100MB
[class burst]
max_heap = 60MB
hibernate_threshold = 0.4
max_bin_heap = 30MB
swap_max = 0
thp = on
"""
FAST = "[monitor]\nsample_interval = 50ms\n"


def tool(*args, seconds=300):
    r = subprocess.run([os.path.join(BENCH, args[0])] + [str(a) for a in args[1:]], capture_output=True, text=True, timeout=seconds)
    check(r.returncode == 0, args[0] + " works", r.returncode, r.stderr[-500:])
    return r.stdout


def result(what, ours, theirs="", ratio=None, goal="", met=None, n=None, note=""):
    return {"what": what, "ours": ours, "theirs": theirs, "ratio": ratio, "goal": goal, "met": met, "n": n, "note": note}


def cheaper(what, ours, theirs, unit, least, n, note=""):
    """How many times less ours costs than theirs; goal: at least so many."""
    ratio = theirs[1] / ours[1]
    return result(what, "%s %.4g %s" % (ours[0], ours[1], unit), "%s %.4g %s" % (theirs[0], theirs[1], unit), ratio,
                  "≥ %g×" % least, ratio >= least, n, note)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class Daemon(Guard):
    """One for a row: started with nothing left of earlier ones, taken away afterwards."""

    def __init__(self, config="", options=(), keeper=True):
        shutil.rmtree(BASE, ignore_errors=True)
        super().__init__(BASE, CONFIG + config, options, root=None if VM and not os.path.exists("/run/systemd/system") else "memweir-bench")
        self.keeper = keeper

    def __enter__(self):
        command = [MEMWEIR, "daemon"] if self.keeper else [MEMWEIR + "-daemon"]
        end = time.monotonic() + 120
        while True:  # natively another daemon may hold the pins for a while: one at a time
            log = open(self.log, "w")
            self.process = subprocess.Popen(command + self.arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            wait_until(lambda: self.answers() or self.process.poll() is not None, 60, "daemon answers")
            if self.process.poll() is None:
                return self
            check("in use" in read(self.log) or "ring has one reader" in read(self.log), "daemon runs", read(self.log)[-2000:])
            check(time.monotonic() < end, "nobody else holds the pins for two minutes", read(self.log)[-500:])
            time.sleep(2)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.clean()
            self.stop()
        tail.append(read(self.log)[-1500:])
        subprocess.run([MEMWEIR, "daemon", "--unload"] + self.arguments(), capture_output=True, timeout=60)

    def call(self, method, path, body=None):
        c = UnixConnection(self.socket)
        c.request(method, path, json.dumps(body) if body is not None else None)
        answer = c.getresponse()
        doc = json.loads(answer.read())
        c.close()
        check(answer.status < 300, method + " " + path, answer.status, doc)
        return doc

    def one(self, name):
        return self.call("GET", "/v1/workers/" + name)["workers"][0]

    def pauses(self, name, kind):
        w = next(w for w in self.call("GET", "/v1/report/pauses")["workers"] if w["name"] == name)
        check(kind in w["kinds"], "pauses of kind %s are counted" % kind, list(w["kinds"]))
        return w["kinds"][kind]

    def clean(self):  # by one write each, not by one process each
        for p in self.children:
            p.kill()
            p.wait()
        self.children = []


class Idlers:
    """Idle workers, n of them: placed as `run` does it, without a process of its own for each."""

    def __init__(self, guard):
        self.guard, self.groups, self.count = guard, [], 0

    def grow(self, n):
        p = subprocess.Popen([BENCH + "/sleepers", str(n - self.count)], stdout=subprocess.PIPE, text=True)
        self.groups.append(p)
        for i in range(self.count, n):
            pid = int(p.stdout.readline())
            place = self.guard.call("POST", "/v1/workers", {"class": "tool", "name": "idle%d" % i, "command": "sleeper"})
            write(place["cgroup_path"] + "/cgroup.procs", str(pid))
            self.guard.call("POST", "/v1/workers/idle%d/started" % i, {"pid": pid})
        self.count = n

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """All die at once; the guard goes on and clears up behind them."""
        pid = self.guard.daemon_pid()
        for p in self.groups:
            p.kill()
            p.wait()
        wait_until(lambda: self.guard.call("GET", "/healthz")["workers"] == 0, 120, "the idle workers' end is seen")
        check(self.guard.daemon_pid() == pid, "the daemon outlives the end of %d workers at once" % self.count, pid, self.guard.daemon_pid())


class Cgroup:
    """One of our own making, outside memweir; levels below the root."""

    def __init__(self, name, levels=1, **limits):
        self.made = []
        self.path = CG
        for part in ["bench-" + name] + ["below"] * (levels - 1):
            write(self.path + "/cgroup.subtree_control", "+memory")
            self.path += "/" + part
            os.mkdir(self.path)
            self.made.append(self.path)
        for key, value in limits.items():
            write(self.path + "/memory." + key, str(value))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        write(self.made[0] + "/cgroup.kill", "1")

        def gone():
            try:
                while self.made:
                    os.rmdir(self.made[-1])
                    self.made.pop()
            except OSError:
                return False
            return True
        wait_until(gone, 30, "%s is empty" % self.path)

    def start(self, *cmd):
        return subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: write(self.path + "/cgroup.procs", "0"))


def ask(p, text="go"):
    p.stdin.write(text + "\n")
    p.stdin.flush()
    return p.stdout.readline().strip()


def ready(p):
    line = p.stdout.readline().strip()
    check(line == "ready", "worker is ready", line)
    return p


def spawned(rounds, *commands, seconds=600):
    """commands: (cgroup or "-", argv...). Wall and CPU milliseconds of each, a list a command."""
    args = [str(rounds)]
    for c in commands:
        args += [":::"] + list(c)
    out = [[int(x) for x in line.split()] for line in tool("spawn", *args, seconds=seconds).splitlines()]
    column = lambda i, at: [row[at] / 1e6 for row in out if row[0] == i]
    return [(column(i, 1), column(i, 2)) for i in range(len(commands))]


def median_between(values):
    """Bounds of the median, 95 % sure, whatever the distribution: the order statistics of a sign test."""
    s, n = sorted(values), len(values)
    k, tail_p = 0, 0.5 ** n
    while tail_p + math.comb(n, k + 1) * 0.5 ** n <= 0.025:
        k += 1
        tail_p += math.comb(n, k) * 0.5 ** n
    return s[k], s[n - 1 - k]
