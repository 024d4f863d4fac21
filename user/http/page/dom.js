// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Elements. Text is only ever text: nothing here, or anywhere in this page, makes HTML of a string.

// h("a", {class: "name", href: "#/", "aria-label": "x", onclick: fn}, "text", child, null)
export function h(tag, props = {}, ...children) {
	const e = document.createElement(tag);
	for (const [key, value] of Object.entries(props)) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith("on"))
			e.addEventListener(key.slice(2), value);
		else
			e.setAttribute(key, value === true ? "" : String(value));
	}
	append(e, children);
	return e;
}

function append(e, children) {
	for (const child of children.flat()) {
		if (child !== null && child !== undefined && child !== false)
			e.append(child); // a string becomes a text node
	}
}

export const $ = (id) => document.getElementById(id);

// Writing what is there already would wake screen readers and layout for nothing.
export function setText(e, text) {
	if (e.textContent !== text)
		e.textContent = text;
}

export function setAttribute(e, name, value) {
	if (value === null ? e.hasAttribute(name) : e.getAttribute(name) !== value)
		value === null ? e.removeAttribute(name) : e.setAttribute(name, value);
}

/*
 * Children of a list by key: those that stay are kept, so that focus and selection do. make(item) once for each new
 * key, update(element, item) every time.
 */
export function reconcile(parent, items, key, make, update) {
	const old = new Map([...parent.children].map((e) => [e.dataset.key, e]));
	let at = parent.firstElementChild;

	for (const item of items) {
		const k = key(item);
		let e = old.get(k);
		if (!e) {
			e = make(item);
			e.dataset.key = k;
		}
		old.delete(k);
		update?.(e, item);
		if (e === at)
			at = at.nextElementSibling;
		else
			parent.insertBefore(e, at);
	}
	for (const e of old.values())
		e.remove();
}
