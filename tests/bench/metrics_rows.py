# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""GET /metrics of many workers: how long it takes, what it costs, and what it does to everything else the daemon has to do."""
import os
import re
import time

from measuring import Daemon, Idlers, UnixConnection, median, ready, result

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)')


def scrape(d, accept=OPEN):
    """The answer, and the seconds it took."""
    c = UnixConnection(d.socket)
    began = time.monotonic()
    c.request("GET", "/metrics", headers={"Accept": accept})
    answer = c.getresponse()
    text = answer.read()
    took = time.monotonic() - began
    c.close()
    assert answer.status == 200, text
    return text, took


def figures(text):
    """Of the guard itself: name -> value, a histogram's buckets as name -> {le: count}."""
    values, buckets = {}, {}
    for line in text.decode().splitlines():
        m = SAMPLE.match(line)
        if not m or line.startswith("memweir_worker"):
            continue
        name, labels, value = m.groups()
        if name.endswith("_bucket"):
            if "," not in labels:
                buckets.setdefault(name[:-7], {})[labels.split('"')[1]] = float(value)
        else:
            values[name] = values.get(name, 0) + float(value)
    return values, buckets


def quantile(before, after, name, q):
    """The upper bound of the bucket that holds it, milliseconds; of what came between two answers."""
    counts = [(float(le), after[name][le] - before.get(name, {}).get(le, 0)) for le in after[name]]
    total = counts[-1][1]
    return next((le * 1e3 for le, n in counts if total and n >= q * total), float("nan"))


def window(d, seconds, every):
    """Latency of records and lateness of timers while time passes, with an answer every so often; None: none."""
    times, before = [], figures(scrape(d)[0])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        if every:
            times.append(scrape(d)[1])
        time.sleep(max(0, (every or 0.2) - (time.monotonic() - began)))
    after = figures(scrape(d)[0])
    spread = {name: [quantile(before[1], after[1], "memweir_" + name + "_seconds", q) for q in (.5, .9, .99)]
              for name in ("record_latency", "loop_lateness", "loop_turn")}
    records = after[0]["memweir_records_total"] - before[0]["memweir_records_total"]
    cpu = sum(after[0][n] - before[0][n] for n in ("memweir_cpu_seconds_total",))
    return times, spread, records, cpu / seconds * 100


# Natively a look sums /proc for every worker, which takes half a second for 2,000: the windows lie between two of them.
SELDOM = "[monitor]\nsample_interval = 60s\ncheck_interval = 10min\n"


def put_first(pid):
    """The daemon before whatever else this machine has to do, which would be measured instead. Is it so?"""
    try:
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))
        return True
    except OSError:
        return False


def metrics(workers=2000, seconds=10, rounds=3):
    with Daemon(SELDOM) as d, Idlers(d) as idlers:
        idlers.grow(workers)
        # somebody whose records come all the time, at a rate that is no load
        p = ready(d.run("bench", "ticker", "/bin/sh", "-c", "echo ready; while :; do /bin/true; sleep 0.01; done"))
        time.sleep(6)
        rss = figures(scrape(d)[0])[0]["memweir_resident_memory_bytes"]
        takes = [scrape(d) for _ in range(21)]
        cost = figures(takes[-1][0])[0]
        first = figures(takes[0][0])[0]
        cpu = (cost["memweir_metrics_answer_seconds_total"] - first["memweir_metrics_answer_seconds_total"]) / (len(takes) - 1)
        took, size = median(t for _, t in takes) * 1e3, len(takes[-1][0])
        yield result("metrics: an answer, %d workers" % workers, "%.0f ms" % took, "", None, "≤ 50 ms", took <= 50, len(takes),
                     "%.1f ms of it the daemon's processor time; %.2f MB, %d samples" % (
                         cpu * 1e3, size / 1e6, sum(not line.startswith(b"#") for line in takes[-1][0].splitlines())))
        grown = figures(scrape(d)[0])[0]["memweir_resident_memory_bytes"] - rss
        yield result("metrics: the daemon's memory after %d answers" % len(takes), "%+.1f MB" % (grown / 1e6), n=1)
        alone = put_first(d.daemon_pid())
        plain, busy = [], []
        for _ in range(rounds):
            plain.append(window(d, seconds, None))
            busy.append(window(d, seconds, 1))
        d.mw("kill", "ticker")
        for name in ("record_latency", "loop_lateness"):
            of = lambda ws, i: median(w[1][name][i] for w in ws)
            yield result("metrics: %s while answered every second, p50, p90, p99" % name.replace("_", " "),
                         "%.3g, %.3g, %.3g ms" % tuple(of(busy, i) for i in range(3)), "without %.3g, %.3g, %.3g ms" % tuple(of(plain, i) for i in range(3)),
                         of(busy, 2) / of(plain, 2), "same p99", of(busy, 2) <= of(plain, 2), rounds,
                         "upper bounds of buckets; %d records a window; CPU %.2f and %.2f %% of a core%s" % (
                             median(w[2] for w in busy), median(w[3] for w in busy), median(w[3] for w in plain), "; the daemon at SCHED_FIFO" if alone else ""))
