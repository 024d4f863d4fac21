// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// The page: what is asked for when, which worker or incident is open (the address says), and how fresh all of it is.
import { startAttention } from "./attention_view.js";
import { $, setAttribute, setText } from "./dom.js";
import { about, bytes, bytesOf, clock, many, utc } from "./format.js";
import { closeIncident, openIncident, startIncidents } from "./incidents_view.js";
import { startKeys } from "./keys.js";
import { mark, refilter, repaint, startList } from "./list_view.js";
import { applyHealth, applyIncidents, applyLeaks, applyLive, applyPause, applyWorkers, changed, forgetStalls, has, listen, spent, state } from "./store.js";
import { ask, follow, liveArrived, liveFailed, staleness } from "./streams.js";
import { closeWorker, loadHistory, noteEvent, openWorker, redraw } from "./worker_view.js";

const INCIDENTS = 200;

const AGAIN = 3000;

// A document that is asked for: at most every so often, and at the latest then; what fails is tried again soon.
function poll(name, path, apply, { least, most, early = null }) {
	let timer = 0, asking = false, asked = -Infinity, again = false;

	async function now() {
		clearTimeout(timer);
		if (asking || document.hidden)
			return (again = asking);
		asking = true;
		asked = performance.now();
		try {
			const first = await early; // asked for before this page was whole: enough to begin with
			early = null;
			again ||= Boolean(first);
			apply(first ?? await ask(path));
			state.failed.delete(name);
		} catch (e) {
			state.failed.set(name, e.name === "TimeoutError" ? "the daemon did not answer in time" : e.message);
			changed("fresh");
			changed(name);
		} finally {
			asking = false;
			timer = setTimeout(now, again ? least : state.failed.has(name) ? AGAIN : most);
			again = false;
		}
	}

	return {
		now,
		soon() {
			clearTimeout(timer);
			timer = setTimeout(now, Math.max(50, asked + least - performance.now()));
		},
	};
}

const workers = poll("workers", "/v1/workers", applyWorkers, { least: 2000, most: 30e3, early: window.memweirWorkers });
const leaks = poll("leaks", "/v1/report/leaks", applyLeaks, { least: 3000, most: 15e3 });
const incidents = poll("incidents", `/v1/report/incidents?brief&limit=${INCIDENTS}`, applyIncidents, { least: 1000, most: 60e3 });
const health = poll("health", "/healthz", applyHealth, { least: 1000, most: 10e3 });

const all = () => Promise.all([workers, leaks, incidents, health].map((p) => p.now()));

// Which documents a kind of event makes old.
const EVENTS = {
	started: [workers], attached: [workers], ended: [workers, incidents], detached: [workers], abandoned: [workers], died: [workers, incidents],
	oom: [incidents], incident: [incidents], leak: [leaks], suspect: [leaks], growing: [leaks], "leak-site": [leaks], steady: [leaks],
	frozen: [workers, incidents], thawed: [workers], lifted: [workers, incidents], restored: [workers], hibernate: [workers, incidents], "limits-failed": [workers], "limits-met": [workers],
	"limit-changed": [workers], "memory-high": [workers], "memory-normal": [workers], "frequent-reclaim": [workers], "reclaim-normal": [workers], level: [], pause: [], throttle: [], told: [], "bin-limit": [],
};

function onEvent(e, kind) {
	if (kind === "pause" || kind === "throttle")
		applyPause(e);
	EVENTS[kind].forEach((p) => p.soon());
	noteEvent(e);
}

function onLive(m) {
	const began = performance.now();
	liveArrived();
	if (applyLive(m))
		workers.soon();
	changed("fresh");
	spent(performance.now() - began);
}

// The daemon was away: nothing of before is taken for now.
function cameBack() {
	all();
	refilter();
	loadHistory();
}

let stopStreams = null;

