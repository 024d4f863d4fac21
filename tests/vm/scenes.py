# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Cases for whoever attaches what already runs: somebody of an engine is attached by some name, things happen, he is let go.

    ENGINES["docker"] = engines.Docker(), "systemd"    # who writes the limits there
    TESTS = [case("docker", "name", [daemon_reload, update]), guilty("docker")]
    main(TESTS, "title")

Beside each engine's guest stands an innocent one, which must be as it was after every case."""
import os
import signal
import sys
import time

import engines
import mcp
from engines import sh
from harness import MB, WORKERS, Guard, check, read, run_all, wait_until

CG = "/sys/fs/cgroup"
CONFIG = """[monitor]
check_interval = 500ms
sample_interval = 200ms
[class tool]
swap_max = 0
[class mcp]
max_heap = 200MB
hibernate_threshold = 0.9
"""
FILES = ("max", "high", "low", "swap.max")
OURS = [str(n // 4096 * 4096) for n in (50 * MB, 42500000, 5 * MB)] + ["0"]
MCP = [str(n // 4096 * 4096) for n in (200 * MB, 180 * MB, 20 * MB, 200 * MB)]
LOOSER = 200 << 20
g = Guard("/run/mwt-attach", CONFIG)
ENGINES = {}  # by kind: the engine, and who writes the limits of its containers
staged = {}


def up(engine):
    """Its daemons run, if it has any."""
    first = engine not in engines.live
    parts = [p for p in (getattr(engine, "containerd", None), engine) if hasattr(p, "service")]
    if first or [p for p in parts if not p.service.pid]:
        engine.start()


class Scene:
    """Of one engine: who is attached in case after case, and who must notice nothing of it."""

    def __init__(self, kind):
        self.kind = kind
        self.engine, self.owner = ENGINES[kind]
        up(self.engine)
        self.innocent = self.engine.run("innocent-" + kind)
        self.before = files(self.innocent), self.innocent.pid
        self.guest = None

    def container(self):
        if not self.guest or not self.guest.pid:
            if self.guest:
                self.guest.remove()
            up(self.engine)
            self.guest = self.engine.run("guest-" + self.kind)
            self.created = files(self.guest)
        return self.guest

    def untouched(self):
        check((files(self.innocent), self.innocent.pid) == self.before, "the innocent one is as it was", files(self.innocent), self.before)


def scene(kind):
    if kind not in staged:
        staged[kind] = Scene(kind)
    return staged[kind]


def files(c):
    return [read("%s/memory.%s" % (c.dir, f)).strip() for f in FILES]


def stand(c, limits, what):
    wait_until(lambda: files(c) == limits, 60, "%s: %s has %s, expected %s" % (what, c.dir, files(c), limits))


def named(c, how):
    """What is typed to attach it."""
    if isinstance(c, engines.Unit):
        return {"name": ["--unit", c.unit], "id": ["--unit", c.unit[:-len(".service")]], "pid": ["--pid", str(c.pid)], "path": ["--cgroup", c.cgroup]}[how]
    prefix = c.id[:12] if len(c.id) > 12 else c.id
    return {"name": ["--container", c.name], "id": ["--container", prefix], "pid": ["--pid", str(c.pid)], "path": ["--cgroup", CG + c.cgroup]}[how]


def worker_of(c):
    if not c.pid:
        return None
    for w in g.workers():
        if w["cgroup"] == c.cgroup:
            return w
    return None


def daemon_reload(s, c, limits):
    sh("systemctl", "daemon-reload")
    return limits


def engine_restarted(s, c, limits):
    s.engine.stop()
    up(s.engine)
    return limits


def engine_dead(s, c, limits):
    s.engine.kill()
    return limits


def engine_back(s, c, limits):
    up(s.engine)
    return limits


def update(s, c, limits):
    """Looser: it is put back. In the kubelet's nothing is ours."""
    time.sleep(1.2)  # what we have just written ourselves is not looked at for a second
    seen = worker_of(c)["conflicts"]["count"]
    c.update(LOOSER)
    if s.owner == "foreign":
        return [str(LOOSER)] + limits[1:]
    wait_until(lambda: worker_of(c)["conflicts"]["count"] > seen, 60, "the change is seen")
    found = worker_of(c)["conflicts"]
    check(found["by"] in ("systemd", "runc", "crun"), "and who it was", found)
    s.theirs[0] = str(LOOSER)
    s.updated = True
    return limits


def guard_killed(s, c, limits):
    old = g.daemon_pid()
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: g.daemon_pid() not in (0, old) and g.answers(), 120, "another daemon answers")
    check(worker_of(c), "it knows the worker")
    return limits


def gone(s, c, name):
    wait_until(lambda: not [w for w in g.workers() if w["name"] == name], 60, "its worker has ended")


def killed(s, c, limits):
    name = worker_of(c)["name"]
    c.kill()
    gone(s, c, name)
    return None


def restarted(s, c, limits):
    """Another cgroup: nothing of ours is left on it. Docker remembers an update, podman 4.3 does not."""
    name = worker_of(c)["name"]
    up(s.engine)
    c.restart()
    gone(s, c, name)
    wait_until(lambda: all(f in either for f, *either in zip(files(c), s.theirs, s.created)), 60,
               "%s after its restart: %s, expected %s or %s" % (c.dir, files(c), s.theirs, s.created))
    return None


def attach(s, c, how):
    r = g.mw("attach", "--class", "tool", *named(c, how))
    check(r.status == 0, "attach " + " ".join(named(c, how)), r)
    w = worker_of(c)
    check(w and w["owner"] == s.owner and w["pids"] >= 1, "under guard", w, c.cgroup)
    if s.engine.name:
        found = w.get("container", {})
        check(found.get("name") == c.name and found.get("engine") == s.engine.name, "reports know the container", found)
        check(w["name"].startswith(c.name), "named after it", w["name"])
        check(s.engine.name + ":" + c.name in g.mw("ps").out, "ps shows it", g.mw("ps").out)
    return w


def case(kind, how, events):
    def run():
        s = scene(kind)
        c = s.container()
        s.theirs, s.updated = files(c), False
        w = attach(s, c, how)
        try:
            go(s, c, w)
        finally:  # the next case begins anew
            if worker_of(c):
                g.mw("detach", w["name"])
        s.untouched()

    def go(s, c, w):
        limits = s.theirs if s.owner == "foreign" else OURS
        stand(c, limits, "attached")
        for event in events:
            limits = event(s, c, limits)
            if limits is None:
                break
            stand(c, limits, event.__name__)
        if limits is not None:
            before = limits if s.owner == "foreign" else s.theirs
            check(g.mw("detach", w["name"]).status == 0, "detached")
            if s.updated:  # an engine may have set swap with it, which is theirs as well
                before = [before[0]] + before[1:3] + [files(c)[3]]
            stand(c, before, "detached")
        check(not os.path.exists(g.run_dir + "/workers/%s.json" % w["name"]), "no state is left")
    run.__doc__ = "%s by %s: %s" % (kind, how, ", ".join(e.__name__ for e in events).replace("_", " "))
    run.__name__ = "%s_%s_%s" % (kind, how, "_".join(e.__name__ for e in events))
    return run


def guilty(kind):
    def run():
        s = scene(kind)
        up(s.engine)
        c = s.engine.run("guilty-" + kind, s.engine.tools + "/leak", "262144", "20", host=True)
        pid = c.pid
        check(g.mw("attach", "--class", "tool", "--container", c.name).status == 0, "attached")
        name = "guilty-" + kind
        if s.owner == "foreign":
            check(files(c)[:2] == ["max", "max"], "nothing is written", files(c))
            wait_until(lambda: (g.worker(name) or {}).get("usage_bytes", 0) > 60 * MB, 120, "but it is watched")
            c.kill()
        c.ended(pid)
        reason = None if s.owner == "foreign" else "heap_size"
        i = wait_until(lambda: g.incidents(name, reason), 60, "an incident")
        check(i[-1].get("container", {}).get("name") == name, "which container", i[-1])
        s.untouched()
        c.remove()
    run.__doc__ = "%s: a guilty one is killed at its limit, alone, and its incident names the container" % kind
    run.__name__ = kind + "_guilty"
    return run


def leaks_beside(s, client, work):
    """A leaking program in a container of the same engine, under guard, to its end; the server works meanwhile."""
    name = "leaking-" + s.kind
    leak = s.engine.run(name, WORKERS + "/leak", "196608", "20", host=True)
    pid = leak.pid
    check(g.mw("attach", "--class", "tool", "--container", name).status == 0, "attached")
    stand(leak, OURS, "guilty")
    while os.path.exists("/proc/%d" % pid):
        work.use(client)
    i = wait_until(lambda: g.incidents(name, "heap_size"), 60, "an incident")[-1]
    found = i["container"]
    check(found["engine"] == s.engine.name and found["name"] == name and found["image"].endswith(engines.IMAGE), "which container of what", found)
    limit, by = i["limit_bytes"], i["killed_by"]  # as the class says, or as the kernel rounded it
    check(limit in (50 * MB, int(OURS[0])) and by == "kernel (memory.max)", "at its limit", limit, by)
    asleep = i["pauses"]["high-throttle"]["total_ns"]
    check(g.logged("worker %s (tool) memory.high of 42.5 MB lifted" % name) and asleep < 1e9, "without seconds of sleep before that", asleep)
    leak.remove()


def hibernates(c, w, client, work):
    before = int(c.memory("current"))
    r = g.mw("hibernate", w["name"])
    after = int(c.memory("current"))
    check(r.status == 0 and after < before, "hibernated", r, before, after)
    began = time.monotonic()
    work.use(client)
    print("# %s: %.1f MB hibernated to %.1f MB, first answer after %.0f ms" %
          (c.name, before / MB, after / MB, (time.monotonic() - began) * 1000))


def real(kind, work):
    def run():
        s = scene(kind)
        up(s.engine)
        c = s.engine.talk("mcp-" + work.server, *mcp.command(work.server), env=work.env, host=True)
        client, pid, s.theirs = mcp.Mcp(c.client), c.pid, files(c)
        check(work.server in client.initialize()["name"], "who it is")
        work.fill(client)
        r = g.mw("attach", "--class", "mcp", "--container", c.name)
        check(r.status == 0, "attached", r)
        w = worker_of(c)
        check(w["owner"] == s.owner and w["container"]["image"].endswith(engines.IMAGE), "under guard", w)
        stand(c, MCP, "attached")
        work.use(client)
        before = c.memory("events")
        leaks_beside(s, client, work)
        check(c.pid == pid and c.memory("events") == before, "nothing befell the innocent one", c.pid, pid, c.memory("events"), before)
        stand(c, MCP, "beside the guilty one")
        hibernates(c, w, client, work)
        check(g.mw("detach", w["name"]).status == 0, "detached")
        stand(c, s.theirs, "detached")
        work.use(client)
        check(c.pid == pid, "the same process all the time")
        c.remove()
        s.untouched()
    run.__doc__ = "%s: a real MCP server works under guard beside a program that leaks to its end, and after it was hibernated" % kind
    run.__name__ = kind + "_real_mcp"
    return run


def test_start():
    """the guard starts"""
    g.start()


def test_nothing_left():
    """stopped and unloaded: no drop-in, no pin, no state of ours"""
    check(g.stop() == 0, "stops")
    r = sh(os.path.join(os.path.dirname(WORKERS), "..", "memweir"), "daemon", "--unload", *g.arguments())
    check(not os.path.exists("/sys/fs/bpf/memweir"), "no pin", r)
    control = "/run/systemd/system.control"
    left = [(d, f) for d in (os.listdir(control) if os.path.isdir(control) else []) for f in os.listdir(control + "/" + d) if "guest" in d]
    theirs = ("guest-service.service.d", "50-MemoryMax.conf")  # of the update, which is set-property there
    check(set(left) <= {theirs}, "no drop-in of ours", left)
    for kind in staged:
        staged[kind].untouched()


def main(cases, title):
    if not os.path.isdir("/run/systemd/system"):
        print("1..0 # SKIP systemd is not PID 1 here")
        sys.exit(77)
    words = sys.argv[1:]
    try:
        chosen = [t for t in cases if not words or any(w in t.__name__ for w in words)]
        run_all([test_start] + chosen + [test_nothing_left], "%s %s" % (title, os.uname().release))
    finally:
        g.print_log(60)
        engines.clean()
