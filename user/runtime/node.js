// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// What memweir run has Node require before a program whose class has runtime_profile: V8's sampling heap profiler is
// started in the process, without a port, and which functions hold most is written into a file without a name that
// the guard reads from outside. Nobody can ask this program for anything; whatever fails here is kept quiet.
'use strict';

function memweir() {
	const fs = require('fs');
	const { Session } = require('inspector');
	const { performance } = require('perf_hooks'); // no global before Node 16
	const { setTimeout } = require('timers'); // this one, whatever the program puts in its place
	const room = 65536; // bytes of the answer
	const top = 10;
	const framesMax = 4096; // functions whose first size is kept
	const grown = 1 << 20; // worth a new answer
	const share = 100; // of its time it works once
	const tick = Number(process.env.MEMWEIR_RUNTIME_TICK || 2) * 1000;
	const before = new Map();
	const session = new Session();
	let own, last = 0;

	function open() {
		const path = '/dev/shm/memweir-runtime-' + process.pid;

		try {
			fs.unlinkSync(path); // of one that had this pid, and was ended here
		} catch (e) {
			// none
		}
		const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL, 0o600);
		fs.unlinkSync(path);
		return { fd, stat: fs.fstatSync(fd) };
	}

	// Of each function what it holds itself.
	function sum(head) {
		const lines = new Map();
		let total = 0;
		const todo = [[head, null]];

		while (todo.length) {
			const [node, above] = todo.pop();
			const f = node.callFrame;
			// What is in nobody's file, such as a builtin, is whose called it.
			const at = f.url && !f.url.startsWith('node:') && f.url !== __filename ? f : above;

			for (const child of node.children)
				todo.push([child, at]);
			total += node.selfSize;
			if (!at)
				continue;
			const key = at.url + '\0' + at.functionName + '\0' + at.lineNumber;
			const line = lines.get(key) || { key, at, bytes: 0 };

			line.bytes += node.selfSize;
			lines.set(key, line);
		}
		return { lines, total };
	}

	function write(profile, began) {
		const { lines, total } = sum(profile.head);

		for (const l of lines.values()) {
			if (!before.has(l.key) && before.size < framesMax)
				before.set(l.key, l.bytes);
			l.grown = l.bytes - (before.get(l.key) || 0);
		}
		const most = [...lines.values()].sort((a, b) => b.grown - a.grown || b.bytes - a.bytes).slice(0, top);
		const text = JSON.stringify({
			version: 1,
			pid: process.pid,
			runtime: 'node',
			took_ms: Math.round(performance.now() - began),
			total_bytes: Math.round(total),
			lines: most.map((l) => ({
				function: l.at.functionName.slice(0, 127),
				file: l.at.url.replace(/^file:\/\//, '').slice(0, 255),
				line: l.at.lineNumber + 1,
				bytes: Math.round(l.bytes),
				objects: 0, // not known: samples stand for bytes
				grown_bytes: Math.round(l.grown),
			})),
		}) + '\n';
		const now = fs.fstatSync(own.fd);

		// A program that closes what it did not open has perhaps opened something else there.
		if (now.ino !== own.stat.ino || now.dev !== own.stat.dev)
			throw new Error('not ours any more');
		if (Buffer.byteLength(text) < room)
			fs.writeSync(own.fd, text, 0);
	}

	function later(ms) {
		setTimeout(look, ms).unref();
	}

	function look() {
		try {
			ask();
		} catch (e) {
			later(10 * tick); // no descriptor left, no /proc
		}
	}

	function ask() {
		const now = process.memoryUsage().rss;

		if (last && Math.abs(now - last) < grown)
			return later(tick);
		last = now;
		const began = performance.now();

		session.post('HeapProfiler.getSamplingProfile', (error, answer) => {
			try {
				if (!error)
					write(answer.profile, began);
				later(Math.max(tick, (performance.now() - began) * share));
			} catch (e) {
				session.disconnect();
			}
		});
	}

	own = open();
	session.connect();
	session.post('HeapProfiler.startSampling', { samplingInterval: 131072 });
	later(tick);
}

try {
	if (require('worker_threads').isMainThread)
		memweir();
} catch (e) {
	// an old Node, or one without its inspector
}
