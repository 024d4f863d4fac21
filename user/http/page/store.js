// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What is known, in one place, and who wants to hear of it. Everything is bounded: workers are those that are there,
 * incidents and stalls have a maximum. Many changes make one call of each listener, in the next animation frame.
 */
const STALLS_MAX = 500; // pairs of who stalls and who fills, the oldest go
const STALLS_MS = 60e3;

export const FLAGS = ["frozen", "lifted", "hibernated", "paced", "dry-run", "over-bin"];
const LEVELS = ["ok", "warning", "hibernate-now", "critical"];
const VERDICTS = ["steady", "growing", "suspect", "leak"];

export const state = {
	workers: new Map(), // by cgroup_id
	byName: new Map(),
	leaks: new Map(), // by name
	incidents: [],
	known: new Set(), // "leaks", "incidents": there is an answer
	failed: new Map(), // why there is none to the last question; by the same names
	health: null,
	healthFirst: null, // as it was when this page was opened: what is lost since counts
	stalls: new Map(), // "victim\0culprit" -> {victim, culprit, ns, count, limit, at}
	live: { at: 0, open: false, since: Date.now(), why: "connecting" }, // at: when the last live news came
	events: { open: false, lost: 0 },
	budget: null,
	asked: false, // it is known who is there
	ticks: 0,
};

const listeners = new Set(), TIMES_MAX = 64;
let dirty = new Set(), frame = 0, applied = 0;

export const frameTimes = []; // ms of the last frames that had news: what came was applied, and drawn

// So long it took to apply what came; the next frame has it.
export const spent = (ms) => (applied += ms);

export function listen(fn) {
	listeners.add(fn);
	return () => listeners.delete(fn);
}

function tell() {
	const what = dirty;
	frame = 0;
	dirty = new Set();
	const began = performance.now();
	for (const fn of listeners)
		fn(what);
	if (applied && frameTimes.push(applied + performance.now() - began) > TIMES_MAX)
		frameTimes.shift();
	applied = 0;
}

// what: "workers" (figures), "who" (somebody came or left), "leaks", "incidents", "health", "stalls", "fresh".
export function changed(...what) {
	what.forEach((w) => dirty.add(w));
	frame ||= requestAnimationFrame(tell);
}

// The rest of a worker's limits may be missing where the kernel enforces none; what was wanted is known.
export const limitOf = (w) => w.max ?? w.maxWanted;
export const highOf = (w) => w.high ?? (w.maxWanted && w.threshold ? w.maxWanted * w.threshold : null);
export const has = (w, flag) => (w.flags & (1 << FLAGS.indexOf(flag))) !== 0;

const number = (x) => (typeof x === "number" ? x : null);

function flagsOf(ps) {
	const set = [ps.frozen, ps.lifted, ps.hibernated, false, ps.dry_run === true, number(ps.max_bin_heap_bytes) !== null && ps.bin_bytes > ps.max_bin_heap_bytes];
	return set.reduce((flags, on, i) => flags | (on ? 1 << i : 0), 0);
}

function workerOf(ps, old) {
	const w = old ?? { id: ps.cgroup_id, stalledNs: null, stalledAt: 0, stalledShare: 0 };
	Object.assign(w, {
		name: ps.name, cls: ps.class, command: ps.command ?? "", ps,
		usage: ps.usage_bytes, heap: ps.heap_bytes, bin: ps.bin_bytes, high: ps.high_bytes, max: ps.max_bytes,
		maxWanted: number(ps.max_heap_bytes), threshold: ps.hibernate_threshold, percent: ps.percent, level: ps.level, verdict: ps.verdict,
		flags: flagsOf(ps), notInForce: ps.not_in_force, reclaims: ps.reclaims_per_min ?? 0, stalledShare: ps.stalled_share ?? 0,
	});
	w.search = `${w.name}\n${w.cls}\n${w.command}`.toLowerCase();
	return w;
}

// GET /v1/workers: who is there.
export function applyWorkers(doc) {
	const seen = new Set();
	for (const ps of doc.workers) {
		seen.add(ps.cgroup_id);
		state.workers.set(ps.cgroup_id, workerOf(ps, state.workers.get(ps.cgroup_id)));
	}
	for (const id of state.workers.keys()) {
		if (!seen.has(id))
			state.workers.delete(id);
	}
	state.byName = new Map([...state.workers.values()].map((w) => [w.name, w]));
	state.asked = true;
	state.budget = doc.budget_bytes ?? null;
	changed("workers", "who");
}

