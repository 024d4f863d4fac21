// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Many workers, and a page that is left open. With 2,000 of them: scripts/bench --only page.
import { until } from "./guard.mjs";

const CROWD = Number(process.env.CROWD ?? 600);

export default [
	[`${CROWD} workers: rows are made for those in sight, and each of them can be reached`, async ({ page, guard, equal, is, picture }) => {
		await guard.crowd(CROWD);
		const p = await page(), started = Date.now();
		await p.waitForSelector(".rows .row");
		const n = await until("all are listed", async () => Number(await p.getAttribute("#list", "aria-rowcount")) > CROWD && Number(await p.getAttribute("#list", "aria-rowcount")));
		console.log(`  # ready after ${Math.round(await p.evaluate(() => performance.getEntriesByName("memweir-ready")[0]?.startTime))} ms, asked for ${Date.now() - started} ms ago`);
		const rows = (await p.$$(".rows .row")).length;
		is(rows < 60, `rows in the document: ${rows}`);
		await p.selectOption("#order", "name");
		await p.focus("#list");
		await p.keyboard.press("End");
		const last = p.locator('.row[aria-selected="true"]');
		equal([await last.getAttribute("data-name"), await last.getAttribute("aria-rowindex")], ["steady-1", String(n)], "the last");
		is((await last.boundingBox()) !== null && await last.isVisible(), "is in sight");
		await p.fill("#filter", "idle-0512");
		equal(await p.$$eval(".rows .row", (r) => r.map((x) => x.dataset.name)), ["idle-0512"], "one of them is found");
		await p.keyboard.press("Enter");
		await p.keyboard.press("Enter");
		await p.waitForSelector(".detail h2:text-is('idle-0512')");
		await p.fill("#filter", "");
		await p.waitForTimeout(1500);
		await picture(p, "crowd");
	}],

	["a page that is left open does not grow: lists have an end, what is drawn is used again", async ({ page, is, equal }) => {
		const p = await page("#/worker/steady-1");
		await p.waitForSelector(".u-wrap canvas");
		const sizes = await p.evaluate(async () => {
			const store = await import("/page/store.js"), chart = await import("/page/chart.js"), box = document.createElement("div");
			document.body.append(box);
			for (let i = 0; i < 5000; i++)
				store.applyPause({ name: `v${i}`, culprit: "c", duration_ns: 1, limit: "class" });
			const plot = chart.chart(box, { label: "x" });
			for (let i = 0; i < 20000; i++)
				plot.add({ t: i * 1000, usage: i, stalled: 5 });
			const size = plot.size();
			plot.destroy();
			box.remove();
			return { stalls: store.state.stalls.size, size };
		});
		equal(sizes, { stalls: 500, size: 3600 }, "bounded");
		const nodes = () => p.evaluate(() => document.querySelectorAll("*").length);
		const before = await nodes();
		for (let i = 0; i < 20; i++)
			await p.evaluate((x) => (location.hash = x % 2 ? "#/" : "#/worker/steady-1"), i);
		await p.evaluate(() => (location.hash = "#/worker/steady-1"));
		await p.waitForSelector(".u-wrap canvas");
		is(Math.abs((await nodes()) - before) < 400, `elements: ${before}, then ${await nodes()}`);
		equal((await p.$$(".uplot")).length, 1, "one curve");
	}],
];
