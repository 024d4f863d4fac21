// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What comes from the daemon: documents, and two streams of server-sent events. A browser resumes a stream by itself
 * (Last-Event-ID); where it gives up (an HTTP error) we come back, later each time, and say where we were.
 */
import { changed, state } from "./store.js";

const WAIT_MS = [500, 1000, 2000, 5000];
const SILENT_MS = 15e3; // all workers are told every 10 s: later is stale, whatever the connection looks like
const ANSWER_MS = 20e3;

export async function ask(path, signal) {
	const patience = AbortSignal.timeout(ANSWER_MS);
	const answer = await fetch(path, { signal: signal ? AbortSignal.any([signal, patience]) : patience, cache: "no-store" });
	if (!answer.ok) {
		const said = await answer.json().catch(() => ({}));
		throw Object.assign(new Error(said.error ?? `HTTP ${answer.status}`), { status: answer.status });
	}
	return answer.json();
}

/*
 * follow(path, {workers: fn, lost: fn, …}, {opened(again), failed()}): named events, parsed. fn gets (data, kind). ret:
 * how to stop it.
 */
export function follow(path, kinds, { opened, failed }) {
	let source = null, last = "", tries = 0, timer = 0, stopped = false, before = false;

	function received(kind, e) {
		last = e.lastEventId || last;
		let data;
		try {
			data = JSON.parse(e.data);
		} catch {
			return; // cut off in the middle: the next one is whole
		}
		kinds[kind](data, kind);
	}

	function open() {
		source = new EventSource(last ? `${path}?last_event_id=${encodeURIComponent(last)}` : path);
		source.onopen = () => {
			tries = 0;
			opened(before);
			before = true;
		};
		source.onerror = () => {
			failed();
			if (source.readyState !== EventSource.CLOSED || stopped)
				return;
			clearTimeout(timer);
			timer = setTimeout(open, WAIT_MS[Math.min(tries++, WAIT_MS.length - 1)]);
		};
		for (const kind of Object.keys(kinds))
			source.addEventListener(kind, (e) => received(kind, e));
	}

	open();
	return () => {
		stopped = true;
		clearTimeout(timer);
		source.close();
	};
}

export function liveArrived() {
	const l = state.live;
	if (!l.open || l.why)
		changed("fresh");
	Object.assign(l, { at: Date.now(), open: true, why: "" });
}

export function liveFailed(why) {
	const l = state.live;
	if (!l.why)
		l.since = l.at || Date.now();
	Object.assign(l, { open: false, why });
	changed("fresh");
}

// Fresh, or not since when and why.
export function staleness(now = Date.now()) {
	const l = state.live;
	if (l.why)
		return { since: l.since, why: l.why };
	if (l.at && now - l.at > SILENT_MS)
		return { since: l.at, why: "the daemon is silent" };
	return null;
}
