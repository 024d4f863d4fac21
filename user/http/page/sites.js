// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Where the memory comes from, as a tree: the line that allocates, below it its callers. Stacks that begin alike share
 * their way. The keys of a tree: up and down, right opens, left closes, Home, End.
 */
import { h } from "./dom.js";
import { bytes, duration, many, share } from "./format.js";

const HOT = 0.5; // of its parent's bytes: opened from the beginning
const PLACES_MAX = 64, DEPTH_MAX = 128;

const LIBRARY = /^(_*(mem(set|cpy|move)|str(n?dup|n?cpy)|(lib_|libc_)?malloc|calloc|realloc|mmap|posix_memalign|aligned_alloc|int_malloc|sysmalloc|_libc_)|operator new)/;

// Frames without those at the top that only copy and allocate for others; all of them when there is nothing else.
export function withoutLibrary(frames) {
	const first = frames.findIndex((f) => f.function && !LIBRARY.test(f.function));
	return first > 0 ? frames.slice(first) : frames;
}

const titleOf = (f) => f.function || "?";
const placeOf = (f) => (f.file && f.line ? `${f.file}:${f.line}` : f.module ? f.module.split("/").pop() : "");
const keyOf = (f) => `${titleOf(f)}\0${placeOf(f)}`;

// Pure: sites as nodes {frame, bytes, sites, children}, the largest first.
export function treeOf(sites) {
	const root = { bytes: 0, children: new Map(), sites: [] };
	for (const site of sites.slice(0, PLACES_MAX)) {
		let node = root;
		root.bytes += site.bytes;
		for (const frame of withoutLibrary(site.frames ?? []).slice(0, DEPTH_MAX)) {
			const key = keyOf(frame);
			if (!node.children.has(key))
				node.children.set(key, { frame, bytes: 0, sites: [], children: new Map() });
			node = node.children.get(key);
			node.bytes += site.bytes;
		}
		node.sites.push(site);
		if (node === root)
			node.children.set(`unnamed ${root.children.size}`, { frame: { function: site.unnamed ?? "unknown code" }, bytes: site.bytes, sites: [site], children: new Map() });
	}
	return root;
}

const sorted = (node) => [...node.children.values()].sort((a, b) => b.bytes - a.bytes);

// What is known of a place besides its size.
export function factsOf(site) {
	const facts = [site.kind];
	if (site.samples)
		facts.push(many(site.samples, "sample"));
	if (site.kept_share !== null && site.kept_share !== undefined)
		facts.push(`${share(site.kept_share)} of what it allocates stays`);
	if (site.mean_age_s)
		facts.push(`${duration(site.mean_age_s)} old on average`);
	if (site.untouched_share)
		facts.push(`${share(site.untouched_share)} not touched since`);
	if (site.comm)
		facts.push(`${site.comm} (${site.pid})`);
	return facts.join(" · ");
}

const leaves = (node) => (node.sites.length ? node.sites : sorted(node).flatMap(leaves));

function item(node, total, level, parentBytes, above, opened) {
	const children = sorted(node), of = total ? node.bytes / total : 0;
	const path = `${above}\n${keyOf(node.frame)}`;
	const open = opened.get(path) ?? (children.length > 0 && level < 6 && node.bytes >= HOT * parentBytes && (level === 1 || children.length === 1));
	const row = h("span", { class: "frame" },
		h("span", { class: "twist", "aria-hidden": "true" }),
		h("span", { class: "share" }, level === 1 ? share(of) : ""),
		h("span", { class: "amount" }, level === 1 ? bytes(node.bytes) : ""),
		h("span", { class: "code" }, h("b", {}, titleOf(node.frame)), " ", h("span", { class: "place" }, placeOf(node.frame)), node.frame.inlined ? h("i", {}, " inlined") : null),
		level === 1 ? h("span", { class: "kind" }, factsOf(leaves(node)[0])) : null);
	const li = h("li", {
		role: "treeitem", tabindex: "-1", "aria-level": level, "aria-expanded": children.length ? String(open) : null, "aria-selected": "false",
		"aria-label": `${titleOf(node.frame)} ${placeOf(node.frame)}${level === 1 ? `, ${share(of)}, ${bytes(node.bytes)}` : ", its caller"}`,
	}, row);
	li.dataset.path = path;
	if (children.length)
		li.append(h("ul", { role: "group" }, ...children.map((c) => item(c, total, level + 1, node.bytes, path, opened))));
	return li;
}

const visible = (tree) => [...tree.querySelectorAll('[role="treeitem"]')].filter((e) => !e.parentElement.closest('[aria-expanded="false"]'));

function focusOn(tree, e) {
	for (const one of tree.querySelectorAll('[tabindex="0"]'))
		one.tabIndex = -1;
	e.tabIndex = 0;
	e.focus();
}

function setOpen(tree, e, open) {
	e.setAttribute("aria-expanded", String(open));
	tree.opened.set(e.dataset.path, open);
}

function onKey(tree, e) {
	const at = e.target.closest('[role="treeitem"]'), all = visible(tree), i = all.indexOf(at);
	const open = at?.getAttribute("aria-expanded");
	const to = { ArrowDown: all[i + 1], ArrowUp: all[i - 1], Home: all[0], End: all.at(-1), j: all[i + 1], k: all[i - 1] }[e.key];
	if (!at || e.ctrlKey || e.metaKey || e.altKey)
		return;
	if (to)
		focusOn(tree, to);
	else if (e.key === "ArrowRight" && open === "false")
		setOpen(tree, at, true);
	else if (e.key === "ArrowRight" && open === "true")
		focusOn(tree, all[i + 1]);
	else if (e.key === "ArrowLeft" && open === "true")
		setOpen(tree, at, false);
	else if (e.key === "ArrowLeft" && at.parentElement.closest('[role="treeitem"]'))
		focusOn(tree, at.parentElement.closest('[role="treeitem"]'));
	else if ((e.key === "Enter" || e.key === " ") && open)
		setOpen(tree, at, open === "false");
	else if (!["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "j", "k", "Enter", " "].includes(e.key))
		return;
	e.preventDefault();
	e.stopPropagation();
}

// The tree of these sites, or null when there are none. before: the one in its place so far, whose open ones stay open.
export function sitesTree(sites, label, before = null) {
	if (!sites?.length)
		return null;
	const root = treeOf(sites), opened = before?.opened ?? new Map();
	const tree = h("ul", { class: "tree", role: "tree", "aria-label": label }, ...sorted(root).map((n) => item(n, root.bytes, 1, root.bytes, "", opened)));
	tree.opened = opened;
	tree.firstElementChild.tabIndex = 0;
	tree.addEventListener("keydown", (e) => onKey(tree, e));
	tree.addEventListener("click", (e) => {
		const at = e.target.closest('[role="treeitem"]');
		if (!at || getSelection().toString())
			return;
		if (at.hasAttribute("aria-expanded") && e.target.closest(".frame"))
			setOpen(tree, at, at.getAttribute("aria-expanded") === "false");
		focusOn(tree, at);
	});
	return tree;
}
