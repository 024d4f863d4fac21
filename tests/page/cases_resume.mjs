// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// The connection goes, the daemon goes: what is shown is said to be old, and goes on by itself.
import { until } from "./guard.mjs";

const live = (p) => p.waitForSelector('#fresh[data-fresh="yes"]');
const marked = (p) => p.$eval("#stale", (e) => (e.hidden ? null : e.textContent));

export default [
	["a connection that is cut is taken up where it was", async ({ page, door, is, equal }) => {
		const p = await page(), asked = [];
		await live(p);
		await p.waitForSelector(".rows .row");
		p.on("request", async (r) => /\/v1\/(live|events)/.test(r.url()) && asked.push({ url: r.url(), last: (await r.allHeaders().catch(() => ({})))["last-event-id"] }));
		await until("something has come with an id", () => p.evaluate(async () => (await import("/page/store.js")).state.ticks > 1));
		door.cut();
		await until("it asks again", () => asked.some((a) => a.url.includes("/v1/live")));
		const again = await until("and says where it was", () => asked.find((a) => a.last || a.url.includes("last_event_id")));
		is(/-\d+$/.test(again.last ?? decodeURIComponent(again.url)), `BOOT-SEQ: ${JSON.stringify(again)}`);
		await live(p);
		equal(await marked(p), null, "nothing is said to be stale");
	}],

	["no way to the daemon: stale since when, nothing pretends to be fresh, and back again", async ({ page, door, is, picture }) => {
		const p = await page();
		await live(p);
		await p.waitForSelector('.row[data-name="leaky"]');
		door.shut();
		const said = await until("it is said", () => marked(p));
		is(/Stale since \d\d:\d\d:\d\d .*no connection/.test(said), said);
		is(await p.$("html.stale"), "all of it is dimmed");
		is(/stale/.test(await until("in the title too", async () => /stale/.test(await p.title()) && p.title())), "title");
		const usage = () => p.textContent('.row[data-name="leaky"] .c3'), before = await usage();
		await p.waitForTimeout(1500);
		is(before === await usage(), "figures stand still");
		await picture(p, "stale");
		door.open = true;
		await live(p);
		await until("no longer stale", async () => (await marked(p)) === null && !(await p.$("html.stale")));
		await until("and moves", async () => (await usage()) !== before);
	}],

	["the daemon is stopped and started: the page goes on with its workers", async ({ page, guard, is }) => {
		const p = await page("#/worker/leaky");
		await live(p);
		await guard.stop();
		await until("stale", () => marked(p));
		await guard.start();
		await live(p);
		await until("the workers are there", async () => (await p.$$(".rows .row")).length >= 4);
		const ticks = () => p.evaluate(async () => (await import("/page/store.js")).state.ticks);
		const before = await ticks();
		await until("live figures come", async () => (await ticks()) > before + 1);
		is((await guard.get("/v1/workers")).workers.length >= 4, "taken up again");
	}],

	["a page that nobody sees asks for nothing, and is right at once when it is looked at", async ({ page, is }) => {
		const p = await page();
		await live(p);
		const set = (hidden) => p.evaluate((h) => {
			Object.defineProperty(document, "hidden", { value: h, configurable: true });
			document.dispatchEvent(new Event("visibilitychange"));
		}, hidden);
		await set(true);
		const ticks = () => p.evaluate(async () => (await import("/page/store.js")).state.ticks), before = await ticks();
		await p.waitForTimeout(2500);
		is(before === await ticks(), "no ticks");
		await set(false);
		await until("ticks again", async () => (await ticks()) > before && (await marked(p)) === null);
	}],
];
