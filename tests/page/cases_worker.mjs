// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// One worker and one incident, by links that were pasted.
import { until } from "./guard.mjs";

const inked = (p) => p.$eval(".u-wrap canvas", (c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.reduce((n, x) => n + (x > 0), 0));

export default [
	["a worker's curve goes on while it is looked at", async ({ page, is, picture }) => {
		const p = await page("#/worker/leaky");
		await p.waitForSelector(".u-wrap canvas");
		const first = async () => {
			const box = await (await p.$(".u-over")).boundingBox();
			await p.mouse.move(box.x + box.width - 2, box.y + 40);
			return p.textContent(".u-legend .u-series:nth-child(2) .u-value");
		};
		await until("the minute before is there", async () => /MB/.test(await first()) && (await inked(p)) > 2000);
		const before = await first();
		await until("and goes on", async () => (await first()) !== before);
		is(/Memory of leaky over time/.test(await p.getAttribute(".uplot", "aria-label")), "it has a name");
		await p.mouse.move(10, 10);
		await picture(p, "worker-light");
		await p.emulateMedia({ colorScheme: "dark" });
		await until("drawn anew", () => p.$(".u-wrap canvas"));
		await picture(p, "worker-dark");
	}],

	["its verdict, what speaks for and against it, and where: a tree by keys", async ({ page, is, equal }) => {
		const p = await page("#/worker/leaky"), press = (key) => p.keyboard.press(key);
		await p.waitForSelector(".tree");
		is(/B\/s since/.test(await p.textContent(".part .verdict")), "rate and onset");
		is((await p.$$(".sentences.for li")).length > 0 && (await p.textContent(".sentences.for")).includes("rose"), "evidence");
		is(/remember_forever tests\/workers\/leak\.c:\d+/.test((await p.textContent(".tree > li .code")).replaceAll(/\s+/g, " ")), "function, file and line");
		is(/%/.test(await p.textContent(".tree > li .share")) && /B$/.test(await p.textContent(".tree > li .amount")), "share and bytes");
		await p.focus('.tree [tabindex="0"]');
		const open = () => p.evaluate(() => document.activeElement.getAttribute("aria-expanded"));
		const deepest = () => p.evaluate(() => document.activeElement.getAttribute("aria-level"));
		if (await open() !== null) {
			if (await open() === "false")
				await press("ArrowRight");
			equal(await open(), "true", "right opens");
			await press("ArrowRight");
			equal(await deepest(), "2", "and goes to the caller");
			await press("ArrowLeft");
			await press("ArrowLeft");
			if (await deepest() === "2")
				await press("ArrowLeft");
			if (await open() === "true")
				await press("ArrowLeft");
			equal([await deepest(), await open()], ["1", "false"], "left closes");
			const path = () => p.evaluate(() => document.activeElement.dataset.path), before = await path();
			await p.waitForResponse((r) => r.url().includes("/v1/report/leaky"));
			await p.waitForTimeout(100);
			if (await p.$$eval('[role="treeitem"]', (items, at) => items.some((e) => e.dataset.path === at), before)) // else it is known by other stacks now
				equal([await path(), await deepest(), await open()], [before, "1", "false"], "closed and in focus also when the figures are new");
			else
				equal(await deepest(), "1", "in focus at the top");
		}
	}],

	["an incident shows up by itself, and its link can be pasted", async ({ page, guard, worker, is, equal, picture }) => {
		const p = await page();
		guard.run("tool", "doomed", worker("leak"), "200000", "100");
		await guard.placed("doomed");
		await until("it has a past", async () => (await guard.get("/v1/workers")).workers.find((w) => w.name === "doomed").usage_bytes > 6e6);
		equal((await guard.mw("kill", "doomed")).status, 0, "killed");
		await p.waitForSelector(".incident:has-text('doomed')");
		await p.click(".incident:has-text('doomed') a");
		await p.waitForSelector(".detail h2:has-text('doomed')");
		is(/#\/incident\/\d{8}T\d{6}Z-doomed/.test(p.url()), `a link: ${p.url()}`);
		const q = await page(p.url().slice(p.url().indexOf("#")));
		await q.waitForSelector(".detail h2:has-text('doomed')");
		is(/killed by/.test(await q.textContent(".detail")), "who did it");
		const doc = (await guard.get(`/v1/report/${decodeURIComponent(p.url().split("/").pop())}`)).incidents[0];
		for (const [key, selector] of [["recorder", ".uplot"], ["timeline", ".timeline li"], ["neighbours", ".detail table"], ["prevention", ".advice li"], ["cause", ".cause"]]) {
			if (doc[key] && (doc[key].length ?? doc[key].points?.length ?? 1) > 0)
				is(await q.$(selector), `${key} is shown`);
		}
		await picture(q, "incident-light");
	}],

	["who is not there is said to be not there; what has ended keeps its link", async ({ page, is }) => {
		const p = await page("#/worker/nobody-at-all");
		await until("no such worker", async () => /No worker of this name/.test(await p.textContent(".ended")));
		await p.goto(`${p.url().split("#")[0]}#/worker/doomed`);
		await until("its incident is all there is", async () => /has ended/.test(await p.textContent(".ended")));
		is((await p.$$(".detail .incident")).length >= 1, "with its incidents");
		await p.goto(`${p.url().split("#")[0]}#/incident/20200101T000000Z-x`);
		await until("no such incident", async () => /No incident of this id/.test(await p.textContent(".detail")));
		await p.goto(`${p.url().split("#")[0]}#/worker/%E0%A4%A`);
		is(await p.isHidden("#detail"), "half an escape opens nothing");
	}],

	["frozen: said at once, and over when thawed", async ({ page, guard, is }) => {
		const p = await page("#/worker/steady-1");
		await p.waitForSelector(".badges .badge");
		await guard.mw("freeze", "steady-1");
		await p.waitForSelector('.badge[data-flag="frozen"]');
		is(/is frozen/.test(await until("it needs attention", () => p.textContent('.item[data-key="worker:steady-1"]', { timeout: 5000 }).catch(() => null))), "at the top");
		await guard.mw("thaw", "steady-1");
		await p.waitForSelector('.badge[data-flag="frozen"]', { state: "detached" });
		await until("and gone there", async () => !(await p.$('.item[data-key="worker:steady-1"]')));
	}],
];
