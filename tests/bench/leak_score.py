# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""What came of leak_runs: each run judged, and the tables."""
import json
import math
import os
import statistics
import subprocess

from harness import BUILD, MEMWEIR

LINES = os.path.join(BUILD, "tests", "bench", "leak_rules")
NS = 1e9
KILLED = "ended by itself, status 137"


def wilson(k, n):
    """k of n and its interval of 95 %."""
    if not n:
        return None, None, None
    z, p = 1.96, k / n
    mid, reach = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return p, (mid - reach) / (1 + z * z / n), (mid + reach) / (1 + z * z / n)


def share(k, n):
    p, low, high = wilson(k, n)
    return "-" if p is None else "%.2f (%.2f-%.2f)" % (p, low, high)


def replayed(recording, *options):
    r = subprocess.run([MEMWEIR, "replay", "--json", *options, recording], capture_output=True, text=True, check=True)
    return {w["name"]: w for w in json.loads(r.stdout)["recordings"][0]["workers"]}


def first(worker, *verdicts):
    """Seconds from its first sample until it was first called so; None: never."""
    times = [c["at_ns"] / NS for c in worker["changes"] if c["what"] == "verdict" and c["verdict"] in verdicts]
    return times[0] if times else None


def right_site(run):
    """None: no sites at all. Of a script it is the line that grew most where there are any, else the script."""
    if run.get("lines"):
        top = run["lines"][0]
        return any(word in "%s %s" % (top["file"], top["function"]) for word in run["site"])
    if not run["sites"]:
        return None
    s = run["sites"][0]
    places = [x for f in s["frames"] for x in (f.get("function") or "", f.get("file") or "", f.get("module") or "")] + [s.get("script") or ""]
    return any(word in place for word in run["site"] for place in places)


def one(run, w, line, plain):
    """What is noted of a run, and what was judged."""
    end, lived = w["end"], w["end"]["lasted_ns"] / NS
    met = end["killed_at_ns"] / NS if end.get("killed_at_ns") else lived if run["why_ended"] in ("limit", KILLED) else None
    leak = first(w, "leak")
    ours = {"ever": first(line, "growing", "suspect", "leak") is not None, "end": line["end"]["verdict"] != "steady"}
    return {**run, "seconds": lived, "peak_bytes": end["peak_bytes"], "met_limit_s": met, "most": end["most"],
            "leak_s": leak, "suspect_s": first(w, "suspect", "leak"), "growing_s": first(w, "growing", "suspect", "leak"),
            "lead_s": met - leak if met is not None and leak is not None else None,
            "as_said": end["checks_as_said"], "not_as_said": end["checks_not_as_said"],
            "changes": [[round(c["at_ns"] / NS, 1), c["verdict"], c["evidence"], c["against"]] for c in w["changes"] if c["what"] == "verdict"],
            "end": [end["verdict"], end["evidence"], end["against"]], "site_right": right_site(run),
            "rules": {"memweir, method = regression": ours, **plain["rules"]}}


def valid(r):
    """A guilty program that never came near its limit, an innocent one that met it, or who died of something else, shows nothing."""
    if r["why_ended"].startswith("ended by itself"):
        return r["guilty"] and r["met_limit_s"] is not None
    return r["peak_bytes"] >= 0.8 * r["limit_bytes"] if r["guilty"] else r["why_ended"] != "limit"


FACTORS = (1.25, 1.5, 2)


def at_other_limits(results, recording):
    """The innocent ones judged again with limits of 1.25, 1.5 and 2 times what each used at most: called a leak at how many?"""
    innocent, called = [r for r in results if not r["guilty"]], []
    for r in innocent:
        path = os.path.join(os.path.dirname(recording), "files", r["name"] + ".csv")
        with open(path, "w") as f:
            subprocess.run([LINES, recording, r["name"]], stdout=f, check=True)
        for factor in FACTORS:
            w = replayed(path, "--set", "max_heap=%d,max_bin_heap=%d" % (factor * r["peak_bytes"], factor * r["peak_bytes"]))
            called += [(r["name"], factor)] * (w[r["name"]]["end"]["most"] == "leak")
    n = len(FACTORS) * len(innocent)
    print("\ninnocent recordings with 1.25, 1.5 and 2 times their own peak as their limit: %d of %d called leak, %s" % (len(called), n, share(len(called), n)))
    for name, f in called:
        print("  %s at %g" % (name, f))


def score(runs, recording):
    by_windows, by_line = replayed(recording), replayed(recording, "--method", "regression")
    p = subprocess.run([LINES, recording], capture_output=True, text=True, check=True)
    plain = {d["name"]: d for d in map(json.loads, p.stdout.splitlines())}
    results = []
    for run in runs:
        if run["name"] in by_windows and run["name"] in plain:
            results.append(one(run, by_windows[run["name"]], by_line[run["name"]], plain[run["name"]]))
            results[-1]["valid"] = valid(results[-1])
        else:
            print("not recorded: %s (%s)" % (run["name"], run["why_ended"]))
    return results


def matrix(results, called):
    tp = sum(called(r) for r in results if r["guilty"])
    fn = sum(not called(r) for r in results if r["guilty"])
    fp = sum(called(r) for r in results if not r["guilty"])
    tn = sum(not called(r) for r in results if not r["guilty"])
    return tp, fn, fp, tn


