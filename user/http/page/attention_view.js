// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// The list at the top: one line for each worker or incident that needs somebody, the worst first.
import { attention } from "./attention.js";
import { $, h, reconcile, setAttribute, setText } from "./dom.js";
import { many } from "./format.js";
import { listen, state } from "./store.js";
import { staleness } from "./streams.js";

const FIRST = 6; // shown at once
const MOST = 200;
const EVERY_MS = 1000; // often enough to read it
const RANKS = ["", "Note", "Soon", "Now"];

let all = false, last = 0, timer = 0;

function make(item) {
	return h("li", { class: "item" },
		h("span", { class: "rank" }),
		item.href ? h("a", { class: "who" }) : h("span", { class: "who" }),
		h("span", { class: "what" }),
		h("span", { class: "facts" }),
		h("span", { class: "why" }));
}

function update(e, item) {
	const [rank, who, what, facts, why] = e.children;
	setAttribute(e, "data-rank", String(item.rank));
	setText(rank, RANKS[item.rank]);
	setText(who, item.worker ?? item.title);
	if (item.href)
		setAttribute(who, "href", item.href);
	setText(what, item.worker ? item.title : "");
	setText(facts, item.facts.join(" · "));
	setText(why, item.why);
	setAttribute(why, "title", item.why.length > 90 ? item.why : null);
}

function quiet(list) {
	const asked = state.asked && state.known.has("leaks") && state.known.has("incidents"), known = !staleness() && asked;
	const text = staleness() ? "Not known now." : !asked ? "Looking …" : `All quiet: ${many(state.workers.size, "worker")}, none leaks, waits or is near its limit.`;
	reconcile(list, [{ text }], () => "quiet", () => h("li", { class: "quiet-line" }), (e, i) => {
		setText(e, i.text);
		e.classList.toggle("known", known);
	});
}

function draw() {
	const list = $("attention"), more = $("attention-more");
	const items = attention(state, Date.now());
	last = performance.now();
	timer = 0;
	document.title = `${items.length && items[0].rank > 1 ? `(${items.filter((i) => i.rank > 1).length}) ` : ""}${staleness() ? "stale: " : ""}memweir`;
	more.hidden = items.length <= FIRST;
	if (!items.length)
		return quiet(list);
	setText(more, all ? `Show the first ${FIRST}` : `Show ${Math.min(items.length, MOST) - FIRST} more`);
	setAttribute(more, "aria-expanded", String(all));
	reconcile(list, items.slice(0, all ? MOST : FIRST), (i) => i.key, make, update);
}

function soon(what) {
	if (what.has("who")) { // shown at once
		clearTimeout(timer);
		timer = last = 0;
	}
	timer ||= setTimeout(draw, Math.max(0, last + EVERY_MS - performance.now()));
}

export function startAttention() {
	$("attention-more").addEventListener("click", () => {
		all = !all;
		draw();
	});
	listen(soon);
	draw();
}
