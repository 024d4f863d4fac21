// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// One worker: its memory against its limits as it goes on, what happened, whether it leaks and where.
import { chart, pointsOf } from "./chart.js";
import { $, h, reconcile, setText } from "./dom.js";
import { about, bytes, bytesOf, duration, percent, rate, share, timeOf } from "./format.js";
import { incidentLine } from "./incidents_view.js";
import { account, facts, ladder, lastPauses, pauseTable, section, sentences, verdictOf } from "./parts.js";
import { hasCache } from "./list_row.js";
import { sitesTree } from "./sites.js";
import { applyOne, has, highOf, limitOf, listen, state } from "./store.js";
import { ask, staleness } from "./streams.js";

const REPORT_MS = 5000;
const MARKS_LISTED = 30;

let view = null; // {name, body, plot, timer, stop, abort, marks, drawnTick, report}

function badges(w) {
	const on = ["frozen", "lifted", "hibernated", "paced", "over-bin", "dry-run"].filter((f) => has(w, f));
	return [
		h("span", { class: "badge", "data-level": w.level }, w.level), h("span", { class: "badge", "data-verdict": w.verdict }, w.verdict),
		...on.map((f) => h("span", { class: "badge", "data-flag": f }, f)), w.notInForce ? h("span", { class: "badge", "data-level": "critical" }, "limits not in force") : null,
	].filter(Boolean);
}

function figures(w) {
	return facts([
		["in use", bytesOf(w.usage, limitOf(w))], ["of its limit", `${percent(w.percent)}${hasCache(w) ? " without page cache" : ""}`], ["memory.high", w.high === null ? (highOf(w) === null ? "none" : `${bytes(highOf(w))} wanted`) : bytes(w.high)],
		["heap", bytes(w.heap)], ["bin", w.bin ? bytesOf(w.bin, w.ps?.max_bin_heap_bytes) : ""], ["peak", bytes(w.ps?.peak_bytes)],
		["waits for memory", `${share(w.stalledShare)} of its time`], ["reclaims", w.reclaims ? `${w.reclaims.toFixed(1)} a minute` : ""],
		["class", w.cls], ["policy", w.ps?.policy], ["processes", w.ps?.pids ?? ""], ["started", w.ps?.started ? timeOf(w.ps.started) : ""],
		["command", w.command ? h("code", {}, w.command) : ""], ["cgroup", w.ps?.cgroup ? h("code", {}, w.ps.cgroup) : ""],
	]);
}

function leakPart(leak, sites) {
	if (!leak)
		return null;
	const left = leak.time_to_limit_s;
	const when = left === null || left === undefined || leak.verdict === "steady" ? null
		: left <= 0 ? "at its limit now" : h("span", {}, `meets its limit in ${about(left)}`, leak.time_to_limit_high_s > left * 1.05 ? ` (${about(leak.time_to_limit_low_s)} to ${about(leak.time_to_limit_high_s)})` : "", ", at ", timeOf(Date.now() + left * 1000));
	const growth = leak.verdict === "steady" ? null : h("p", { class: "verdict" }, verdictOf(leak), " ", rate(leak.rate_bytes_per_s), leak.onset ? h("span", {}, " since ", timeOf(leak.onset)) : null, when ? ", " : null, when);
	return [
		section("Does it leak", growth ?? h("p", { class: "verdict" }, verdictOf(leak)), h("div", { class: "pair" }, sentences("What it stands on", leak.evidence, "for"), sentences("What speaks against it", leak.against, "against"))),
		section("Where the memory comes from", sites, leak.sites_left_out_bytes ? h("p", { class: "quiet small" }, `${bytes(leak.sites_left_out_bytes)} of smaller places are left out`) : null),
		section("Account", account(leak.account)),
	];
}

// Anew with the figures of now; what the reader has opened, and where he is in it, stays. Is his place no more (code gets
// its name, the smallest site gives way), he is at the top.
function newTree(sites) {
	const at = view.tree?.contains(document.activeElement) ? document.activeElement.dataset.path : null;
	view.tree = sitesTree(sites, `Where ${view.name} allocates`, view.tree);
	const items = at === null ? [] : [...view.tree?.querySelectorAll('[role="treeitem"]') ?? []];
	return items.find((e) => e.dataset.path === at) ?? items[0];
}

const selecting = (box) => getSelection().toString() !== "" && box.contains(getSelection().anchorNode);

function drawReport(doc) {
	const same = JSON.stringify([doc.leak, doc.pauses, doc.ladder, doc.recommendations, doc.incidents]);
	if (view.drawn === same || selecting(view.report))
		return;
	view.drawn = same;
	const focused = newTree(doc.leak?.sites), pauses = pauseTable(doc.pauses?.kinds);
	const more = doc.recommendations?.length ? h("ul", { class: "advice" }, ...doc.recommendations.map((r) => h("li", {}, r.text ?? r.why ?? JSON.stringify(r)))) : null;
	view.report.replaceChildren(...[
		section("What would help", more), ...(leakPart(doc.leak, view.tree) ?? []),
		section("Pauses by kind", pauses ?? h("p", { class: "quiet" }, "It has not waited for memory.")), section("Last pauses", lastPauses(doc.last_pauses)),
		section("Steps that were taken", ladder(doc.ladder)),
		section("Its incidents", doc.incidents?.length ? h("ol", { class: "incidents" }, ...doc.incidents.slice(0, 20).map(incidentLine)) : null),
	].filter(Boolean));
	focused?.focus({ preventScroll: true });
}

