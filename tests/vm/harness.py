# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""What the integration tests share: TAP, a daemon of their own, the command line, conditions with deadlines."""
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(PROJECT, ".build")
MEMWEIR = os.path.join(BUILD, "memweir")
WORKERS = os.path.join(BUILD, "tests", "workers")
MB = 1000 * 1000


class Skip(Exception):
    pass


class Failed(Exception):
    pass


def check(condition, what, *found):
    if not condition:
        raise Failed(what + ("" if not found else ": found " + ", ".join(repr(f) for f in found)))


# A deadline is no expectation: only what hangs meets it, also on a machine that many share. Short ones are meant.
PATIENCE = 3
MEANT_S = 5


def wait_until(condition, seconds, what, every=0.02):
    """The condition's first true value; the deadline is generous because emulated machines are slow."""
    end = time.monotonic() + seconds * (PATIENCE if seconds >= MEANT_S else 1)
    value = None
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise Failed("not within %g s: %s (last: %r)" % (seconds, what, value))


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def keyed(text):
    return {k: int(v) for k, v in (line.split() for line in text.splitlines() if len(line.split()) == 2)}


def parent_of(pid):
    """0: there is no such process."""
    return int(next((line.split()[1] for line in read("/proc/%d/status" % pid).splitlines() if line.startswith("PPid:")), 0))


def swap_total():
    return keyed(read("/proc/meminfo").replace(":", "").replace(" kB", "")).get("SwapTotal", 0)


class Result:
    def __init__(self, p):
        self.status, self.out, self.err = p.returncode, p.stdout, p.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return "status %d, stdout %r, stderr %r" % (self.status, self.out[-600:], self.err[-600:])


def mount_point():
    """Where cgroup v2 is; "": nowhere."""
    return next((line.split()[4] for line in read("/proc/self/mountinfo").splitlines() if " - cgroup2 " in line), "")


