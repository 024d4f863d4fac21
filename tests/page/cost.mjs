#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// cost.mjs WORKERS ROUNDS: {"ready_ms": [...], "frame_ms": [...], "rows": N} of the page before a daemon with so many workers,
// for tests/bench/rows. ready: from the start of navigation until the list is sorted and answers; frame: news applied and drawn.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, Guard, project, until } from "./guard.mjs";

const [workers, rounds] = process.argv.slice(2).map(Number);
const FRAMES = 6; // live ticks of each round
const { chromium } = createRequire(join(project, ".build", "page-npm", "node_modules", "x"))("playwright-core");
const base = mkdtempSync(join(tmpdir(), "memweir-page-cost-"));
const port = await freePort();
const guard = await new Guard(base, `[http]\nlisten = 127.0.0.1:${port}\n`, "page-cost").start();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-background-networking"] });
const ready = [], frames = [];
let rows = 0;

try {
	await guard.crowd(workers);
	for (let i = 0; i < rounds; i++) {
		const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
		await page.goto(`http://127.0.0.1:${port}/`);
		ready.push((await (await page.waitForFunction(() => performance.getEntriesByName("memweir-ready")[0]?.startTime)).jsonValue()));
		const times = () => page.evaluate(async () => (await import("/page/store.js")).frameTimes);
		frames.push(...await until("ticks", async () => (await times()).length >= FRAMES && times(), 60));
		rows = await page.$eval("#list", (e) => Number(e.getAttribute("aria-rowcount")) - 1);
		await page.context().close();
	}
	console.log(JSON.stringify({ ready_ms: ready, frame_ms: frames, rows }));
} finally {
	await browser.close();
	await guard.end();
	rmSync(base, { recursive: true, force: true });
}
