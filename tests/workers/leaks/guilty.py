# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Leaks as Python has them. guilty.py KIND RATE SIZE CHURN: so many bytes a second, of objects of that size, each beside
CHURN that come and go."""
import functools
import gc
import os
import sys
import threading
import time

kind, rate, size, churn = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
kept = []
history = {}
listeners = []


class Node:
    pass


def forget_in_list(n):
    kept.append(bytearray(size))


def forget_in_dict(n):
    history["request number %d" % n] = {"id": n, "body": "x" * size}


def forget_cycle(n):
    """Nobody collects them: the collector is switched off, as some services have it."""
    a, b = Node(), Node()
    a.other, b.other, a.body = b, a, bytearray(size)


def forget_closure(n):
    body = bytearray(size)
    listeners.append(lambda: body)


@functools.lru_cache(maxsize=None)
def forget_answer(n):
    return b"x" * size


forget = {"list": forget_in_list, "thread": forget_in_list, "child": forget_in_list, "dict": forget_in_dict, "cycle": forget_cycle, "closure": forget_closure, "lru": forget_answer}[kind]


def handle_request():
    return sum(len(x) for x in [bytearray(size) for _ in range(churn)])


def serve():
    owed, n, last = 0.0, 0, time.monotonic()
    while True:
        t = time.monotonic()
        owed, last = owed + rate * (t - last), t
        while owed >= size:
            owed -= size
            n += 1
            handle_request()
            forget(n)
        time.sleep(0.05)


if kind == "cycle":
    gc.disable()
if kind == "child":
    if os.fork():
        os.wait()
        sys.exit()
if kind == "thread":
    threading.Thread(target=serve, daemon=True).start()
    while True:
        handle_request()
        time.sleep(0.1)
serve()
