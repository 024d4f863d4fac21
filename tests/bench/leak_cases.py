# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""The programs `make bench-leaks` runs: guilty and innocent ones, each with what is drawn for it from its seed.

A guilty one would meet its limit within two to ten minutes (fast ones within half a minute), which stands for hours; an
innocent one's limit is about 1.25, 1.5 or 2 times its peak (leak_score judges its recording again with exactly that).
`site`: what names the guilty code; one of these is in a frame of the first site of a report that is right. Its kind: "line"
(our own program: the function), "library" (somebody else's: function or library that keeps it), "script" (an interpreter's
line, as its runtime notes it for who is sampled; else the script).
"""
import math
import os
import random
import shutil
import sys

import leak_loads as loads

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(PROJECT, ".build")
SOURCES = os.path.join(PROJECT, "tests", "workers", "leaks")
PROGRAMS = os.path.join(BUILD, "tests", "workers", "leaks")
MCP = os.path.join(BUILD, "npm", "node_modules", "@modelcontextprotocol")
NPM = os.path.join(BUILD, "leaks-npm")
MB = 1000 * 1000
INNOCENT_S = (400, 460)
LONGEST_S = 780
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)


class Plan:
    """One run: what to start, its limit, and what to expect."""

    def __init__(self, command, limit, seconds, site=(), kind="line", load=None, env=None, needs=()):
        self.command, self.limit, self.seconds = [str(c) for c in command], int(limit), seconds
        self.site, self.kind, self.load, self.env, self.needs = tuple(site), kind, load, env or {}, tuple(needs)


class Case:
    """vm: also in the few that run in an emulated machine. controller: only where the v2 memory controller counts what it takes."""

    def __init__(self, name, guilty, make, real=False, vm=False, controller=False):
        self.name, self.guilty, self.make, self.real, self.vm, self.controller = name, guilty, make, real, vm or controller, controller

    def plan(self, seed, place):
        return self.make(random.Random("%s/%d" % (self.name, seed)), place)


hurry = 1  # so many times sooner at its limit, or done: in an emulated machine


def log_uniform(r, low, high):
    return math.exp(r.uniform(math.log(low), math.log(high)))


def until_limit(r, low, high):
    """Seconds."""
    return log_uniform(r, low, high) / hurry


# --- guilty: C, C++

def guilty_c(kind, size, churn=(3, 10), time=(120, 480), limits=(32, 48, 64, 96), base=(0.1, 0.4), more=()):
    def make(r, place):
        limit = r.choice(limits) * MB
        start = r.uniform(*base) * limit
        n = int(log_uniform(r, *size))
        rate = (limit - start) / until_limit(r, *time)
        drawn = ["%s=%d" % (key, r.uniform(low, high) * (limit if key == "swing" else 1)) for key, low, high in more]
        return Plan([PROGRAMS + "/guilty", kind, "rate=%d" % rate, "size=%d" % n, "base=%d" % start, "churn=%d" % log_uniform(r, *churn)] + drawn,
                    limit, LONGEST_S, ["forget_"])
    return make


def slow_c(r, place):
    """1 MB a minute."""
    limit = r.choice((24, 28, 32)) * MB
    return Plan([PROGRAMS + "/guilty", "objects", "rate=%d" % (MB / 60), "size=%d" % log_uniform(r, 100, 4000), "base=%d" % (r.uniform(0.6, 0.75) * limit), "churn=10"],
                limit, LONGEST_S, ["forget_"])


def guilty_cpp(kind):
    def make(r, place):
        limit = r.choice((32, 48, 64)) * MB
        return Plan([PROGRAMS + "/guilty_new", kind, int((limit - 3 * MB) / until_limit(r, 120, 480)), int(log_uniform(r, 200, 20000)), r.randint(1, 10)],
                    limit, LONGEST_S, ["forget_"])
    return make


# --- guilty: interpreters

def guilty_py(kind, over=1.0):
    """over: what it really takes for each byte asked for."""
    def make(r, place):
        limit = r.choice((48, 64, 96)) * MB
        size = int(log_uniform(r, 300, 8000))
        rate = (limit - 9 * MB) / until_limit(r, 120, 480) / (over + 150 / size)
        return Plan([PYTHON, SOURCES + "/guilty.py", kind, int(rate), size, r.randint(1, 20)], limit, LONGEST_S, ["guilty.py"], "script")
    return make


def guilty_js(kind, over=1.0):
    def make(r, place):
        limit = r.choice((96, 128, 160)) * MB
        rate = (limit - 20 * MB) / until_limit(r, 150, 480) / over
        return Plan(["node", SOURCES + "/guilty.js", kind, int(rate), int(log_uniform(r, 800, 8000) / 8) * 8, r.randint(1, 5)], limit, LONGEST_S, ["guilty.js"], "script")
    return make


# --- guilty: programs of others

def redis_unbounded(r, place):
    limit, size = r.choice((48, 64, 96)) * MB, int(log_uniform(r, 50, 2000))
    rate = (limit - 12 * MB) / until_limit(r, 150, 480) / (size + 100)
    return Plan(["redis-server", "--port", "0", "--unixsocket", place + ".sock", "--save", "", "--appendonly", "no", "--dir", os.path.dirname(place)],
                limit, LONGEST_S, ["sds", "zmalloc", "dict", "createString", "tryObject", "redis", "jemalloc"], "library", loads.redis_new_keys(place + ".sock", rate, size), needs=["redis-server"])


def fed(name, command, line, over, site, base=3 * MB):
    """What keeps what it reads on standard input."""
    def make(r, place):
        limit, size = r.choice((32, 48, 64)) * MB, int(log_uniform(r, 50, 1000))
        rate = (limit - base) / until_limit(r, 150, 480) / (size + over)
        return Plan(command, limit, LONGEST_S, site, "library", loads.feed(line, rate, size), needs=[name])
    return make


PERL_RING = """my ($rate, $size) = @ARGV; my $owed = 0;
for (;;) { for ($owed += $rate / 20; $owed >= $size; $owed -= $size) {
my $parent = {name => "x" x $size}; my $child = {parent => $parent}; $parent->{child} = $child } select(undef, undef, undef, 0.05) }"""


def perl_ring(r, place):
    limit, size = r.choice((32, 48, 64)) * MB, int(log_uniform(r, 100, 2000))
    return Plan(["perl", "-e", PERL_RING, int((limit - 4 * MB) / until_limit(r, 150, 480) * size / (size + 600)), size], limit, LONGEST_S, ["Perl_", "perl"], "library", needs=["perl"])


def mcp_sessions(r, place):
    """Each client that goes without DELETE leaves its session, its server and its transport behind."""
    limit, port = r.choice((128, 160)) * MB, loads.free_port()
    return Plan(["node", MCP + "/server-everything/dist/index.js", "streamableHttp"], limit, LONGEST_S, ["server-everything", "node_modules/@modelcontextprotocol", "node_modules/ajv", "node_modules/zod"], "script",
                loads.mcp_sessions(port, r.uniform(2, 6)), {"PORT": str(port)}, needs=["node", MCP])


def npm_server(kind, per_second, *modules):
    def make(r, place):
        limit, port = r.choice((64, 96)) * MB, loads.free_port()
        return Plan(["node", SOURCES + "/npm/server.js", kind, port], limit, LONGEST_S, ["npm/server.js"] + ["node_modules/" + m for m in modules], "script", loads.http_get(port, r.uniform(*per_second)), {"NODE_PATH": NPM + "/node_modules"}, needs=["node", NPM])
    return make


# --- innocent

def factor(r):
    return r.choice((1.25, 1.5, 2))


def innocent_c(kind, period, size=(5, 30), base=(3, 20), peak=1.0, more=()):
    def make(r, place):
        b, s = r.uniform(*base) * MB, r.uniform(*size) * MB
        return Plan([PROGRAMS + "/innocent", kind, "base=%d" % b, "size=%d" % s, "period=%.3f" % log_uniform(r, *period), "seed=%d" % r.randint(1, 1000)] + list(more),
                    factor(r) * (b + peak * s + MB), r.uniform(*INNOCENT_S))
    return make


def innocent_py(kind, size, period, peak=1.0):
    def make(r, place):
        s = r.uniform(*size) * MB
        return Plan([PYTHON, SOURCES + "/innocent.py", kind, int(s), "%.1f" % log_uniform(r, *period), r.randint(1, 1000)], factor(r) * (6 * MB + peak * s), r.uniform(*INNOCENT_S))
    return make


def innocent_js(kind, size, period, peak=1.0):
    def make(r, place):
        s = r.uniform(*size) * MB
        return Plan(["node", SOURCES + "/innocent.js", kind, int(s), "%.1f" % log_uniform(r, *period)], factor(r) * (22 * MB + peak * s), r.uniform(*INNOCENT_S))
    return make


def redis_capped(r, place):
    cap = r.randint(8, 30)
    return Plan(["redis-server", "--port", "0", "--unixsocket", place + ".sock", "--save", "", "--appendonly", "no", "--dir", os.path.dirname(place), "--maxmemory", "%dmb" % cap, "--maxmemory-policy", "allkeys-lru"],
                factor(r) * (cap * 1.1 * MB + 8 * MB), r.uniform(*INNOCENT_S), load=loads.redis_new_keys(place + ".sock", cap * MB / log_uniform(r, 30, 200) / 600, 500), needs=["redis-server"])


def memcached_capped(r, place):
    cap = r.randint(8, 30)
    return Plan(["memcached", "-u", "root", "-s", place + ".sock", "-a", "0777", "-m", cap, "-t", "2"], factor(r) * (cap * MB + 6 * MB), r.uniform(*INNOCENT_S),
                load=loads.memcached_new_keys(place + ".sock", cap * MB / log_uniform(r, 30, 200) / 600, 500), needs=["memcached"])


def nginx(r, place):
    port = loads.free_port()
    return Plan(["nginx", "-e", "/dev/null", "-p", os.path.dirname(place), "-c", loads.nginx_configuration(place, port)], factor(r) * 4 * MB, r.uniform(*INNOCENT_S), load=loads.http_get(port, r.uniform(5, 30)), needs=["nginx"])


def shell(script, peak, needs):
    def make(r, place):
        return Plan(["sh", "-c", script % {"place": place, "sources": SOURCES, "build": BUILD, "project": PROJECT, "rest": r.uniform(2, 6), "seed": r.randint(1, 1000)}], factor(r) * peak * MB, r.uniform(*INNOCENT_S), needs=needs)
    return make


def mcp_stdio(server, peak, message):
    def make(r, place):
        return Plan(["node", MCP + "/" + server + "/dist/index.js"], factor(r) * peak * MB, r.uniform(*INNOCENT_S), load=loads.mcp_stdio(message, r.uniform(0.5, 10)), env={"MEMORY_FILE_PATH": place + ".jsonl"}, needs=["node", MCP])
    return make


ECHO = {"name": "echo", "arguments": {"message": "x" * 2000}}
READ = {"name": "read_graph", "arguments": {}}

CASES = [
    Case("objects-64B", True, guilty_c("objects", (60, 68))),
    Case("objects-1kB", True, guilty_c("objects", (300, 3000), churn=(10, 40)), vm=True),
    Case("objects-16kB", True, guilty_c("objects", (8000, 30000)), vm=True),
    Case("objects-1MB", True, guilty_c("objects", (200e3, 1e6), limits=(64, 96)), vm=True),
    Case("slow", True, slow_c),
    Case("fast", True, guilty_c("objects", (100, 20000), time=(20, 45), base=(0.05, 0.1))),
    Case("churn", True, guilty_c("objects", (300, 1500), churn=(60, 150), time=(240, 480), limits=(32, 48)), vm=True),
    Case("thread", True, guilty_c("thread", (300, 8000), churn=(5, 20)), vm=True),
    Case("child", True, guilty_c("child", (300, 8000)), vm=True),
    Case("array", True, guilty_c("array", (100, 4000)), vm=True),
    Case("map", True, guilty_c("map", (8192, 500e3)), vm=True),
    Case("shared", True, guilty_c("shared", (65536, 500e3))),
    Case("memfd", True, guilty_c("memfd", (4096, 500e3)), vm=True),
    Case("swinging", True, guilty_c("swinging", (300, 8000), more=[("period", 3, 20), ("swing", 0.05, 0.2)])),
    Case("lumps", True, guilty_c("lumps", (300, 30000), more=[("period", 3, 15)])),
    Case("requests", True, guilty_c("requests", (300, 30000))),
    Case("c++ map", True, guilty_cpp("map"), vm=True),
    Case("c++ ring", True, guilty_cpp("ring")),
    Case("tmpfs", True, guilty_c("tmpfs", (4096, 500e3)), controller=True),
    Case("fds", True, guilty_c("fds", (300, 301), limits=(24, 32), churn=(1, 2)), controller=True),
    Case("sockets", True, guilty_c("sockets", (4096, 60e3), limits=(32, 48), churn=(1, 2)), controller=True),
    Case("pipes", True, guilty_c("pipes", (4096, 65536), limits=(32, 48), churn=(1, 2)), controller=True),
    Case("python list", True, guilty_py("list"), vm=True),
    Case("python dict", True, guilty_py("dict", 1.5)),
    Case("python cycle", True, guilty_py("cycle", 1.3)),
    Case("python closure", True, guilty_py("closure", 1.2)),
    Case("python lru_cache", True, guilty_py("lru", 1.1)),
    Case("python thread", True, guilty_py("thread")),
    Case("python child", True, guilty_py("child")),
    Case("node listener", True, guilty_js("listener", 1.2)),
    Case("node map", True, guilty_js("map", 5)),
    Case("node buffer", True, guilty_js("buffer", 1.2)),
    Case("node timer", True, guilty_js("timer", 1.3)),
    Case("node promise", True, guilty_js("promise", 1.3)),
    Case("redis unbounded", True, redis_unbounded, real=True),
    Case("gawk array", True, fed("gawk", ["gawk", "{ seen[NR] = $0 }"], loads.plain, 150, ["gawk", "awk"]), real=True),
    Case("jq slurp", True, fed("jq", ["jq", "-n", "[inputs] | length"], loads.json_line, 150, ["libjq", "jv_"]), real=True),
    Case("sqlite memory", True, fed("sqlite3", ["sqlite3", ":memory:"], loads.insert, 60, ["sqlite"]), real=True),
    Case("bash array", True, fed("bash", ["bash", "-c", 'while read -r line; do all+=("$line"); done'], loads.plain, 120, ["array", "xmalloc", "bash"]), real=True),
    Case("perl ring", True, perl_ring, real=True),
    Case("MCP sessions", True, mcp_sessions, real=True),
    Case("express-session", True, npm_server("session", (20, 60), "express-session"), real=True),
    Case("node-cache", True, npm_server("cache", (15, 40), "node-cache", "clone"), real=True),
    Case("prom-client", True, npm_server("labels", (30, 80), "prom-client", "tdigest", "bintrees"), real=True),
    Case("lodash memoize", True, npm_server("memoize", (10, 30), "lodash"), real=True),
    Case("warm-up", False, innocent_c("warmup", (5, 75))),
    Case("filling", False, innocent_c("filling", (25, 250))),
    Case("zipf cache", False, innocent_c("zipf", (25, 250)), vm=True),
    Case("saw", False, innocent_c("saw", (1, 50)), vm=True),
    Case("load cycle", False, innocent_c("cycle", (100, 600))),
    Case("level shift", False, innocent_c("shift", (20, 120))),
    Case("sessions", False, innocent_c("walk", (5, 60))),
    Case("fork", False, innocent_c("fork", (2, 20), base=(3, 6), peak=1.3), vm=True),
    Case("file reader", False, innocent_c("reader", (1, 2), more=["file=" + PYTHON]), vm=True),
    Case("churner", False, innocent_c("churn", (1, 2))),
    Case("python gc", False, innocent_py("gc", (10, 40), (5, 60), 0.01)),
    Case("python lru cap", False, innocent_py("lru", (10, 40), (30, 200), 1.1)),
    Case("python fork", False, innocent_py("fork", (5, 20), (2, 15), 0.9)),
    Case("python requests", False, innocent_py("request", (5, 30), (5, 20))),
    Case("python imports", False, innocent_py("imports", (25, 26), (10, 120))),
    Case("node saw", False, innocent_js("saw", (20, 200), (10, 60), 0.4)),
    Case("node cap", False, innocent_js("cap", (10, 40), (30, 200), 3)),
    Case("node buffers", False, innocent_js("buffers", (10, 60), (5, 60), 0.3)),
    Case("redis maxmemory", False, redis_capped, real=True),
    Case("memcached", False, memcached_capped, real=True),
    Case("nginx", False, nginx, real=True),
    Case("gcc", False, shell("while :; do gcc -O1 -c -Wall -I%(project)s/include -o %(place)s.o %(sources)s/guilty.c; sleep %(rest).1f; done", 12, ["gcc"]), real=True),
    Case("sort", False, shell("while :; do seq %(seed)d 60000 | sort -R -S 8M | tail -n 1 >/dev/null; sleep %(rest).1f; done", 7, ["sort"]), real=True),
    Case("sqlite file", False, shell("rm -f %(place)s.db; { echo 'create table t(id integer primary key, body text); pragma cache_size=-4000;'; while :; do echo \"insert into t(body) select hex(randomblob(200)) from generate_series(1,300); select count(*), sum(length(body)) from t;\"; echo 'delete from t where id < (select max(id) from t) - 20000;'; sleep 0.3; done; } | sqlite3 %(place)s.db >/dev/null", 6, ["sqlite3"]), real=True),
    Case("MCP everything", False, mcp_stdio("server-everything", 32, ECHO), real=True),
    Case("MCP memory", False, mcp_stdio("server-memory", 28, READ), real=True),
]


def missing(plan):
    """What a plan needs and is not here."""
    return [n for n in plan.needs if not (os.path.exists(n) if n.startswith("/") else shutil.which(n))]