function gone(text) {
	view.status.hidden = false;
	setText(view.status, text);
}

async function loadReport() {
	const mine = view;
	try {
		const doc = await ask(`/v1/report/${encodeURIComponent(mine.name)}`, mine.abort.signal);
		if (view !== mine)
			return;
		if (doc.worker) {
			mine.status.hidden = true;
			applyOne(doc.worker);
		}
		if (!doc.worker)
			gone("This worker has ended. What was written down of it:");
		drawReport(doc);
	} catch (e) {
		if (view === mine && e.status === 404)
			gone("No worker of this name is under guard, and no incident of one is kept.");
	} finally {
		if (view === mine) {
			clearTimeout(mine.timer);
			mine.timer = setTimeout(loadReport, REPORT_MS);
		}
	}
}

function listMarks() {
	reconcile(view.markList, view.marks.slice(-MARKS_LISTED).reverse(), (m) => `${m.t} ${m.text}`, (m) => h("li", {}, timeOf(m.t), " ", h("b", {}, m.type), " ", m.text));
	view.markBox.hidden = !view.marks.length;
}

export async function loadHistory() {
	const mine = view;
	if (!mine)
		return;
	try {
		const doc = await ask(`/v1/workers/${encodeURIComponent(mine.name)}/history`, mine.abort.signal);
		if (view !== mine)
			return;
		const t0 = Date.parse(doc.timestamp);
		mine.marks = (doc.marks ?? []).map((m) => ({ t: t0 + m.t_ms, type: m.type, text: m.text ?? "" }));
		const w = state.byName.get(mine.name); // where no limit is in force, the wanted ones are drawn
		mine.plot.set(pointsOf(doc, t0).map((p) => ({ ...p, high: p.high ?? (w ? highOf(w) : null), max: p.max ?? (w ? limitOf(w) : null) })), mine.marks);
		listMarks();
	} catch {
		// it begins with what comes now
	}
}

function update(what) {
	const w = state.byName.get(view.name);
	if (!w || !what.has("workers"))
		return;
	view.badges.replaceChildren(...badges(w));
	view.figures.replaceChildren(figures(w));
	if (view.tick === state.ticks || staleness())
		return;
	view.tick = state.ticks;
	const grown = w.stalledNs === null || view.stalledNs === null ? 0 : (w.stalledNs - view.stalledNs) / 1e6;
	view.stalledNs = w.stalledNs;
	view.plot.add({ t: Date.now(), usage: w.usage, heap: w.heap, high: w.high ?? highOf(w), max: w.max ?? limitOf(w), stalled: grown });
}

// An event of this worker is marked where it happened.
export function noteEvent(e) {
	if (!view || e.name !== view.name)
		return;
	const t = Date.parse(e.time), text = e.text ?? (e.duration_ns ? `${e.kind ?? ""} ${duration(e.duration_ns / 1e9)}${e.culprit && e.culprit !== e.name ? `, filled by ${e.culprit}` : ""}` : e.before ? `from ${e.before} to ${e.level}` : "");
	view.marks = [...view.marks, { t, type: e.type, text }].slice(-200);
	view.plot.mark(t, e.type);
	listMarks();
}

export function closeWorker() {
	if (!view)
		return;
	clearTimeout(view.timer);
	view.abort.abort();
	view.stop();
	view.plot.destroy();
	view = null;
}

export function openWorker(name) {
	closeWorker();
	const box = $("detail"), plotBox = h("div", { class: "plot" });
	view = {
		name, abort: new AbortController(), marks: [], tick: -1, stalledNs: null, timer: 0, tree: null, drawn: "",
		badges: h("p", { class: "badges" }), figures: h("div"), report: h("div"), status: h("p", { class: "ended", role: "status", hidden: true }), markList: h("ol", { class: "marks" }), markBox: null,
	};
	view.markBox = h("details", { class: "mark-box", hidden: true }, h("summary", {}, "What happened, marked in the curve"), view.markList);
	box.replaceChildren(h("div", { class: "detail-head" }, h("h2", {}, name), h("a", { class: "close", href: "#/", "aria-label": "Close (Esc)" }, "×")), view.status, view.badges, plotBox, view.markBox, view.figures, view.report);
	view.plot = chart(plotBox, { label: `Memory of ${name} over time, against memory.high and memory.max; what happened is listed below` });
	view.stop = listen(update);
	update(new Set(["workers"]));
	loadHistory();
	loadReport();
}

export const redraw = () => view && openWorker(view.name);
