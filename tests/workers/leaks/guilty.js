// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Leaks as Node has them. guilty.js KIND RATE SIZE CHURN: so many bytes a second, of objects of that size, each beside
// CHURN that come and go.
'use strict';
const { EventEmitter } = require('events');

const [kind, rate, size, churn] = [process.argv[2], +process.argv[3], +process.argv[4], +process.argv[5]];
const bus = new EventEmitter();
const sessions = new Map();
const buffers = [];
bus.setMaxListeners(0);

const forget = {
	listener: (n) => {
		const body = new Array(size / 8).fill(n);
		bus.on('event', () => body.length);
	},
	map: (n) => sessions.set(`session ${n}`, { n, body: `${n}`.repeat(size / 6 + 1).split('') }),
	buffer: () => buffers.push(Buffer.alloc(size, 1)),
	timer: (n) => {
		const body = new Array(size / 8).fill(n);
		setInterval(() => body.length, 3600e3);
	},
	promise: (n) => {
		const body = new Array(size / 8).fill(n);
		new Promise((resolve) => buffers.push(resolve)).then(() => body.length);
	},
}[kind];

let owed = 0, n = 0, last = Date.now(), work = 0;
setInterval(() => {
	const t = Date.now();
	owed += rate * (t - last) / 1000;
	last = t;
	for (; owed >= size; owed -= size) {
		for (let i = 0; i < churn; i++)
			work += JSON.stringify({ n, words: new Array(20).fill('word') }).length;
		forget(++n);
	}
}, 50);
