# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""What an export costs, and that a collector that hangs costs the guard's loop nothing: one daemon, 1,000 workers, three phases."""
import os
import sys
import time

from measuring import Daemon, Idlers, read, result, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "otlp"))
from receiver import Receiver

EVERY_S = 0.005


def cpu_s(pid):
    tasks = "/proc/%d/task/" % pid
    return sum(int(read(tasks + tid + "/schedstat").split()[0]) for tid in os.listdir(tasks)) / 1e9


def child(daemon):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        stat = read("/proc/%s/stat" % pid)
        if "(memweir-otlp)" in stat and stat.rpartition(")")[2].split()[1] == str(daemon):
            return int(pid)
    return 0


def asked(d, seconds):
    """A small question every 5 ms: how long each took, ms, sorted; CPU of daemon and of memweir-otlp, % of a core."""
    took, daemon = [], d.daemon_pid()
    pid = child(daemon)
    began, before = time.monotonic(), (cpu_s(daemon), cpu_s(pid) if pid else 0)
    while time.monotonic() - began < seconds:
        at = time.monotonic()
        d.call("GET", "/v1/events/recent?n=1")
        took.append((time.monotonic() - at) * 1000)
        time.sleep(EVERY_S)
    spent = time.monotonic() - began
    return sorted(took), (cpu_s(daemon) - before[0]) / spent * 100, (cpu_s(pid) - before[1]) / spent * 100 if pid else 0


def at(took, share):
    return took[min(len(took) - 1, int(len(took) * share))]


def export(workers=1000, seconds=65):
    collector = Receiver()
    os.environ["OTEL_EXPORTER_OTLP_TIMEOUT"] = "10000"
    try:
        with Daemon("[otlp]\nendpoint = none\n") as d, Idlers(d) as idlers:
            idlers.grow(workers)
            time.sleep(6)
            none, cpu_none, _ = asked(d, seconds)
            d.call("PATCH", "/v1/config", {"target": "otlp", "settings": {"endpoint": collector.url}})
            wait_until(lambda: collector.records("traces"), 60, "it flows")
            good, cpu_good, own = asked(d, seconds)
            pid = child(d.daemon_pid())
            status = dict(line.split(":\t", 1) for line in read("/proc/%d/status" % pid).splitlines() if ":\t" in line)
            rss, peak = int(status["VmRSS"].split()[0]) / 1024, int(status["VmHWM"].split()[0]) / 1024
            points = d.call("GET", "/healthz")["otlp"]["metrics"]["sent"]
            collector.tell("hang")
            time.sleep(2)
            hang, cpu_hang, own_hang = asked(d, seconds)
            wait_until(lambda: d.call("GET", "/healthz")["otlp"]["failing"], 60, "it hangs")
    finally:
        collector.close()
    yield result("export: memweir-otlp, %d workers, 5 s checks, figures every 60 s" % workers, "%.2f %% of a core, %.1f MiB" % (own, rss), "", None, "", None, 1,
                 "peak %.1f MiB; %d data points; %.2f %% while the collector hangs" % (peak, points, own_hang))
    yield result("export: CPU of the daemon with a collector", "%.2f %%" % cpu_good, "without %.2f %%" % cpu_none, cpu_good / cpu_none)
    for what, share in (("median", 0.5), ("99th percentile", 0.99), ("slowest", 1)):
        yield result("export: an answer of the daemon, %s, collector hangs" % what, "%.2f ms" % at(hang, share),
                     "no collector %.2f ms" % at(none, share), at(hang, share) / at(none, share), "", None, len(hang),
                     "a collector that takes all: %.2f ms" % at(good, share))
