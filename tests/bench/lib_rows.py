# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Rows about libmemweir, for tests/bench/rows."""
import glob
import hashlib
import json
import os
import random
import subprocess
import tempfile

from harness import BUILD
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


def sessions(tool, result):
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