class Guard:
    """A daemon with directories of its own, and the command line that talks to it."""

    def __init__(self, base, config="", options=(), root=None):
        self.base, self.options, self.root = base, list(options), root
        os.makedirs(base, exist_ok=True)
        self.run_dir, self.state_dir = base + "/run", base + "/state"
        self.conf, self.log = base + "/memweir.conf", base + "/log"
        write(self.conf, config)
        self.process = None
        self.children = []

    @property
    def socket(self):
        return self.run_dir + "/memweir.sock"

    def arguments(self):
        out = ["--config", self.conf, "--run-dir", self.run_dir, "--state-dir", self.state_dir]
        if self.root:
            out += ["--root", self.root]
        return out + self.options

    def start(self, ready=True):
        log = open(self.log, "a")
        self.process = subprocess.Popen([MEMWEIR, "daemon"] + self.arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if ready:
            wait_until(lambda: self.answers() or self.process.poll() is not None, 60, "daemon answers: " + read(self.log)[-2000:])
            pid = self.daemon_pid()
            check(self.process.poll() is None, "daemon runs", read(self.log)[-2000:])
            check(parent_of(pid) == self.process.pid, "it is the daemon we started, not one that was left", pid, self.process.pid, read(self.log)[-2000:])
        return self

    def answers(self):
        try:
            return self.http("GET", "/healthz")[0] in (200, 503)
        except (OSError, ValueError, IndexError):  # or it died in the middle of its answer
            return False

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(30 * PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise Failed("daemon did not stop within %d s: " % (30 * PATIENCE) + read(self.log)[-1000:])
        return self.process.returncode if self.process else None

    def kill(self):
        """Keeper and daemon, so that neither has time to replace the other. Not the daemon stopped and its keeper killed:
        the kernel continues a stopped process when its parent's death makes its process group an orphan."""
        keeper, daemon = self.process.pid, self.daemon_pid()
        os.kill(keeper, signal.SIGSTOP)
        os.kill(daemon, signal.SIGKILL)
        os.kill(keeper, signal.SIGKILL)
        self.process.wait(20)
        wait_until(lambda: not os.path.exists("/proc/%d" % daemon) or "\nState:\tZ" in read("/proc/%d/status" % daemon), 20, "the daemon is dead")

    def remove_root(self):
        """Its cgroups in which nobody is, on a host that goes on after the tests."""
        top = mount_point()
        for path, _, _ in os.walk(top and os.path.join(top, self.root), topdown=False):
            try:
                os.rmdir(path)
            except OSError as e:
                print("# %s" % e)

    def mw(self, *args, timeout=60, stdin=None):
        return Result(subprocess.run([MEMWEIR, "--socket", self.socket] + list(args), capture_output=True, text=True,
                                     timeout=timeout, input=stdin))

    def http(self, method, path, body=None):
        """The control interface without the command line: (status, document)."""
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.socket)  # before the timeout, which would have a full backlog refuse it
        s.settimeout(60)
        text = json.dumps(body) if body is not None else ""
        s.sendall(("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (method, path, len(text), text)).encode())
        data = b""
        while True:
            part = s.recv(65536)
            if not part:
                break
            data += part
        s.close()
        head, _, rest = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(rest)

    def ask(self, path):
        """A document, for questions that are asked again and again: the command line takes an emulated machine half a second."""
        for _ in range(20):
            status, doc = self.http("GET", path)
            if status != 503:
                break
            time.sleep(0.1)
        check(status == 200, "GET " + path, status, doc)
        return doc

    def workers(self):
        return self.ask("/v1/workers")["workers"]

    def run(self, cls, name, *cmd, options=(), **kw):
        """A worker in the background; its stdin and stdout are pipes."""
        p = subprocess.Popen([MEMWEIR, "--socket", self.socket, "run", "--require-guard", "--class", cls, "--name", name] + list(options) + ["--"] + list(cmd),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)
        self.children.append(p)
        return p

    def worker(self, name):
        return next((w for w in self.workers() if w["name"] == name), None)

    def placed(self, name, seconds=20):
        def there():
            w = self.worker(name) or {}
            return w.get("pids") and w
        return wait_until(there, seconds, "worker %s is there" % name)

    def sampled(self, name, seconds=20):
        """The worker as a sample shows it that was taken after this call: what was true by then is in its figures."""
        since = time.monotonic()

        def young():
            asked = time.monotonic()
            w = self.worker(name) or {}
            age = w.get("sample_age_ms")  # whole milliseconds, counted to an instant after asked
            return age is not None and (asked - since) * 1000 > age + 1 and w
        return wait_until(young, seconds, "worker %s is sampled" % name)

    def incidents(self, name, reason=None):
        r = self.ask("/v1/report/incidents")["incidents"]
        return [i for i in r if i["name"] == name and (reason is None or i["reason"] == reason)]

    def logged(self, text):
        return text in read(self.log)

    def says(self, text, seconds=10):
        """It is in the log, or soon will be: ps and the kernel know of a thing a moment before it is told."""
        try:
            return wait_until(lambda: self.logged(text), seconds, text)
        except Failed:
            return False

    def print_log(self, n=40):
        """What the daemon said of itself, and its log's end."""
        lines = read(self.log).splitlines()
        print("# --- the daemon's log: of itself, and its end ---")
        for line in [x for x in lines[:-n] if not x.startswith("memweir: worker ")][-100:] + lines[-n:]:
            print("# " + line)

    def daemon_pid(self):
        return int(read(self.run_dir + "/daemon.lock") or 0)

    def clean(self):
        for p in self.children:
            if p.poll() is None:
                p.kill()
            p.wait()
        self.children = []
        if not self.process or self.process.poll() is not None:
            return
        wait_until(self.answers, 60, "the daemon answers again")  # a test may have failed while its keeper started another
        for w in self.workers():
            self.mw("kill", w["name"])


def cgroup_of(w):
    return "/sys/fs/cgroup" + w["cgroup"]


def run_all(tests, title, clean=lambda: None):
    bad = 0
    print("TAP version 13\n# " + title, flush=True)
    for n, test in enumerate(tests, 1):
        name = (test.__doc__ or test.__name__).strip().splitlines()[0]
        began = time.monotonic()
        try:
            test()
            print("ok %d - %s" % (n, name), end="")
        except Skip as e:
            print("ok %d - %s # SKIP %s" % (n, name, e), end="")
        except Exception as e:  # a test that breaks has failed, the others go on
            bad += 1
            print("not ok %d - %s" % (n, name))
            where = "" if isinstance(e, Failed) else traceback.format_exc()
            for line in (str(e) + "\n" + where).strip().splitlines():
                print("  # " + line)
            print("  #", end="")
        print("  (%.1f s)" % (time.monotonic() - began), flush=True)
        try:  # what a failed test leaves must not fail the next one
            clean()
        except Exception as e:
            print("# clean: %s" % e)
    print("1..%d" % len(tests))
    sys.exit(1 if bad else 0)
