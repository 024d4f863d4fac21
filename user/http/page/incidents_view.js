// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Incidents: the list, and one of them with its curve, its cause and what would have prevented it.
import { chart, pointsOf } from "./chart.js";
import { $, h, reconcile, setAttribute, setText } from "./dom.js";
import { about, bytes, duration, percent, timeOf } from "./format.js";
import { facts, lastPauses, pauseTable, section, table } from "./parts.js";
import { sitesTree } from "./sites.js";
import { listen, state } from "./store.js";
import { ask } from "./streams.js";

const FIRST = 8;
let all = false, open = null; // {plot, abort}

export function incidentLine(i) {
	return h("li", { class: "incident", "data-grave": i.signal || i.killed_by ? "yes" : null },
		timeOf(i.time), " ", h("a", { href: `#/incident/${encodeURIComponent(i.id)}` }, h("b", {}, i.name), " ", i.reason), " ",
		h("span", { class: "why" }, i.cause?.text ?? i.why ?? ""));
}

function nothing() {
	if (state.known.has("incidents"))
		return "None.";
	const why = state.failed.get("incidents");
	return why ? `Not known: ${why}. Trying again.` : "Looking …";
}

function drawList() {
	const list = $("incident-list"), more = $("incidents-more");
	more.hidden = state.incidents.length <= FIRST;
	setText(more, all ? `Show the last ${FIRST}` : `Show ${state.incidents.length - FIRST} older`);
	setAttribute(more, "aria-expanded", String(all));
	if (!state.incidents.length)
		return list.replaceChildren(h("li", { class: "quiet-line" }, nothing()));
	reconcile(list, state.incidents.slice(0, all ? undefined : FIRST), (i) => i.id, incidentLine);
}

export function startIncidents() {
	$("incidents-more").addEventListener("click", () => {
		all = !all;
		drawList();
	});
	listen((what) => what.has("incidents") && drawList());
	drawList();
}

// The recorder's last minute where the incident has it, else the curve of its checks.
function curveOf(i) {
	if (i.recorder?.points?.length)
		return pointsOf(i.recorder, 0);
	return (i.curve ?? []).map((p) => ({ t: p.t_s * 1000, usage: p.bytes, heap: null, high: null, max: i.limit_bytes, stalled: 0 }));
}

function timeline(steps) {
	return steps?.length ? h("ol", { class: "timeline" }, ...steps.map((s) => h("li", {}, h("span", { class: "when" }, s.time ? timeOf(s.time) : "", ` ${(s.t_ms / 1000).toFixed(1)} s`), h("b", {}, s.what), " ", s.text ?? ""))) : null;
}

function neighbours(list) {
	return table(["neighbour", "class", "in use", "of its limit", "level", "why it was not this one"],
		(list ?? []).map((n) => [h("a", { href: `#/worker/${encodeURIComponent(n.name)}` }, n.name), n.class, bytes(n.usage_bytes), n.percent === null || n.percent === undefined ? "" : percent(n.percent), n.level ?? "", n.why_not ?? ""]), "Its neighbours at that time");
}

function prevention(list) {
	return list?.length ? h("ul", { class: "advice" }, ...list.map((p) => h("li", {}, h("span", { class: "badge" }, p.kind), " ", p.text, p.setting ? h("pre", {}, h("code", {}, p.setting)) : null))) : null;
}

const memoryStat = (stat) => table(["memory.stat", ""], Object.entries(stat ?? {}).filter(([, v]) => v).map(([k, v]) => [k, /^(pg|workingset|oom|thp_.*alloc|zswp|swp)/.test(k) ? String(v) : bytes(v)]), "memory.stat");

function draw(i, box) {
	const plotBox = h("div", { class: "plot" }), points = curveOf(i);
	box.replaceChildren(...[
		h("div", { class: "detail-head" }, h("h2", {}, i.name, h("small", {}, ` ${i.reason}`)), h("a", { class: "close", href: "#/", "aria-label": "Close (Esc)" }, "×")),
		h("p", { class: "verdict" }, timeOf(i.time), ` (${about((Date.now() - Date.parse(i.time)) / 1e3)} ago): `, i.why),
		i.cause ? h("p", { class: "cause" }, h("span", { class: "badge", "data-level": "critical" }, i.cause.code), " ", i.cause.text) : null,
		points.length > 1 ? plotBox : null,
		section("What would prevent it", prevention(i.prevention)),
		section("How it went", timeline(i.timeline)),
		facts([
			["killed by", i.killed_by], ["signal", i.signal], ["exit status", i.exit_status], ["limit", i.limit_bytes === null ? "none" : bytes(i.limit_bytes)], ["in use", bytes(i.usage_bytes)], ["heap", bytes(i.heap_bytes)],
			["peak", bytes(i.peak_bytes)], ["freed", i.saved_bytes ? bytes(i.saved_bytes) : ""], ["lived", i.lifetime_s === null ? "" : duration(i.lifetime_s)], ["class", i.class], ["cgroup", h("code", {}, i.cgroup)],
			["worker", state.byName.has(i.name) ? h("a", { href: `#/worker/${encodeURIComponent(i.name)}` }, "runs again") : ""],
		]),
		section("Who else was there", neighbours(i.neighbours)),
		section("Where its memory came from", sitesTree(i.sites, `Where ${i.name} allocated`)),
		section("Pauses by kind", pauseTable(i.pauses)), section("Last pauses", lastPauses(i.last_pauses)),
		Object.keys(i.memory_stat ?? {}).length ? h("details", {}, h("summary", {}, "memory.stat"), memoryStat(i.memory_stat)) : null,
	].filter(Boolean));
	if (points.length < 2)
		return null;
	const plot = chart(plotBox, { relative: true, label: `Memory of ${i.name} before the incident` });
	plot.set(points, (i.timeline ?? []).map((s) => ({ t: s.t_ms, text: s.what })));
	return plot;
}

export function closeIncident() {
	open?.plot?.destroy();
	open?.abort.abort();
	open = null;
}

export async function openIncident(id) {
	closeIncident();
	const box = $("detail"), mine = open = { plot: null, abort: new AbortController() };
	const known = state.incidents.find((i) => i.id === id);
	if (known)
		mine.plot = draw(known, box);
	else
		box.replaceChildren(h("p", { class: "quiet" }, "Looking …"));
	try {
		const doc = await ask(`/v1/report/${encodeURIComponent(id)}`, mine.abort.signal);
		if (open !== mine || (known && !doc.incidents[0]))
			return;
		mine.plot?.destroy();
		mine.plot = draw(doc.incidents[0], box);
	} catch (e) {
		if (open === mine && !known)
			box.replaceChildren(h("div", { class: "detail-head" }, h("h2", {}, id), h("a", { class: "close", href: "#/", "aria-label": "Close (Esc)" }, "×")), h("p", { class: "ended" }, e.status === 404 ? "No incident of this id is kept: the oldest go when there are too many." : `It cannot be read now: ${e.message}`));
	}
}
