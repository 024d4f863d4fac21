# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""What memweir top costs: the program itself, the daemon for it, and the terminal."""
import fcntl
import json
import os
import pty
import select
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time

from harness import MEMWEIR, read
from measuring import Daemon, Idlers, median, result

COLUMNS = ["cgroup_id", "usage_bytes", "heap_bytes", "bin_bytes", "high_bytes", "max_bytes", "percent", "level", "verdict", "stalled_ns", "flags"]


def cpu_ns(pid):
    return sum(int(read("/proc/%d/task/%s/schedstat" % (pid, tid)).split()[0]) for tid in os.listdir("/proc/%d/task" % pid))


class Screen:
    """memweir top on a terminal of 80 by 24, which is read as fast as it writes."""

    def __init__(self, path):
        self.master, slave = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen([MEMWEIR, "--socket", path, "top"], stdin=slave, stdout=slave, stderr=slave,
                                        env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
        os.close(slave)

    def read(self, seconds):
        """Bytes written in that time."""
        end, n = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            if select.select([self.master], [], [], end - time.monotonic() if end > time.monotonic() else 0)[0]:
                n += len(os.read(self.master, 65536))
        return n

    def measure(self, seconds):
        """Its share of a core in percent, and bytes a second."""
        before, began = cpu_ns(self.process.pid), time.monotonic()
        n = self.read(seconds)
        took = time.monotonic() - began
        return (cpu_ns(self.process.pid) - before) / 1e7 / took, n / took

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def answer(connection, n, doc):
    """One request: the list of workers, or each second all of their rows, each with other figures."""
    request = connection.recv(65536).decode().split()
    if request[1] != "/v1/live":
        listed = request[1].startswith("/v1/workers") and "/" not in request[1][12:]
        text = json.dumps(doc if listed else {"status": "ok"}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        return connection.close()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    tick = 0
    try:
        while True:
            rows = [[i + 1, 20000000 + (i * 7919 + tick * 104729) % 20000000, 19000000, 0, 42500000, 50000000, 40 + (i + tick) % 50, 0, 0, tick * 1000, 0] for i in range(n)]
            event = {"t": int(time.time() * 1000), "full": True, "columns": COLUMNS, "levels": ["ok"], "verdicts": ["steady"], "rows": rows, "gone": []}
            connection.sendall(("event: workers\ndata: %s\n\n" % json.dumps(event, separators=(",", ":"))).encode())
            tick += 1
            time.sleep(1)
    except OSError:
        connection.close()


def serve(listener, n):
    doc = {"workers": [{"name": "worker%d" % i, "class": "tool", "cgroup_id": i + 1} for i in range(n)]}
    while True:
        try:
            connection = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=answer, args=(connection, n, doc), daemon=True).start()


def changing(n, seconds):
    """All workers change each second: a server of our own says so, a daemon's measurement would be of its workers."""
    with tempfile.TemporaryDirectory() as folder:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(folder + "/s")
        listener.listen(16)
        threading.Thread(target=serve, args=(listener, n), daemon=True).start()
        with Screen(folder + "/s") as s:
            s.read(3)
            share, written = s.measure(seconds)
        listener.close()
    yield result("top: CPU, %d workers that all change each second" % n, "%.2f %%" % share, "", None, "≤ 2 % of a core", share <= 2, 1,
                 "%.0f bytes a second to the terminal; over %d s" % (written, seconds))


def share_of(pid, seconds, work):
    """What it had of a core meanwhile, in percent; and what work gave."""
    before, began = cpu_ns(pid), time.monotonic()
    found = work(seconds)
    return (cpu_ns(pid) - before) / 1e7 / (time.monotonic() - began), found


def top(n=1000, seconds=30, rounds=5):
    """The daemon with and without it in turns: what else it does varies more than that."""
    shares, written, beside, without = [], [], [], []
    with Daemon() as d, Idlers(d) as idlers:
        idlers.grow(n)
        time.sleep(6)
        pid = d.daemon_pid()
        for _ in range(rounds):
            without.append(share_of(pid, seconds / 3, time.sleep)[0])
            with Screen(d.socket) as s:
                s.read(3)
                used, (share, each) = share_of(pid, seconds / 3, s.measure)
            beside.append(used)
            shares.append(share)
            written.append(each)
    more = [b - w for b, w in zip(beside, without)]
    yield result("top: CPU, %d idle workers" % n, "%.2f %%" % median(shares), "", None, "≤ 2 % of a core", median(shares) <= 2, rounds,
                 "%.0f bytes a second to the terminal; the daemon %.2f %%, without top %.2f %%, differences %.2f to %.2f; over %d s each" % (
                     median(written), median(beside), median(without), min(more), max(more), seconds / 3))
    yield from changing(n, seconds)
