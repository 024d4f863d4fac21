// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Node that does not leak. innocent.js KIND BYTES PERIOD: saw (garbage for the collector, BYTES in PERIOD seconds), cap (a
// cache that fills to BYTES within PERIOD seconds and then forgets the oldest), buffers (that come and go).
'use strict';
const [kind, size, period] = [process.argv[2], +process.argv[3], +process.argv[4]];
const ITEM = 4000;
const per_tick = Math.ceil(size / period * 0.1 / ITEM);
const cache = new Map();
let n = 0, work = 0, young = [];

const step = {
	saw: () => {
		for (let i = 0; i < per_tick; i++)
			young.push(new Array(ITEM / 8).fill(i));
		if (young.length > per_tick * 20)
			young = [];
	},
	cap: () => {
		for (let i = 0; i < per_tick; i++) {
			cache.set(++n, new Array(ITEM / 8).fill(n));
			if (cache.size > size / ITEM)
				cache.delete(cache.keys().next().value);
		}
	},
	buffers: () => {
		for (let i = 0; i < per_tick; i++)
			young.push(Buffer.alloc(ITEM, 1));
		if (young.length > 2 * per_tick)
			young = young.slice(per_tick);
		work += young.length;
	},
}[kind];
setInterval(step, 100);
