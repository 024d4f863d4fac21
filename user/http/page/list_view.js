// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The list of workers: rows exist for what is in sight only, and move to where they are scrolled to. Focus stays on
 * the list itself, which says which row is meant (aria-activedescendant); it holds still while the mouse is over it.
 */
import { $, h, setAttribute, setText } from "./dom.js";
import { count } from "./format.js";
import { COLUMNS, fillRow, makeHead, makeRow } from "./list_row.js";
import { ORDERS, select, STATES } from "./order.js";
import { drawSpark, forget, tick, want } from "./sparks.js";
import { listen, state } from "./store.js";

const SPARE = 4; // rows above and below what is in sight
const RESORT_MS = 2000;

const list = $("list"), rows = $("rows");
const choice = { text: "", cls: "", state: "", order: "urgency" };
let shown = [], pool = [], current = "", sorted = 0, over = false, rowHeight = 40, colours = {}, classes = "";

function measure() {
	const style = getComputedStyle(document.documentElement);
	rowHeight = parseFloat(style.getPropertyValue("--row")) || 40;
	colours = { ok: style.getPropertyValue("--line"), warn: style.getPropertyValue("--warn"), bad: style.getPropertyValue("--bad") };
}

function place(row, index) {
	row.style.transform = `translateY(${index * rowHeight}px)`;
}

function inSight() {
	const first = Math.max(0, Math.floor(list.scrollTop / rowHeight) - SPARE);
	const n = Math.ceil((list.clientHeight || 400) / rowHeight) + 2 * SPARE;
	return [first, Math.min(shown.length, first + n)];
}

export function paint() {
	const [first, end] = inSight();
	while (pool.length < end - first)
		pool.push(rows.appendChild(makeRow()));
	while (pool.length > end - first)
		pool.pop().remove();
	for (let i = first; i < end; i++) {
		const row = pool[i - first], w = shown[i];
		fillRow(row, w, i, w.name === current);
		place(row, i);
		drawSpark(row.children[4].firstElementChild, w, colours[row.dataset.gravity]);
	}
	const at = indexOf(current);
	setAttribute(list, "aria-activedescendant", at >= first && at < end ? `row-${shown[at].id}` : null);
	want(shown.slice(first, end).map((w) => w.name), paint);
}

function arrange() {
	shown = select(state.workers.values(), choice);
	sorted = performance.now();
	rows.style.height = `${shown.length * rowHeight}px`;
	list.style.setProperty("--content", `${shown.length * rowHeight}px`);
	setAttribute(list, "aria-rowcount", String(shown.length + 1));
	setText($("shown"), shown.length === state.workers.size ? count(shown.length) : `${count(shown.length)} of ${count(state.workers.size)}`);
	rows.classList.toggle("none", !shown.length);
}

function offerClasses() {
	const there = [...new Set([...state.workers.values()].map((w) => w.cls))].sort();
	const chosen = $("filter-class");
	if (there.join() === classes)
		return;
	classes = there.join();
	chosen.replaceChildren(h("option", { value: "" }, "every class"), ...there.map((c) => h("option", { value: c }, c)));
	chosen.value = choice.cls;
}

const indexOf = (name) => shown.findIndex((w) => w.name === name);

export function selected() {
	return indexOf(current) >= 0 ? current : "";
}

// To the worker so many rows further, which is scrolled into sight.
export function move(by) {
	if (!shown.length)
		return;
	const at = indexOf(current), next = at < 0 && by !== Infinity ? 0 : Math.max(0, Math.min(shown.length - 1, at + by));
	current = shown[next].name;
	const top = next * rowHeight, head = list.firstElementChild.offsetHeight;
	if (top < list.scrollTop)
		list.scrollTop = top;
	else if (top + rowHeight > list.scrollTop + list.clientHeight - head)
		list.scrollTop = top + rowHeight - list.clientHeight + head;
	paint();
	list.scrollIntoView({ block: "nearest" });
}

export const pageRows = () => Math.max(1, Math.floor(list.clientHeight / rowHeight) - 2);
export const mark = (name) => {
	current = name;
	paint();
};

function choose(key, value) {
	choice[key] = value;
	list.scrollTop = 0;
	arrange();
	paint();
}

function update(what) {
	if (what.has("workers"))
		tick();
	if (what.has("who")) {
		offerClasses();
		arrange();
	} else if (what.has("workers") && !over && performance.now() - sorted > RESORT_MS) {
		arrange();
	}
	if (what.has("workers") || what.has("leaks"))
		paint();
}

export function refilter() {
	forget();
	arrange();
	paint();
}

export function startList() {
	makeHead(list.querySelector(".head"));
	setAttribute(list, "aria-colcount", String(COLUMNS.length));
	$("order").append(...Object.entries(ORDERS).map(([value, o]) => h("option", { value }, o.text)));
	$("filter-state").append(...Object.entries(STATES).map(([value, s]) => h("option", { value }, s.text)));
	$("filter").addEventListener("input", (e) => choose("text", e.target.value));
	$("filter-class").addEventListener("change", (e) => choose("cls", e.target.value));
	$("filter-state").addEventListener("change", (e) => choose("state", e.target.value));
	$("order").addEventListener("change", (e) => choose("order", e.target.value));
	list.addEventListener("scroll", () => requestAnimationFrame(paint), { passive: true });
	list.addEventListener("pointerenter", () => (over = true));
	list.addEventListener("pointerleave", () => (over = false));
	rows.addEventListener("click", (e) => {
		const name = e.target.closest(".row")?.dataset.name;
		if (name)
			location.hash = `#/worker/${encodeURIComponent(name)}`;
	});
	new ResizeObserver(() => {
		measure();
		arrange();
		paint();
	}).observe(list);
	listen(update);
	measure();
}

export function repaint() {
	measure();
	paint();
}
