# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""What memweir run puts before a Python program whose class has runtime_profile: tracemalloc is switched on, and a
thread writes which lines hold most into memory that the guard reads from outside. Nobody can ask this program for
anything, nobody is waited for, and whatever fails here is kept quiet. Read by any Python; only 3.8 and later do it."""
import sys


def _memweir():
    import os
    import time
    import _signal
    import _thread
    import json
    import tracemalloc

    # As they are now: gevent, eventlet and tests put others in their place.
    sleep, monotonic, start_new_thread = time.sleep, time.monotonic, _thread.start_new_thread
    room = 65536  # bytes of the answer
    top = 10
    known_max = 4096  # lines whose first size is kept
    tick_s = float(os.environ.get("MEMWEIR_RUNTIME_TICK") or 2)
    share = 100  # of its time it works once
    grown = 1 << 20  # worth a new answer
    spare = 64 << 20  # a snapshot takes some four times what tracemalloc holds: more is not taken from the program

    def resident():
        with open("/proc/self/statm", "rb") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def take(before):
        snapshot = tracemalloc.take_snapshot()
        stats = snapshot.statistics("lineno")
        del snapshot
        lines = []
        for s in stats:
            frame = s.traceback[0]
            key = (frame.filename, frame.lineno)
            if frame.filename in (__file__, tracemalloc.__file__):
                continue
            if len(before) < known_max:
                before.setdefault(key, s.size)
            lines.append((s.size - before.get(key, 0), s.size, s.count, frame.filename, frame.lineno))
        lines.sort(reverse=True)
        return [{"function": "", "file": n[:255], "line": at, "bytes": size, "objects": count, "grown_bytes": g}
                for g, size, count, n, at in lines[:top]]

    def write(out, lines, took_s):
        text = json.dumps({"version": 1, "pid": os.getpid(), "runtime": "python", "took_ms": int(took_s * 1000),
                           "total_bytes": tracemalloc.get_traced_memory()[0], "lines": lines})
        data = text.encode("ascii", "replace") + b"\n"
        if len(data) < room and is_ours(out):
            os.pwrite(out[0], b"\n", 0)  # whoever reads meanwhile finds nothing, rather than a half
            os.pwrite(out[0], data[1:], 1)
            os.pwrite(out[0], data[:1], 0)

    def is_ours(own):  # who closes what it did not open has perhaps opened something else there
        try:
            st = os.fstat(own[0])
        except OSError:
            return False
        return (st.st_dev, st.st_ino) == own[1:]

    def watch(out):
        before = {}
        last = 0
        while True:
            sleep(tick_s)
            try:
                now = resident()
                if abs(now - last) < grown and last or 4 * tracemalloc.get_tracemalloc_memory() > spare:
                    continue
                last = now
                began = monotonic()
                lines = take(before)
                took_s = monotonic() - began
                write(out, lines, took_s)
                sleep(took_s * share)
            except Exception:
                sleep(10 * tick_s)

    def quiet(out):
        # Signals are for the program's own threads, or it would not be woken.
        _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
        watch(out)

    mine = []

    def start():
        fd = os.memfd_create("memweir-runtime")
        st = os.fstat(fd)
        out = (fd, st.st_dev, st.st_ino)
        os.ftruncate(fd, room)
        mine.append(out)
        start_new_thread(quiet, (out,))

    def again():  # in a child: its own, and none of its parent's
        try:
            own = mine.pop()
            if is_ours(own):
                os.close(own[0])
            start()
        except Exception:
            pass

    tracing = tracemalloc.is_tracing()
    if tracing and not ("tracemalloc" in sys._xoptions or os.environ.get("PYTHONTRACEMALLOC")):
        return  # another interpreter of this process does it already
    start()
    if not tracing:
        tracemalloc.start(1)
    os.register_at_fork(after_in_child=again)


def _next():
    """Another one's, that stands behind ours."""
    import os

    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != own]
    ours = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    finally:
        if "sitecustomize" not in sys.modules and ours is not None:
            sys.modules["sitecustomize"] = ours


if sys.version_info >= (3, 8):
    try:
        _memweir()
    except Exception:
        pass
try:
    _next()
except ImportError:
    pass
