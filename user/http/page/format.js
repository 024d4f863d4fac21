// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Sizes and times as memweir prints them (user/util/size.c): decimal units, one digit behind the point.
import { h } from "./dom.js";

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

// 999,960 is 1.0 MB, not 1000.0 KB.
function unitOf(n) {
	let i = 0;
	while (i < UNITS.length - 1 && n >= (i ? 999.95 : 1000) * 1000 ** i)
		i++;
	return i;
}

export function bytes(n) {
	if (n === null || n === undefined)
		return "max";
	const i = unitOf(n);
	return i ? `${(n / 1000 ** i).toFixed(1)} ${UNITS[i]}` : `${Math.round(n)} B`;
}

// "33.9 of 50.0 MB": one unit where both have it.
export function bytesOf(n, limit) {
	if (limit === null || limit === undefined)
		return bytes(n);
	const i = unitOf(limit);
	return i && n >= 1000 ** i / 20 ? `${(n / 1000 ** i).toFixed(1)} of ${bytes(limit)}` : `${bytes(n)} of ${bytes(limit)}`;
}

export function rate(perSecond) {
	const steps = [[1, "s"], [60, "min"], [3600, "h"]];
	const [s, unit] = steps.find(([k]) => Math.abs(perSecond) * k >= 1e5) ?? steps[2];
	return `${perSecond < 0 ? "-" : ""}${bytes(Math.abs(perSecond) * s)}/${unit}`;
}

export function duration(seconds) {
	if (seconds === null || seconds === undefined)
		return "";
	const ns = seconds * 1e9;
	if (ns < 1000)
		return `${Math.round(ns)} ns`;
	if (ns < 1e6)
		return `${Math.round(ns / 1e3)} us`;
	if (ns < 1e9)
		return ns < 1e7 ? `${(ns / 1e6).toFixed(1)} ms` : `${Math.round(ns / 1e6)} ms`;
	if (seconds < 60)
		return `${seconds.toFixed(1)} s`;
	const s = Math.round(seconds);
	if (s < 3600)
		return `${Math.floor(s / 60)} min ${s % 60 ? `${s % 60} s` : ""}`.trim();
	if (s < 86400)
		return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
	return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

// How long ago or until, in one unit: people at 3 a.m. do not add minutes and seconds.
export function about(seconds) {
	const s = Math.max(0, seconds);
	if (s < 100)
		return `${Math.round(s)} s`;
	if (s < 6000)
		return `${Math.round(s / 60)} min`;
	if (s < 360000)
		return `${Math.round(s / 3600)} h`;
	return `${Math.round(s / 86400)} d`;
}

export const percent = (n) => `${n < 10 ? n.toFixed(1) : Math.round(n)} %`;
export const share = (x) => percent(100 * x);
export const count = (n) => n.toLocaleString("en-US");
export const many = (n, one, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;

const two = (n) => String(n).padStart(2, "0");

// "02:10:28" where it is read; with its date when that is not today.
export function clock(ms) {
	const d = new Date(ms), now = new Date();
	const time = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
	return d.toDateString() === now.toDateString() ? time : `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${time}`;
}

export const utc = (ms) => `${new Date(ms).toISOString().replace("T", " ").replace(/\.\d+Z/, "Z")} (UTC)`;

// A time as an element: local, with UTC as its title.
export function timeOf(when, text) {
	const ms = typeof when === "number" ? when : Date.parse(when);
	if (Number.isNaN(ms))
		return h("span", {}, "unknown");
	return h("time", { datetime: new Date(ms).toISOString(), title: utc(ms) }, text ?? clock(ms));
}
