# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Rows about libmemweir, for tests/bench/rows."""
import glob
import hashlib
import json
import os
import random
import shutil
import subprocess
import tempfile

from measuring import BENCH, Daemon, cheaper, median, result, tool

from harness import BUILD, MB, check
from mcp import Mcp, command

PIECE = 2000  # bytes of a text that a message may have a part of


def texts(path):
    """What the packages from npm have in documentation and programs, each piece once, in no order: nothing of it is ours."""
    pieces = {}
    for f in sorted(glob.glob(BUILD + "/npm/node_modules/**/*", recursive=True)):
        if f.endswith((".md", ".ts", ".js", ".json")) and os.path.isfile(f):
            with open(f, errors="replace") as i:
                t = i.read()
            for at in range(0, len(t), PIECE):
                piece = t[at:at + PIECE]
                pieces[hashlib.sha256(piece.encode()).digest()] = piece
    order = list(pieces.values())
    random.Random(7).shuffle(order)
    with open(path, "w") as out:
        out.write("".join(order))
    return len(order) * PIECE


def tools(name, path):
    """What a real server says of its tools."""
    p = subprocess.Popen(command(name), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        client = Mcp(p)
        client.initialize()
        with open(path, "w") as out:
            json.dump(client.call("tools/list")["tools"], out, separators=(",", ":"))
    finally:
        p.kill()
        p.wait()
    return path


def sessions():
    """The session store: what it saves with everything it takes itself, and what a put and a get cost."""
    def one(what, n, *args):
        words = tool("lib_sessions", n, *args).split()
        r = dict(zip(words[::2], map(float, words[1::2])))
        yield result("sessions: %d of %s, %.1f KB each" % (n, what, r["raw"] / n / 1e3), "%.1f %% saved" % (r["saved"] * 100),
                     "zstd alone %.1f %%" % (r["plain_saved"] * 100), None, "≥ 75 %", r["saved"] >= 0.75, n,
                     "sessions alone %.1f %%; working memory %.0f KB, dictionary %.0f KB" % (
                         r["frames_saved"] * 100, r["book"] / 1e3, r["dict"] / 1e3))
        yield result("sessions: one put", "%.0f us" % r["put_us"], "zstd alone %.0f us, a copy %.1f us" % (r["plain_put_us"], r["copy_us"]),
                     r["plain_put_us"] / r["put_us"], n=n, note="a get %.0f us; the longest put of the first %d, which make the dictionary, %.1f ms; "
                     "training at once %.0f ms" % (r["get_us"], n, r["fill_max_us"] / 1e3, r["train_ms"]))

    with tempfile.TemporaryDirectory() as d:
        yield from one("made-up words", 1000, "-")
        if os.path.isdir(BUILD + "/npm/node_modules"):
            texts(d + "/texts")
            real = [tools(name, d + "/" + name) for name in ("everything", "memory")]
            yield from one("texts from npm", 1000, d + "/texts", *real)
            yield from one("texts from npm", 400, d + "/texts", *real)


def pool():
    """A buffer of 100 KiB lent, written to and given back, beside malloc and free; the least, since whatever else runs here only adds."""
    for threads, held, rounds, pairs in ((1, 1, 5, 20000), (4, 1, 5, 20000), (1, 8, 3, 2000), (4, 8, 3, 2000)):
        ours, theirs, untrimmed = (min(float(tool("lib_pool", how, threads, 25, held, pairs)) for _ in range(rounds)) for how in ("pool", "malloc", "untrimmed"))
        yield result("pool: 100 KiB lent and touched, %d thread%s, %d at a time" % (threads, "" if threads == 1 else "s", held), "%.0f ns" % ours,
                     "malloc and free %.0f ns" % theirs, theirs / ours, n=15 * rounds, note="%.0f ns by a malloc that gives nothing back to the kernel" % untrimmed)
    ours, theirs = (min(float(tool("lib_pool", how, 4, 0)) for _ in range(5)) for how in ("pool", "malloc"))
    yield result("pool: the same untouched, 4 threads", "%.0f ns" % ours, "malloc and free %.0f ns" % theirs, theirs / ours, n=75)
    free, need, ns = tool("lib_pool", "give-back").split()
    yield result("pool: 10,000 KiB given back, resident then", need + " KiB", "MADV_FREE " + free + " KiB", note="%.1f us a buffer" % (float(ns) / 1000))


def paths():
    """Four request paths of 250 connections each over shared pools; the medians, since how many are under way at once varies."""
    for under_way, goals in ((8, True), (62, False), (250, False)):
        runs = {how: [[int(x) for x in tool("lib_paths", how, 250, under_way).split()] for _ in range(5)] for how in ("private", "each", "shared")}
        peak, dirty, calls = ({how: median(r[i] for r in runs[how]) for how in runs} for i in range(3))
        what = "request paths: %d of 1,000 connections busy" % (4 * under_way)
        for name, of, unit, least in (("memory", peak, 1024, 60), ("allocations", calls, 1, 80)):
            less = {how: 100 * (1 - of["shared"] / of[how]) for how in ("private", "each")}
            each = "%.0f %% %s" % (abs(less["each"]), "less" if less["each"] >= 0 else "more") if less["each"] < 99 else "%.2f %% less" % less["each"]
            shown = "%.1f MiB" if unit > 1 else "%d"
            yield result("%s, %s" % (what, name), shown % (of["shared"] / unit), ("a buffer a connection " + shown) % (of["private"] / unit),
                         of["private"] / of["shared"], "≥ %d %% less" % least if goals else "", less["private"] >= least if goals else None, 5,
                         ("%.0f %% less; malloc for each request " + shown + ", ours %s%s") % (
                             less["private"], of["each"] / unit, each,
                             "; private dirty at the end %.1f against %.1f MiB" % (dirty["shared"] / 1024, dirty["private"] / 1024) if unit > 1 else ""))


def by_way(*args):
    """Lines "WAY NUMBER...": of each way the columns."""
    ways = {}
    for line in tool(*args).splitlines():
        way, *numbers = line.split()
        ways.setdefault(way, []).append([float(x) for x in numbers])
    return {way: list(zip(*rows)) for way, rows in ways.items()}


def json_stream(mb=100, rounds=7):
    """The same array read in parts, by turns: item by item, and as json-c's tree of it all."""
    ways = by_way("lib_json", mb, rounds)
    speed = {way: median(columns[0]) for way, columns in ways.items()}
    peak = {way: max(columns[1]) / 1024 for way, columns in ways.items()}
    for way, what in (("stream", "an array item by item"), ("members", "the same, two members read of each"), ("trees", "the same, a json-c tree of each")):
        ratio = speed[way] / speed["tree"]
        goal = way == "stream"
        yield result("json: " + what, "%.0f MB/s" % speed[way], "json-c's tree of all %.0f MB/s" % speed["tree"], ratio, "≥ 5×" if goal else "",
                     ratio >= 5 if goal else None, rounds, "all tokens told: %.0f MB/s" % speed["scan"] if goal else "")
    ratio = peak["tree"] / peak["stream"]
    yield result("json: peak memory for %d MB" % mb, "%.1f MiB" % peak["stream"], "json-c's tree of all %.0f MiB" % peak["tree"], ratio, "≥ 100×",
                 ratio >= 100, rounds)


def writer(rounds=7):
    """Writes into a file in memory, by turns; the least, since whatever else runs here only adds."""
    for size in (64, 1 << 20):
        least = {way: min(columns[0]) for way, columns in by_way("lib_writer", size, rounds).items()}
        yield result("writer: writes of %d bytes" % size, "%.4g ns" % least["writer"], "write(2) %.4g ns" % least["plain"], least["plain"] / least["writer"],
                     n=rounds, note="fwrite %.4g ns" % least["stdio"])


def guard(rounds=15):
    """What a worker pays that asks its guard before everything it does."""
    with Daemon() as d:
        p = d.run("bench", "lib-guard", BENCH + "/lib_guard", str(rounds))
        out = p.communicate(timeout=300)[0]
    check(p.returncode == 0, "lib_guard works", p.returncode)
    cached, threads, exact, full, pread, opened, not_due, report, cgroup = (float(x) for x in out.split())
    what, stat = ("memory.current", "memory.stat") if cgroup else ("statm of /proc", "status of /proc")
    yield result("guard: validate, cached", "%.0f ns" % cached, "open, read, close of %s %.2f µs" % (what, opened / 1e3), opened / cached,
                 "≤ 100 ns", cached <= 100, rounds, "four threads at once: %.0f ns for one of each" % threads)
    yield result("guard: validate, exact", "%.2f µs" % (exact / 1e3), "pread of %s alone %.2f µs" % (what, pread / 1e3), pread / exact,
                 "≤ 5 µs", exact <= 5000, rounds)
    yield result("guard: usage, with %s" % stat, "%.1f µs" % (full / 1e3), n=rounds)
    yield result("guard: report of 8 pools and 4 limiters", "%.0f µs" % (report / 1e3), "not due %.0f ns" % not_due, n=20 * rounds,
                 note="once in 5 s: %.1f millionths of a processor" % (report / 5e3))


def spec(rounds=5):
    """Documents loaded: stripped into a store, against the tree json-c builds. Made up, and one of others where the tests' packages are here."""
    folder = tempfile.mkdtemp()
    docs = [("made up, mostly " + kind, os.path.join(folder, kind)) for kind in ("examples", "schemas")]
    for kind, (_, file) in zip(("examples", "schemas"), docs):
        tool("lib_spec", "make", kind, 60 * MB, file)
    real = os.path.join(BUILD, "specs/node_modules/@octokit/openapi/generated/api.github.com.deref.json")
    docs += [("GitHub's, dereferenced", real)] * os.path.exists(real)
    for name, file in docs:
        runs = {how: [[int(x) for x in tool("lib_spec", how, file).split()] for _ in range(rounds if how != "yaml" else 1)] for how in ("ours", "tree", "yaml")}
        size, stripped, stored = runs["ours"][0][:3]
        peak = {how: max(r[4] for r in runs[how]) / 1000 for how in runs}
        took = {how: min(r[3] for r in runs[how]) / 1e9 for how in runs}
        about = "spec: %.0f MB, %s" % (size / 1e6, name)
        yield cheaper(about + ", peak memory", ("store", peak["ours"]), ("json-c's tree", peak["tree"]), "MB", 10, rounds,
                      "%.0f MB/s, json-c %.0f MB/s; as YAML %.1f MB, %.0f MB/s" % (size / 1e6 / took["ours"], size / 1e6 / took["tree"], peak["yaml"],
                                                                              size / 1e6 / took["yaml"]))
        saved = 100 - 100 * stripped / size
        heavy = "schemas" not in name
        yield result(about + ", stripped", "%.1f MB, %.1f %% less" % (stripped / 1e6, saved), goal="≥ 75 % less" if heavy else "",
                     met=saved >= 75 if heavy else None, n=1, note="stored in %.2f MB" % (stored / 1e6))
    shutil.rmtree(folder)
