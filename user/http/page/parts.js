// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Parts that both a worker and an incident show: facts, pauses by kind, the ladder, the account.
import { h } from "./dom.js";
import { bytes, count, duration, share, timeOf } from "./format.js";

export const section = (title, ...content) => (content.flat().some(Boolean) ? h("section", { class: "part" }, h("h3", {}, title), ...content) : null);

// [["in use", "33.9 MB"], …]; a row without a value is left out.
export function facts(rows) {
	return h("dl", { class: "facts" }, ...rows.filter(([, v]) => v !== null && v !== undefined && v !== "").map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v))));
}

export function table(head, rows, label) {
	if (!rows.length)
		return null;
	return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
		h("table", {},
			h("thead", {}, h("tr", {}, ...head.map((t) => h("th", { scope: "col" }, t)))),
			h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, i) => h(i ? "td" : "th", i ? {} : { scope: "row" }, cell)))))));
}

const MEANS = {
	memstall: "all of it: waits that had a cause in memory",
	"high-throttle": "put to sleep over memory.high", "high-reclaim": "reclaimed its own memory, over memory.high",
	"max-reclaim": "reclaimed its own memory, at memory.max", "global-reclaim": "reclaimed because the host was short",
	"node-reclaim": "reclaimed on its NUMA node", "reclaim-throttle": "waited for others' reclaim", compaction: "moved pages for a large one",
	thrash: "read back what had just been reclaimed", "swap-in": "read from swap", oom: "waited for the OOM killer", other: "no kind of these",
};

export function pauseTable(kinds) {
	const rows = Object.entries(kinds ?? {}).filter(([, k]) => k.count > 0).sort((a, b) => b[1].total_ns - a[1].total_ns);
	const ns = (n) => duration(n / 1e9);
	return table(["kind", "times", "in all", "median", "p99", "longest"],
		rows.map(([kind, k]) => [h("span", { title: MEANS[kind] ?? "" }, kind, h("small", {}, MEANS[kind] ?? "")), count(k.count), ns(k.total_ns), ns(k.p50_ns), ns(k.p99_ns), ns(k.max_ns)]), "Pauses by kind");
}

export function lastPauses(list) {
	return table(["when", "kind", "how long", "thread", "whose limit"],
		(list ?? []).slice(-20).reverse().map((p) => [timeOf(p.time), p.kind, duration(p.duration_ns / 1e9), `${p.comm} (${p.tid})`, p.limit ?? "?"]), "Last pauses");
}

export function ladder(steps) {
	if (!steps?.length)
		return null;
	return h("ol", { class: "ladder" }, ...steps.slice(-30).reverse().map((s) => h("li", {},
		timeOf(s.time), h("b", {}, s.rung), h("span", {}, `at ${s.level}`),
		h("span", {}, s.after_bytes === null ? "under way" : `${bytes(s.before_bytes)} → ${bytes(s.after_bytes)} in ${duration(s.took_ms / 1e3)}`),
		s.heard === false ? h("span", { class: "bad" }, "nobody listened") : null,
		s.fell === true ? h("span", { class: "good" }, `now ${s.level_after}`) : s.fell === false ? h("span", { class: "warn" }, "did not help") : null)));
}

// {"charged": {"bytes": 1}, …} as groups of names and figures.
export function account(doc) {
	const groups = Object.entries(doc ?? {}).filter(([, g]) => g && typeof g === "object");
	const shown = (key, v) => (key.endsWith("bytes") ? bytes(v) : typeof v === "boolean" ? (v ? "yes" : "no") : count(v));
	if (!groups.length)
		return null;
	return h("div", { class: "groups" }, ...groups.map(([name, g]) => h("div", {}, h("h4", {}, name.replaceAll("_", " ")),
		facts(Object.entries(g).filter(([, v]) => v !== null && v !== 0 && v !== false).map(([k, v]) => [k === "bytes" ? "all" : k.replace(/_bytes$/, "").replaceAll("_", " "), shown(k, v)])))));
}

export function sentences(title, list, cls) {
	return list?.length ? h("div", { class: `sentences ${cls}` }, h("h4", {}, title), h("ul", {}, ...list.map((s) => h("li", {}, s)))) : null;
}

export const verdictOf = (leak) => h("span", { class: "badge", "data-verdict": leak.verdict }, leak.verdict, leak.confidence && leak.verdict !== "steady" ? `, ${share(leak.confidence)} sure` : "");
