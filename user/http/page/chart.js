// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Memory over time against its limits (uPlot), with what happened marked. Bounded: the oldest points go.
import { bytes, clock } from "./format.js";

const POINTS_MAX = 3600; // an hour at one a second
const MARKS_MAX = 400;
const STALL_MS = 1; // a shorter wait is no band

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function series() {
	const line = css("--line");
	return [
		{},
		{ label: "in use", stroke: line, width: 2, fill: css("--fill"), points: { show: false } },
		{ label: "heap", stroke: css("--heap"), width: 1.5, points: { show: false } },
		{ label: "memory.high", stroke: css("--warn"), width: 1.5, dash: [6, 4], points: { show: false } },
		{ label: "memory.max", stroke: css("--bad"), width: 1.5, dash: [2, 3], points: { show: false } },
	].map((s) => ({ ...s, value: (_, v) => (v === null || v === undefined ? "–" : bytes(v)) }));
}

/*
 * chart(box, {seconds: false}): x is a time (ms), or with seconds, relative to an incident. ret: {add, set, mark,
 * destroy, size}. A point: {t, usage, heap, high, max, stalled} in ms and bytes, stalled: ms of waiting since the last.
 */
export function chart(box, { relative = false, label }) {
	let data = [[], [], [], [], []], waits = [], marks = [], frame = 0;

	if (!window.uPlot) { // its file did not come: all else is there
		box.textContent = "The curve could not be loaded: reload the page.";
		return { add() {}, set() {}, mark() {}, size: () => 0, destroy() {} };
	}

	const axis = (more) => ({ stroke: css("--quiet"), grid: { stroke: css("--grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui", ...more });
	const plot = new window.uPlot({
		width: Math.max(200, box.clientWidth), height: 240, legend: { live: true }, cursor: { y: false, points: { size: 6 } },
		scales: { x: { time: false }, y: { range: (_, __, top) => [0, Math.max(top * 1.06, 1e6)] } },
		axes: [
			axis({ values: (_, ticks) => ticks.map((t) => (relative ? `${t} s` : clock(t * 1000))), space: relative ? 50 : 76 }),
			axis({ values: (_, ticks) => ticks.map(bytes), size: 72 }),
		],
		series: series().map((s, i) => (i ? s : { label: relative ? "before" : "at", value: (_, v) => (v === null || v === undefined ? "–" : relative ? `${v.toFixed(1)} s` : clock(v * 1000)) })),
		hooks: { drawClear: [drawWaits], draw: [drawMarks] },
	}, data, box);
	plot.root.setAttribute("role", "img");
	plot.root.setAttribute("aria-label", label);

	function band(u, from, to, colour) {
		const a = u.valToPos(from, "x", true), b = u.valToPos(to, "x", true);
		u.ctx.fillStyle = colour;
		u.ctx.fillRect(a, u.bbox.top, Math.max(1, b - a), u.bbox.height);
	}

	function drawWaits(u) {
		const colour = css("--wait");
		u.ctx.save();
		for (const w of waits)
			band(u, w.from, w.to, colour);
		u.ctx.restore();
	}

	function drawMarks(u) {
		const { ctx, bbox } = u, ratio = devicePixelRatio || 1, lowest = u.scales.x.min;
		ctx.save();
		ctx.strokeStyle = ctx.fillStyle = css("--mark");
		ctx.lineWidth = ratio;
		for (const m of marks) {
			if (m.x < lowest)
				continue;
			const x = Math.round(u.valToPos(m.x, "x", true));
			ctx.globalAlpha = 0.55;
			ctx.beginPath();
			ctx.moveTo(x, bbox.top);
			ctx.lineTo(x, bbox.top + bbox.height);
			ctx.stroke();
			ctx.globalAlpha = 1;
			ctx.beginPath();
			ctx.moveTo(x - 4 * ratio, bbox.top);
			ctx.lineTo(x + 4 * ratio, bbox.top);
			ctx.lineTo(x, bbox.top + 6 * ratio);
			ctx.fill();
		}
		ctx.restore();
	}

	function push(p) {
		const x = p.t / 1000, before = data[0].at(-1);
		if (before !== undefined && x <= before)
			return;
		[x, p.usage, p.heap ?? null, p.high ?? null, p.max ?? null].forEach((v, i) => data[i].push(v));
		if (p.stalled >= STALL_MS)
			waits.push({ from: Math.max(before ?? x, x - p.stalled / 1000), to: x });
		if (data[0].length > POINTS_MAX)
			data.forEach((column) => column.shift());
		waits = waits.length > MARKS_MAX ? waits.slice(-MARKS_MAX) : waits;
	}

	function draw() {
		frame ||= requestAnimationFrame(() => {
			frame = 0;
			plot.setData(data);
		});
	}

	const watch = new ResizeObserver(() => plot.setSize({ width: Math.max(200, box.clientWidth), height: box.clientWidth < 480 ? 200 : 240 }));
	watch.observe(box);
	return {
		add(p) {
			push(p);
			draw();
		},
		set(points, newMarks = []) {
			data = [[], [], [], [], []];
			waits = [];
			points.forEach(push);
			marks = newMarks.map((m) => ({ x: m.t / 1000, text: m.text })).slice(-MARKS_MAX);
			draw();
		},
		mark(t, text) {
			marks = [...marks, { x: t / 1000, text }].slice(-MARKS_MAX);
			draw();
		},
		size: () => data[0].length,
		destroy() {
			watch.disconnect();
			cancelAnimationFrame(frame);
			plot.destroy();
		},
	};
}

// Rows of "columns" and "points" as points; what a column is missing is null. stalled_ns: waits that ended since the row before.
export function pointsOf(doc, t0) {
	const c = Object.fromEntries(doc.columns.map((name, i) => [name, i])), get = (row, name) => (name in c ? row[c[name]] : null);
	return doc.points.map((row) => ({
		t: t0 + row[c.t_ms], usage: get(row, "usage_bytes"), heap: get(row, "heap_bytes"), high: get(row, "high_bytes"), max: get(row, "max_bytes"),
		stalled: (get(row, "stalled_ns") ?? 0) / 1e6,
	}));
}
