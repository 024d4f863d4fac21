# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""The transport server among the examples, the other side of its connections, and what the server is charged."""
import json
import os
import select
import signal
import socket
import subprocess
import time

from harness import BUILD, Failed, cgroup_of, check, keyed, read, wait_until, write

SERVER = os.environ.get("CONNECTIONS_SERVER") or os.path.join(BUILD, "user", "lib", "examples", "connections")
LOAD = os.path.join(BUILD, "tests", "bench", "connections_load")
CLASS = """
[class connections]
max_heap = 3GB
max_bin_heap = 2GB
hibernate_threshold = 0.9
swap_max = 0
"""
ANSWER_S = 900


def line_of(process, seconds, what):
    """One line of its output; it says why when it dies instead."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([process.stdout], [], [], 1)[0]:
            line = process.stdout.readline()
            check(line, what, process.poll(), process.stderr.read() if process.stderr and process.poll() is not None else "")
            return line
    raise Failed("not within %d s: %s" % (seconds, what))


class Server:
    """guard: the daemon it runs under, as a worker of class connections; None: started as it is."""

    def __init__(self, path, guard=None, options=(), name="transport"):
        self.path, self.guard, self.name = path, guard, name
        command = ["--tcp", "127.0.0.1:0", "--unix", path] + list(options)
        if guard:
            self.process = guard.run("connections", name, SERVER, *command)
        else:
            self.process = subprocess.Popen([SERVER] + command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.tcp = ""
        words = line_of(self.process, 120, "the server is ready").split()
        while words[0] != "ready:":  # written at once
            if words[0] == "tcp":
                self.tcp = words[1]
            words = self.process.stdout.readline().split()
        self.cgroup = cgroup_of(guard.placed(name)) if guard else ""
        if guard:
            pids = read(self.cgroup + "/cgroup.procs").split()
            self.pid = next(int(p) for p in pids if os.path.basename(os.readlink("/proc/%s/exe" % p)) == "connections")
        else:
            self.pid = self.process.pid

    def ask(self, *lines):
        """What it answers to these lines, on a connection of their own."""
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(60)
        s.connect(self.path)
        data = b""
        try:
            s.sendall(b"".join(x if isinstance(x, bytes) else (json.dumps(dict(x, jsonrpc="2.0")) + "\n").encode() for x in lines))
            s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):  # refused: what it was told is there
            pass
        try:
            while True:
                part = s.recv(65536)
                if not part:
                    break
                data += part
        except ConnectionResetError:  # refused with something of ours unread
            pass
        s.close()
        return [json.loads(x) for x in data.splitlines()]

    def stats(self):
        return self.ask({"id": 1, "method": "stats"})[0]["result"]

    def charged(self):
        """Bytes: of its cgroup, kernel and sockets included; without one (native) its resident set. Read until it stands still."""
        def one():
            if not self.cgroup:
                status = dict(x.split(":", 1) for x in read("/proc/%d/status" % self.pid).splitlines())
                return {"current": int(status["RssAnon"].split()[0]) * 1024}
            out = {k: v for k, v in keyed(read(self.cgroup + "/memory.stat")).items() if k in ("anon", "file", "sock", "kernel", "slab")}
            return dict(out, current=int(read(self.cgroup + "/memory.current")), peak=int(read(self.cgroup + "/memory.peak") or 0))
        seen = []

        def still():  # for two seconds: after one, idle buffers give their memory back
            seen.append(one())
            last = [x["current"] for x in seen[-20:]]
            return len(last) == 20 and max(last) - min(last) <= max(65536, last[-1] // 2000) and seen[-1]
        return wait_until(still, 60, "its memory stands still", every=0.1)

    def freeze(self, on):
        """Stopped, it reads nothing: what is sent to it lies in the kernel."""
        os.kill(self.pid, signal.SIGSTOP if on else signal.SIGCONT)

    def end(self):
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGCONT)
            os.kill(self.pid, signal.SIGTERM)
        return self.process.wait(120)


def sockets():
    """What all sockets of TCP hold in this machine, both ends."""
    line = next((x.split() for x in read("/proc/net/sockstat").splitlines() if x.startswith("TCP:")), [])
    return int(line[line.index("mem") + 1]) * 4096 if line else 0


class Load:
    """Its other side, in a cgroup of its own where there is one, so that only what is the server's is charged to the server."""

    def __init__(self, *ways, cgroup=""):
        self.process = subprocess.Popen([LOAD] + list(ways), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.cgroup = cgroup
        if cgroup:
            os.makedirs(cgroup, exist_ok=True)
            write(cgroup + "/cgroup.procs", str(self.process.pid))

    def do(self, *command):
        self.process.stdin.write(" ".join(str(c) for c in command) + "\n")
        self.process.stdin.flush()
        return json.loads(line_of(self.process, ANSWER_S, " ".join(str(c) for c in command)))

    def charged(self):
        return int(read(self.cgroup + "/memory.current") or 0) if self.cgroup else 0

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        if self.cgroup:
            wait_until(lambda: not read(self.cgroup + "/cgroup.procs"), 20, "it is gone")
            os.rmdir(self.cgroup)
