// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What an operator has to know first, the worst first. Pure: attention(state, now) makes a list of
 * {key, rank, worker?, title, facts[], why, href}. rank: 3 acts or dies now, 2 needs somebody soon, 1 is good to know.
 */
import { about, bytes, bytesOf, duration, many, percent, rate, share } from "./format.js";
import { withoutLibrary } from "./sites.js";
import { has, limitOf } from "./store.js";

const FRESH_MS = 15 * 60e3; // an incident is news for so long
const SOON_S = 600;
const STALLED = 0.05; // of its time a worker waits for memory
const FREQUENT = 30; // reclaims a minute
// Among what is equally bad: who makes others wait comes before who only harms himself.
const ORDER = ["guard", "unmet", "hurts", "leak", "limit", "paused", "bin", "suspect", "incident", "frozen", "lifted"];

const place = (f) => (f.file ? `${f.function || "?"} ${f.file}:${f.line}` : f.function || f.module || "unknown code");

// The first place that is not the C library's own copying and allocating.
const blamed = (site) => withoutLibrary(site.frames ?? [])[0];

function leakItem(w, leak) {
	const left = leak?.time_to_limit_s ?? null;
	const site = leak?.sites?.[0];
	const over = left !== null && left <= 0;
	const facts = leak ? [rate(leak.rate_bytes_per_s)] : [];
	if (over)
		facts.push(`at its limit of ${bytes(limitOf(w))}`);
	else if (left !== null)
		facts.push(`meets its limit in ${about(left)}`);
	facts.push(bytesOf(w.heap + w.bin, limitOf(w)));
	const why = site && blamed(site) ? `${Math.round(100 * site.share)} % of it from ${place(blamed(site))}` : leak?.evidence?.[0];
	return {
		rank: w.verdict === "leak" ? (left !== null && left < SOON_S ? 3 : 2) : left !== null && left < 60 ? 2 : 1,
		title: w.verdict === "leak" ? "leaks" : "may leak", what: w.verdict, facts, why, order: left ?? 1e9,
	};
}

function limitItem(w) {
	if (w.level === "ok" && w.percent < 95)
		return null;
	const over = w.percent >= 100;
	return {
		rank: over || w.level === "critical" ? 3 : w.level === "warning" ? 1 : 2, what: "limit",
		title: over ? "over its limit" : "near its limit", facts: [percent(w.percent), bytesOf(w.heap + w.bin, limitOf(w))],
		why: has(w, "lifted") ? "memory.high is lifted: the kernel would only put it to sleep" : "", order: -w.percent,
	};
}

function pauseItem(w) {
	if (w.stalledShare < STALLED && w.reclaims < FREQUENT)
		return null;
	return {
		rank: w.stalledShare >= 0.2 ? 3 : 2, what: "paused", title: "waits for memory",
		facts: [`${share(w.stalledShare)} of its time`, w.reclaims >= 1 ? `${Math.round(w.reclaims)} reclaims/min` : ""],
		why: w.ps?.worst_pause_ns ? `worst pause ${duration(w.ps.worst_pause_ns / 1e9)}` : "", order: -w.stalledShare,
	};
}

function stateItems(w) {
	const items = [];
	if (has(w, "frozen"))
		items.push({ rank: 2, what: "frozen", title: "is frozen", facts: [w.ps?.frozen_by ? `by ${w.ps.frozen_by}` : ""], why: "", order: 0 });
	else if (has(w, "lifted"))
		items.push({ rank: 1, what: "lifted", title: "has its soft limit lifted", facts: [bytesOf(w.usage, limitOf(w))], why: "reclaiming it would only put it to sleep", order: 0 });
	if (w.notInForce)
		items.push({ rank: 3, what: "unmet", title: "has limits that are not in force", facts: [`memory.max ${bytes(w.notInForce.max_bytes)} wanted`, `since ${about(w.notInForce.since_ms / 1e3)}`], why: w.notInForce.why, order: 0 });
	if (has(w, "over-bin"))
		items.push({ rank: 2, what: "bin", title: "is over its buffer limit", facts: [bytesOf(w.bin, w.ps?.max_bin_heap_bytes)], why: "", order: 0 });
	return items;
}