function startStreams() {
	const live = follow("/v1/live", { workers: onLive, lost: () => workers.soon() }, {
		opened: (again) => again && cameBack(), failed: () => liveFailed("no connection to the daemon"),
	});
	const events = follow("/v1/events", { ...Object.fromEntries(Object.keys(EVENTS).map((k) => [k, onEvent])), lost: (m) => {
		state.events.lost += m.lost ?? 1;
		all();
	} }, { opened: (again) => {
		state.events.open = true;
		if (again)
			all();
	}, failed: () => (state.events.open = false) });
	stopStreams = () => (live(), events(), (stopStreams = null));
}

function drawSummary() {
	let used = 0, leaking = 0, near = 0, waiting = 0, frozen = 0;
	for (const w of state.workers.values()) {
		used += w.usage;
		leaking += w.verdict === "leak";
		near += w.level !== "ok";
		waiting += w.stalledShare > 0.05;
		frozen += has(w, "frozen");
	}
	const parts = [many(state.workers.size, "worker"), state.budget ? bytesOf(used, state.budget) : bytes(used)];
	for (const [n, text] of [[leaking, "leaking"], [near, "near a limit"], [waiting, "waiting"], [frozen, "frozen"]])
		n && parts.push(`${n} ${text}`);
	setText($("summary"), parts.join(" · "));
}

function drawFresh() {
	const old = staleness(), fresh = $("fresh"), bar = $("stale");
	document.documentElement.classList.toggle("stale", old !== null && state.live.at > 0);
	setAttribute(fresh, "data-fresh", old ? "no" : "yes");
	setText(fresh, old ? (state.live.at ? "stale" : "connecting …") : "live");
	bar.hidden = !old || (!state.live.at && Date.now() - old.since < 3000);
	if (old)
		setText(bar, `Stale since ${clock(old.since)} (${about((Date.now() - old.since) / 1e3)}): ${old.why}. What is shown is as it was then; trying again.`);
	if (old)
		setAttribute(bar, "title", utc(old.since));
}

function route() {
	const [, kind, rest] = location.hash.match(/^#\/(worker|incident)\/(.+)$/) ?? [];
	let name = "";
	try {
		name = decodeURIComponent(rest ?? "");
	} catch {
		// a % that is none: no such worker
	}
	const detail = $("detail");
	closeWorker();
	closeIncident();
	detail.hidden = !name;
	document.body.dataset.open = name ? kind : "";
	if (!name)
		return detail.replaceChildren();
	if (kind === "worker") {
		mark(name);
		openWorker(name);
	} else {
		openIncident(name);
	}
	detail.scrollTop = 0;
	if (matchMedia("(max-width: 1199px)").matches) {
		scrollTo(0, 0);
		detail.focus({ preventScroll: true });
	}
}

function themeName(theme) {
	setText($("theme"), { auto: "Auto", light: "Light", dark: "Dark" }[theme]);
	setAttribute($("theme"), "aria-label", `Colours: ${{ auto: "as the system has them", light: "light", dark: "dark" }[theme]}`);
}

function recolour() {
	repaint();
	redraw();
}

function startTheme() {
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
	themeName(window.memweirTheme.chosen());
	$("theme").addEventListener("click", () => {
		themeName(window.memweirTheme.next());
		recolour();
	});
}

// Nobody looks: the daemon need not tell. Who comes back sees everything anew.
function onVisible() {
	if (document.hidden) {
		stopStreams?.();
		liveFailed("this page was hidden");
	} else if (!stopStreams) {
		startStreams();
		cameBack();
	}
}

async function start() {
	startTheme();
	startList();
	startKeys();
	startIncidents();
	startAttention();
	listen((what) => {
		if (what.has("workers") || what.has("who"))
			drawSummary();
		drawFresh();
	});
	setInterval(() => {
		forgetStalls();
		drawFresh();
	}, 1000);
	addEventListener("hashchange", route);
	document.addEventListener("visibilitychange", onVisible);
	workers.now().then(() => {
		route();
		startStreams();
		requestAnimationFrame(() => performance.mark("memweir-ready"));
		health.now();
		incidents.now();
		leaks.now();
	});
}

start();