def print_matrix(results):
    rules = [("memweir: leak", lambda r: r["leak_s"] is not None and (r["met_limit_s"] is None or r["leak_s"] <= r["met_limit_s"])),
             ("memweir: suspect or leak", lambda r: r["suspect_s"] is not None)]
    for name in results[0]["rules"] if results else []:
        for when in ("ever", "end"):
            rules.append(("%s, %s" % (name, "at its end" if when == "end" else "ever"), lambda r, name=name, when=when: r["rules"][name][when]))
    print("\n%-52s %5s %5s %5s %5s  %-18s  %-18s" % ("called a leak by", "hit", "miss", "false", "still", "precision (95 %)", "recall (95 %)"))
    for name, called in rules:
        tp, fn, fp, tn = matrix(results, called)
        print("%-52s %5d %5d %5d %5d  %-18s  %-18s" % (name, tp, fn, fp, tn, share(tp, tp + fp), share(tp, tp + fn)))


def print_cases(results):
    print("\n%-18s %-6s %4s %5s %8s %8s %8s %10s  %s" % ("case", "", "runs", "leak", "suspect", "growing", "limit s", "lead s", "right top site"))
    for case in dict.fromkeys(r["case"] for r in sorted(results, key=lambda r: not r["guilty"])):
        of = [r for r in results if r["case"] == case]
        leads, met = [r["lead_s"] for r in of if r["lead_s"] is not None], [r["met_limit_s"] for r in of if r["met_limit_s"]]
        sites = [r["site_right"] for r in of if r["site_right"] is not None]
        print("%-18s %-6s %4d %5d %8d %8d %8s %10s  %s" % (
            case, "guilty" if of[0]["guilty"] else "", len(of), sum(r["leak_s"] is not None for r in of), sum(r["most"] == "suspect" for r in of), sum(r["most"] == "growing" for r in of),
            "%.0f" % statistics.median(met) if met else "-", "%.0f" % statistics.median(leads) if leads else "-",
            "%d of %d, %s" % (sum(sites), len(sites), of[0]["site_kind"]) if sites and of[0]["guilty"] else "-" if of[0]["guilty"] else ""))


def print_sites(results):
    """Of guilty programs: whose report had sites, and whose first one is right."""
    guilty = [r for r in results if r["guilty"]]
    for title, of in (("with heap samples", [r for r in guilty if r["sampled"]]), ("without", [r for r in guilty if not r["sampled"]])):
        for kind in ("line", "library", "script"):
            k = [r for r in of if r["site_kind"] == kind]
            if k:
                print("right first site, %s, %s: %s of %d; %d had no sites" % (title, kind, share(sum(bool(r["site_right"]) for r in k), len(k)), len(k), sum(r["site_right"] is None for r in k)))
        if of:
            print("right first site, %s, all: %s of %d" % (title, share(sum(bool(r["site_right"]) for r in of), len(of)), len(of)))


def print_wrong(results):
    print("\nwrong, and what was said:")
    for r in results:
        late = r["guilty"] and (r["leak_s"] is None or (r["met_limit_s"] is not None and r["leak_s"] > r["met_limit_s"]))
        if late or (not r["guilty"] and r["leak_s"] is not None):
            print("  %s (%s), limit %.1f MB, peak %.1f MB, %.0f s, %s: %s" % (r["name"], "missed" if r["guilty"] else "false", r["limit_bytes"] / 1e6, r["peak_bytes"] / 1e6, r["seconds"], r["why_ended"], " ".join(r["command"])[-200:]))
            for at, verdict, evidence, against in r["changes"][-4:]:
                print("    %6.1f s %s: %s; %s" % (at, verdict, evidence, against))
        if r["guilty"] and r["site_right"] is False and r.get("lines"):
            print("  %s: first line: %s" % (r["name"], r["lines"][0]))
        elif r["guilty"] and r["site_right"] is False:
            s = r["sites"][0]
            print("  %s: first site (%s, %.0f %%): %s" % (r["name"], s["kind"], 100 * s["share"], " < ".join(f["function"] or f["module"] for f in s["frames"][:8])))


def print_all(results, controller, seconds):
    invalid = [r for r in results if not r["valid"]]
    results = [r for r in results if r["valid"]]
    print_cases(results)
    print_matrix(results)
    print("(the other rules over floors of 5 s, the last 60 of them; 5 minutes count as an hour)")
    leads = [r["lead_s"] for r in results if r["lead_s"] is not None]
    if leads:
        print("\nguilty programs met their limits %.0f s after their start (median); they were called leaks %.0f s before (median; least %.0f s)" % (
            statistics.median(r["met_limit_s"] for r in results if r["guilty"] and r["met_limit_s"]), statistics.median(leads), min(leads)))
    print_sites(results)
    if not controller:
        print("growth sites need fexit, which is refused here: without heap samples there are none (leak_runs --few in a VM)")
    print_wrong(results)
    for r in invalid:
        print("shows nothing: %s: %s, peak %.1f of %.1f MB" % (r["name"], r["why_ended"], r["peak_bytes"] / 1e6, r["limit_bytes"] / 1e6))
    print("%d runs in %.0f s; the replay judged %d checks as the daemon had, %d otherwise" % (len(results), seconds, sum(r["as_said"] for r in results), sum(r["not_as_said"] for r in results)))
