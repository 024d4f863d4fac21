# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""The programs of tests/workers that more than one suite starts, and how one talks with them."""
from harness import MB, WORKERS, check


def leak(step=65536, ms=20, stop=0):
    return [WORKERS + "/leak", str(step), str(ms), str(stop)]


def steady(size=8 * MB):
    return [WORKERS + "/steady", str(size)]


def ask(p, text="hello"):
    p.stdin.write(text + "\n")
    p.stdin.flush()
    return p.stdout.readline().strip()


def ready(p, seconds=30):
    line = p.stdout.readline().strip()
    check(line == "ready", "worker is ready", line, "" if p.poll() is None else p.stderr.read())
    return p
