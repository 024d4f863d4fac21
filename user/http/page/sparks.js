// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// The last minute of the workers in sight: asked for once, then continued from the live figures. At most KEPT of them.
import { limitOf, state } from "./store.js";
import { ask, staleness } from "./streams.js";

const POINTS = 60, STEP_MS = 1000;
const KEPT = 300, ASKED = 100;
const WAIT_MS = 120; // who scrolls past wants none

const kept = new Map(); // name -> {points: [bytes or null], at, drawn}
let wanted = [], timer = 0, asking = false;

async function fetchWanted(redraw) {
	const names = wanted.filter((n) => !kept.has(n)).slice(0, ASKED);
	if (asking || !names.length)
		return;
	asking = true;
	try {
		const doc = await ask(`/v1/history?workers=${names.map(encodeURIComponent).join(",")}&points=${POINTS}`);
		for (const w of doc.workers)
			keep(w.name, w.usage_bytes.slice(-POINTS));
		for (const n of names) {
			if (!kept.has(n))
				keep(n, []); // it has none yet: it begins now
		}
		redraw();
	} catch {
		// drawn from the live figures alone
		names.forEach((n) => keep(n, []));
	} finally {
		asking = false;
	}
}

function keep(name, points) {
	kept.delete(name);
	kept.set(name, { points, at: Date.now() });
	if (kept.size > KEPT)
		kept.delete(kept.keys().next().value);
}

// These rows are in sight.
export function want(names, redraw) {
	wanted = names;
	clearTimeout(timer);
	if (names.some((n) => !kept.has(n)))
		timer = setTimeout(() => fetchWanted(redraw), WAIT_MS);
}

// At each live tick: the figure of now is a point. A worker that has not changed is where it was.
export function tick(now = Date.now()) {
	if (staleness(now))
		return;
	for (const [name, s] of kept) {
		const w = state.byName.get(name);
		if (!w) {
			kept.delete(name);
			continue;
		}
		if (now - s.at < STEP_MS * 0.8)
			continue;
		s.at = now;
		s.points.push(w.usage);
		if (s.points.length > POINTS)
			s.points.shift();
	}
}

// What was missed while the daemon was away is not made up.
export const forget = () => kept.clear();
export const pointsOf = (name) => kept.get(name)?.points ?? [];

export function drawSpark(canvas, w, colour) {
	const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
	if (!width)
		return;
	if (canvas.width !== Math.round(width * ratio)) {
		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(height * ratio);
	}
	const points = pointsOf(w.name), known = points.filter((p) => p !== null), x = canvas.getContext("2d");
	x.setTransform(ratio, 0, 0, ratio, 0, 0);
	x.clearRect(0, 0, width, height);
	if (known.length < 2)
		return;
	// Its own range, but at least a tenth of the limit: noise is not to look like a leak.
	const low = Math.min(...known), span = Math.max(Math.max(...known) - low, (limitOf(w) ?? 0) / 10, 1);
	x.beginPath();
	points.forEach((p, i) => {
		const px = width - 1 - (points.length - 1 - i) * ((width - 2) / (POINTS - 1));
		if (p !== null)
			i && points[i - 1] !== null ? x.lineTo(px, height - 2 - (p - low) / span * (height - 4)) : x.moveTo(px, height - 2 - (p - low) / span * (height - 4));
	});
	x.strokeStyle = colour;
	x.lineWidth = 1.5;
	x.lineJoin = "round";
	x.stroke();
}
