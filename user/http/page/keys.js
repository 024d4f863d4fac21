// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// The keys, as a table that the help shows too. Where text is typed they are letters.
import { $, h } from "./dom.js";
import { move, pageRows, selected } from "./list_view.js";

const filter = $("filter"), list = $("list"), help = $("help");

function openSelected() {
	if (selected())
		location.hash = `#/worker/${encodeURIComponent(selected())}`;
}

function back() {
	if (document.activeElement === filter) {
		if (filter.value) {
			filter.value = "";
			filter.dispatchEvent(new Event("input"));
		} else {
			list.focus();
		}
	} else {
		location.hash = "#/";
	}
}

function toList(by) {
	if (document.activeElement !== list)
		list.focus({ preventScroll: true });
	move(by);
}

const KEYS = [
	{ keys: ["j", "ArrowDown"], shown: "j ↓", text: "next worker", run: () => toList(1) },
	{ keys: ["k", "ArrowUp"], shown: "k ↑", text: "worker before", run: () => toList(-1) },
	{ keys: ["PageDown"], shown: "PgDn", text: "a page down", run: () => toList(pageRows()), list: true },
	{ keys: ["PageUp"], shown: "PgUp", text: "a page up", run: () => toList(-pageRows()), list: true },
	{ keys: ["Home"], shown: "Home", text: "first worker", run: () => toList(-Infinity), list: true },
	{ keys: ["End"], shown: "End", text: "last worker", run: () => toList(Infinity), list: true },
	{ keys: ["Enter"], shown: "Enter", text: "open the worker", run: openSelected, list: true },
	{ keys: ["Escape"], shown: "Esc", text: "close, or empty the filter", run: back, typing: true },
	{ keys: ["/"], shown: "/", text: "filter", run: () => filter.focus() },
	{ keys: ["t"], shown: "t", text: "colours: system, light, dark", run: () => $("theme").click() },
	{ keys: ["?"], shown: "?", text: "this help", run: () => help.showModal() },
];

function onKey(e) {
	const typing = e.target.closest("input, select, textarea") !== null;
	const row = KEYS.find((k) => k.keys.includes(e.key));
	if (help.open || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented)
		return;
	if (e.target === filter && (e.key === "ArrowDown" || e.key === "Enter")) {
		e.preventDefault();
		return toList(e.key === "Enter" ? 0 : 1);
	}
	if (!row || (typing && !row.typing) || (row.list && document.activeElement !== list))
		return;
	// Arrows scroll where something else has them.
	if (e.key.startsWith("Arrow") && document.activeElement !== list && document.activeElement !== document.body)
		return;
	e.preventDefault();
	row.run();
}

export function startKeys() {
	$("keys").append(...KEYS.flatMap((k) => [h("dt", {}, ...k.shown.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, k.text)]));
	$("help-open").addEventListener("click", () => help.showModal());
	document.addEventListener("keydown", onKey);
}