// The same of one, as its own report says it.
export function applyOne(ps) {
	const w = workerOf(ps, state.workers.get(ps.cgroup_id));
	state.workers.set(w.id, w);
	state.byName.set(w.name, w);
	changed("workers");
}

// Pauses of the seconds between two figures, as a share of that time.
function stalled(w, ns, t) {
	if (w.stalledNs !== null && t > w.stalledAt && ns >= w.stalledNs)
		w.stalledShare = w.stalledShare * 0.7 + 0.3 * Math.min(1, (ns - w.stalledNs) / 1e6 / (t - w.stalledAt));
	w.stalledNs = ns;
	w.stalledAt = t;
}

const named = (names, x) => (typeof x === "number" ? names[x] ?? String(x) : x);

// A full round has everybody: who was not in the last one has left while nobody could be told.
function leftUntold(m) {
	const before = leftUntold.full;
	leftUntold.full = m.full ? m.t : before;
	if (!before || m.t === before)
		return false;
	leftUntold.full = m.full ? m.t : 0;
	return [...state.workers.values()].some((w) => w.seenFull !== before);
}

/*
 * One event of /v1/live. True: it names somebody unknown, or somebody has left; who is there has to be asked again. A
 * worker that nothing is told of has not changed.
 */
export function applyLive(m) {
	const c = applyLive.columns = m.columns ? Object.fromEntries(m.columns.map((name, i) => [name, i])) : applyLive.columns;
	let unknown = false;
	if (!c)
		return true; // joined in the middle: the next full one says what the columns are
	for (const row of m.rows) {
		const w = state.workers.get(row[c.cgroup_id]);
		if (!w) {
			unknown = true;
			continue;
		}
		if (m.full)
			w.seenFull = m.t;
		w.usage = row[c.usage_bytes];
		w.heap = row[c.heap_bytes];
		w.bin = row[c.bin_bytes];
		w.high = row[c.high_bytes];
		w.max = row[c.max_bytes];
		w.percent = row[c.percent];
		w.level = named(m.levels ?? applyLive.levels ?? LEVELS, row[c.level]);
		w.verdict = named(m.verdicts ?? applyLive.verdicts ?? VERDICTS, row[c.verdict]);
		w.flags = row[c.flags];
		stalled(w, row[c.stalled_ns], m.t);
	}
	applyLive.levels = m.levels ?? applyLive.levels;
	applyLive.verdicts = m.verdicts ?? applyLive.verdicts;
	for (const id of m.gone ?? []) {
		const w = state.workers.get(id);
		state.workers.delete(id);
		if (w && state.byName.get(w.name) === w)
			state.byName.delete(w.name);
		changed("who");
	}
	unknown ||= leftUntold(m);
	state.ticks++;
	changed("workers");
	return unknown;
}

// GET /v1/report/leaks.
export function applyLeaks(doc) {
	state.known.add("leaks");
	state.leaks = new Map(doc.workers.filter((l) => l.verdict !== "steady").map((l) => [l.name, l]));
	changed("leaks");
}

export function applyIncidents(doc) {
	state.incidents = doc.incidents;
	state.known.add("incidents");
	changed("incidents");
}

export function applyHealth(doc) {
	state.health = doc;
	state.healthFirst ??= doc;
	changed("health");
}

// A pause of /v1/events: who waited, whose limit it was, who had filled it.
export function applyPause(e) {
	const culprit = e.culprit && e.culprit !== e.name ? e.culprit : "";
	const key = `${e.name}\0${culprit}`;
	const s = state.stalls.get(key) ?? { victim: e.name, culprit, ns: 0, count: 0, limit: e.limit, at: 0 };
	state.stalls.delete(key); // it becomes the newest
	s.ns += e.duration_ns;
	s.count++;
	s.limit = e.limit ?? s.limit;
	s.at = Date.now();
	state.stalls.set(key, s);
	if (state.stalls.size > STALLS_MAX)
		state.stalls.delete(state.stalls.keys().next().value);
	changed("stalls");
}

// Called now and then: what is over is forgotten.
export function forgetStalls(now = Date.now()) {
	for (const [key, s] of state.stalls) {
		if (now - s.at > STALLS_MS) {
			state.stalls.delete(key);
			changed("stalls");
		}
	}
}
