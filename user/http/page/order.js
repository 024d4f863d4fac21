// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Which workers are listed, and in which order. Pure: tables of filters and orders, and what is made of them.
import { has, limitOf } from "./store.js";

const LEVEL = { critical: 30, "hibernate-now": 15, warning: 8 };
const VERDICT = { leak: 40, suspect: 20, growing: 3 };

export function urgency(w) {
	return (LEVEL[w.level] ?? 0) + (VERDICT[w.verdict] ?? 0) + (w.notInForce ? 25 : 0) + (has(w, "frozen") ? 20 : 0) +
		(has(w, "lifted") ? 10 : 0) + Math.min(40, w.stalledShare * 200) + Math.min(10, w.percent / 10);
}

const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const most = (of) => (a, b) => of(b) - of(a) || byName(a, b);
const cached = new WeakMap();
const rank = (w) => cached.get(w);

export const ORDERS = {
	urgency: { text: "worst first", compare: most(rank), before: (w) => cached.set(w, Math.round(urgency(w))) },
	name: { text: "by name", compare: byName },
	class: { text: "by class", compare: (a, b) => (a.cls < b.cls ? -1 : a.cls > b.cls ? 1 : byName(a, b)) },
	usage: { text: "most memory", compare: most((w) => w.usage) },
	percent: { text: "nearest its limit", compare: most((w) => w.percent) },
	paused: { text: "waits most", compare: most((w) => w.stalledShare) },
	room: { text: "least room left", compare: (a, b) => (limitOf(a) ?? Infinity) - a.heap - ((limitOf(b) ?? Infinity) - b.heap) || byName(a, b) },
};

export const STATES = {
	"": { text: "every state", is: () => true },
	attention: { text: "needs attention", is: (w) => w.level !== "ok" || w.verdict === "leak" || w.verdict === "suspect" || w.stalledShare > 0.05 || !!w.notInForce || has(w, "frozen") },
	leak: { text: "leak or suspect", is: (w) => w.verdict === "leak" || w.verdict === "suspect" },
	near: { text: "near its limit", is: (w) => w.level !== "ok" },
	paused: { text: "waits for memory", is: (w) => w.stalledShare > 0.001 || w.reclaims >= 1 },
	held: { text: "frozen, lifted, hibernated", is: (w) => has(w, "frozen") || has(w, "lifted") || has(w, "hibernated") },
	unmet: { text: "limits not in force", is: (w) => !!w.notInForce },
};

// Every word has to be in the worker's name, class or command.
export function select(workers, { text, cls, state, order }) {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	const is = (STATES[state] ?? STATES[""]).is, { compare, before } = ORDERS[order] ?? ORDERS.urgency;
	const chosen = [];
	for (const w of workers) {
		if ((!cls || w.cls === cls) && is(w) && words.every((word) => w.search.includes(word))) {
			before?.(w);
			chosen.push(w);
		}
	}
	return chosen.sort(compare);
}
