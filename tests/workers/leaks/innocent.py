# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Python that does not leak. innocent.py KIND BYTES PERIOD: gc (cycles for the collector), lru (a cache that fills to its
cap within PERIOD seconds), fork (children that touch what they share), request (large answers now and then), imports."""
import functools
import gc
import importlib
import os
import random
import sys
import time

kind, size, period = sys.argv[1], int(float(sys.argv[2])), float(sys.argv[3])
rng = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
ITEM = 4000


class Node:
    pass


def cycles():
    """size bytes of garbage in a period; the collector comes by itself."""
    for _ in range(int(size / period * 0.1 / ITEM) + 1):
        a, b = Node(), Node()
        a.other, b.other, a.body = b, a, bytearray(ITEM)


@functools.lru_cache(maxsize=max(1, size // ITEM))
def answer(key):
    return bytearray(ITEM)


key = 0


def fill():
    global key
    for _ in range(int(size / period * 0.1 / ITEM) + 1):
        key += 1
        answer(key)


table, due = [], 0.0


def fork():
    global table, due
    if not table:
        table = [[i, "x" * 100] for i in range(size // 400)]
    if time.monotonic() < due:
        return
    due = time.monotonic() + period
    pid = os.fork()
    if not pid:
        for i, item in enumerate(table):
            item[0] += 1
            if i % 2000 == 0:
                time.sleep(0.01)
        os._exit(0)
    os.waitpid(pid, 0)


def request():
    answer = [rng.random() for _ in range(int(size / 32 * rng.random()))]
    time.sleep(rng.random() * period / 20)
    del answer


NAMES = ["json", "http.client", "email.message", "xml.etree.ElementTree", "sqlite3", "decimal", "asyncio", "unittest", "logging.config", "multiprocessing", "ctypes", "tarfile", "pydoc", "difflib", "csv", "urllib.request", "lib2to3.pgen2.driver", "distutils.core", "ssl", "statistics"]


def imports():
    if NAMES and rng.random() < len(NAMES) / period * 0.1 + 0.01:
        importlib.import_module(NAMES.pop())
    sum(i * i for i in range(2000))


step = {"gc": cycles, "lru": fill, "fork": fork, "request": request, "imports": imports}[kind]
while True:
    step()
    time.sleep(0.1)
