// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// One row of the list: made once, and filled for whichever worker is at its place.
import { h, setAttribute, setText } from "./dom.js";
import { bytes, bytesOf, percent, rate, share } from "./format.js";
import { FLAGS, has, highOf, limitOf, state } from "./store.js";

export const COLUMNS = ["Worker", "Class", "Memory", "", "Last minute", "Trend", "Waits", "State"];

export function makeHead(row) {
	row.append(...COLUMNS.map((name, i) => h("span", { role: "columnheader", "aria-colindex": i + 1, class: `c${i}` }, name || h("span", { class: "unseen" }, "of its limit"))));
}

export function makeBar() {
	return h("span", { class: "bar" }, h("span", { class: "fill cache" }), h("span", { class: "fill" }), h("span", { class: "high" }));
}

// Of its limit in use, page cache counted. What percent is of is without: the kernel drops that first.
const usedOf = (w) => (limitOf(w) ? Math.min(1, w.usage / limitOf(w)) : 0);

export const hasCache = (w) => usedOf(w) - w.percent / 100 > 0.05;

// Usage in the track from 0 to max, page cache lighter; where memory.high is, a mark. Positions are set through the CSSOM: the page has no inline style.
export function fillBar(bar, w) {
	const [cache, fill, high] = bar.children, limit = limitOf(w), at = highOf(w), used = usedOf(w);
	cache.style.transform = `scaleX(${used.toFixed(3)})`;
	fill.style.transform = `scaleX(${Math.min(used, w.percent / 100).toFixed(3)})`;
	high.hidden = !limit || at === null || at >= limit;
	if (!high.hidden)
		high.style.left = `${(100 * at / limit).toFixed(1)}%`;
	setAttribute(bar, "title", limit ? `${bytes(w.usage)} in use, ${percent(w.percent)} without page cache, memory.high ${bytes(at)}, memory.max ${bytes(limit)}` : `${bytes(w.usage)} in use, no limit`);
}

export function makeRow() {
	const cells = COLUMNS.map((_, i) => h("span", { role: "gridcell", "aria-colindex": i + 1, class: `c${i}` }));
	const link = h("a", { class: "name", tabindex: "-1" });
	cells[0].append(h("span", { class: "dot", "aria-hidden": "true" }), link);
	cells[2].append(makeBar());
	cells[4].append(h("canvas", { class: "spark", "aria-hidden": "true" }));
	return h("div", { class: "row", role: "row" }, ...cells);
}

function trendOf(w) {
	const leak = state.leaks.get(w.name);
	if (w.verdict === "steady")
		return "";
	return leak && leak.rate_bytes_per_s > 0 ? `${w.verdict} ${rate(leak.rate_bytes_per_s)}` : w.verdict;
}

function stateOf(w) {
	const on = FLAGS.filter((flag) => has(w, flag));
	if (w.notInForce)
		on.unshift("not-in-force");
	if (w.level !== "ok")
		on.unshift(w.level);
	return on.join(", ");
}

// How bad, for colour; what it is stands in words beside it.
export function gravity(w) {
	if (w.level === "critical" || w.verdict === "leak" || w.percent >= 100)
		return "bad";
	if (w.level !== "ok" || w.verdict === "suspect" || w.stalledShare > 0.05 || w.notInForce || has(w, "frozen") || has(w, "lifted"))
		return "warn";
	return "ok";
}

export function fillRow(row, w, index, current) {
	const c = row.children;
	row.dataset.name = w.name;
	row.dataset.gravity = gravity(w);
	row.id = `row-${w.id}`;
	setAttribute(row, "aria-rowindex", String(index + 2));
	setAttribute(row, "aria-selected", String(current));
	const link = c[0].lastElementChild;
	setText(link, w.name);
	setAttribute(link, "href", `#/worker/${encodeURIComponent(w.name)}`);
	setAttribute(link, "title", w.command || null);
	setText(c[1], w.cls);
	fillBar(c[2].firstElementChild, w);
	setText(c[3], bytesOf(w.usage, limitOf(w)) + (limitOf(w) ? `, ${percent(w.percent)}${hasCache(w) ? " + cache" : ""}` : ""));
	setText(c[5], trendOf(w));
	c[5].dataset.verdict = w.verdict;
	setText(c[6], w.stalledShare >= 0.0005 ? share(w.stalledShare) : "");
	setText(c[7], stateOf(w));
}