// One worker is one item: what is worst leads, the rest are its further facts.
function workerItem(w, leak) {
	const found = [
		w.verdict === "leak" || w.verdict === "suspect" ? leakItem(w, leak) : null, limitItem(w), pauseItem(w), ...stateItems(w),
	].filter(Boolean).sort((a, b) => b.rank - a.rank);
	if (!found.length)
		return null;
	const [first, ...rest] = found;
	return {
		key: `worker:${w.name}`, worker: w.name, cls: w.cls, href: `#/worker/${encodeURIComponent(w.name)}`,
		rank: first.rank, what: first.what, title: first.title, order: first.order,
		facts: first.facts.filter(Boolean).concat(rest.filter((r) => r.what !== "limit" || first.what === "limit").map((r) => r.title)),
		why: first.why || rest.map((r) => r.why).find(Boolean) || "",
	};
}

// Who makes whom wait: the one that filled the limit is shown with its victims.
function hurts(stalls) {
	const by = new Map();
	for (const s of stalls.values()) {
		if (!s.culprit)
			continue;
		const one = by.get(s.culprit) ?? { victims: new Set(), ns: 0 };
		one.victims.add(s.victim);
		one.ns += s.ns;
		by.set(s.culprit, one);
	}
	return by;
}

function names(set) {
	const all = [...set];
	return all.length <= 3 ? all.join(", ") : `${all.slice(0, 2).join(", ")} and ${all.length - 2} more`;
}

function incidentItem(i, now) {
	const at = Date.parse(i.time);
	return {
		key: `incident:${i.id}`, worker: i.name, cls: i.class, href: `#/incident/${encodeURIComponent(i.id)}`, what: "incident",
		rank: /^admin/.test(i.killed_by ?? i.reason) || !(i.signal || i.killed_by) ? 1 : 3, title: i.killed_by ? `was killed by ${i.killed_by}` : i.reason,
		facts: [`${about((now - at) / 1e3)} ago`], why: i.cause?.text ?? i.why, order: now - at,
	};
}

// What the guard itself has lost since this page was opened, or that it does less than it should.
function guardItems(health, first) {
	const items = [];
	for (const [key, value] of Object.entries(health ?? {})) {
		const more = /_(lost|failures|refused|dropped)$|^bad_/.test(key) && typeof value === "number" ? value - (first?.[key] ?? 0) : 0;
		if (more > 0)
			items.push({ key: `guard:${key}`, rank: 2, what: "guard", title: "The guard", facts: [`${many(more, key.replaceAll("_", " "), key.replaceAll("_", " "))} since this page was opened`], why: "", href: null, order: 0 });
	}
	if (health?.dry_run)
		items.push({ key: "guard:dry", rank: 1, what: "guard", title: "The guard", facts: ["runs dry: it says what it would do, and does nothing"], why: "", href: null, order: 0 });
	return items;
}

export function attention(state, now) {
	const hurting = hurts(state.stalls), items = guardItems(state.health, state.healthFirst);
	for (const w of state.workers.values()) {
		let item = workerItem(w, state.leaks.get(w.name));
		const hurt = hurting.get(w.name);
		if (hurt) {
			item ??= { key: `worker:${w.name}`, worker: w.name, cls: w.cls, href: `#/worker/${encodeURIComponent(w.name)}`, rank: 2, what: "hurts", title: "fills a shared limit", facts: [], why: "", order: 0 };
			item.rank = 3;
			item.what = "hurts";
			item.facts.unshift(`makes ${names(hurt.victims)} wait (${duration(hurt.ns / 1e9)})`);
		}
		if (item)
			items.push(item);
	}
	for (const i of state.incidents) {
		if (now - Date.parse(i.time) < FRESH_MS && !(i.reason === "freeze" && has(state.byName.get(i.name) ?? { flags: 0 }, "frozen")))
			items.push(incidentItem(i, now));
	}
	return items.sort((a, b) => b.rank - a.rank || ORDER.indexOf(a.what) - ORDER.indexOf(b.what) || a.order - b.order || (a.key < b.key ? -1 : 1));
}
