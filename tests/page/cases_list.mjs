// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// What needs attention, and the list of workers, by mouse and keys.
import { until } from "./guard.mjs";

const listed = (p) => p.$$eval(".rows .row", (rows) => rows.sort((a, b) => a.getAttribute("aria-rowindex") - b.getAttribute("aria-rowindex")).map((r) => r.dataset.name));
const quiet = (p) => until("all is quiet", async () => /All quiet: \d+ worker/.test(await p.textContent("#attention"))).catch(async (e) => {
	throw new Error(`${e.message} instead: ${await p.textContent("#attention")}`);
});
const HOSTILE = '<img src=x onerror="document.title=1"><script>alert(1)</script>';

export default [
	["nothing to do: all quiet, in so many words", async ({ page, equal }) => {
		const p = await page();
		await quiet(p);
		equal(await listed(p), ["steady-1"], "the list");
		await p.waitForSelector('#fresh[data-fresh="yes"]');
	}],

	["what has not been answered is not called nothing, and is asked for again", async ({ page, is, equal }) => {
		const p = await page();
		let shut = true;
		await p.route("**/v1/report/incidents*", (r) => (shut ? r.fulfill({ status: 503, json: { error: "too many of them" } }) : r.continue()));
		await p.reload();
		await until("why not", async () => (await p.textContent("#incident-list")) === "Not known: too many of them. Trying again.");
		is(!/All quiet/.test(await p.textContent("#attention")), "not all quiet");
		shut = false;
		equal(await until("answered", async () => /^None/.test(await p.textContent("#incident-list")) && p.textContent("#incident-list")), "None.", "soon");
		await quiet(p);
	}],

	["page cache is a lighter part of the bar, and said", async ({ page, equal }) => {
		const p = await page();
		await p.waitForSelector(".rows .row");
		const shown = await p.evaluate(async () => {
			const { fillRow, makeRow } = await import("/page/list_row.js"), { state } = await import("/page/store.js"), row = makeRow();
			const w = { ...state.workers.values().next().value, usage: 47e6, max: 50e6, percent: 1.5 };
			fillRow(row, w, 0, false);
			return [row.children[3].textContent, ...[...row.querySelectorAll(".fill")].map((e) => e.style.transform)];
		});
		equal(shown, ["47.0 of 50.0 MB, 1.5 % + cache", "scaleX(0.94)", "scaleX(0.015)"], "text, and both parts");
	}],

	["a leak comes to the top by itself, with its rate, its time and its code", async ({ page, guard, worker, is, picture }) => {
		const p = await page();
		await p.waitForSelector(".rows .row");
		guard.run("tool", "leaky", worker("leak"), "65536", "50");
		guard.run("generic", "over", worker("grow"), "cold", "2000000", "50", "30000000");
		guard.run("context", "hostile", worker("steady"), "4000000", HOSTILE);
		await guard.placed("leaky", "over", "hostile");
		const item = await until("it is called", async () => {
			const text = await p.textContent('.item[data-key="worker:leaky"]').catch(() => "");
			return /leak/.test(text) && /B\/s/.test(text) && /remember_forever/.test(text) && text;
		});
		is(/meets its limit in \d+|at its limit of/.test(item), `when: ${item}`);
		is(/over its limit|leaks/.test(await p.textContent('.item[data-key="worker:over"]')), "who is over his limit");
		const ranks = await p.$$eval(".item", (items) => items.map((i) => Number(i.dataset.rank)));
		is(ranks.every((r, i) => !i || r <= ranks[i - 1]), `the worst first: ${ranks}`);
		is(/\(\d+\) memweir/.test(await p.title()), "the title counts");
		await p.emulateMedia({ colorScheme: "light" });
		await picture(p, "overview-light");
		await p.emulateMedia({ colorScheme: "dark" });
		await picture(p, "overview-dark");
	}],

	["figures move without being asked for", async ({ page, is }) => {
		const p = await page();
		await p.waitForSelector('.row[data-name="leaky"]');
		const usage = () => p.textContent('.row[data-name="leaky"] .c3');
		const before = await usage();
		await until("it has grown on the screen", async () => (await usage()) !== before);
		const drawn = () => p.$eval('.row[data-name="leaky"] canvas', (c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((x) => x));
		is(await until("its line is drawn", drawn), "a line of the last minute");
	}],

	["the list is filtered and sorted", async ({ page, equal }) => {
		const p = await page();
		await p.waitForSelector('.row[data-name="leaky"]');
		await p.selectOption("#order", "name");
		equal(await listed(p), ["hostile", "leaky", "over", "steady-1"], "by name");
		await p.selectOption("#order", "usage");
		equal((await listed(p)).at(-1), "hostile", "the smallest last");
		await p.selectOption("#filter-class", "tool");
		equal((await listed(p)).sort(), ["leaky", "steady-1"], "one class");
		equal(await p.textContent("#shown"), "2 of 4", "how many");
		await p.selectOption("#filter-class", "");
		await p.selectOption("#filter-state", "near");
		equal(await listed(p), ["over"], "near its limit");
		await p.selectOption("#filter-state", "");
		await p.fill("#filter", "STEADY -1");
		equal(await listed(p), ["steady-1"], "every word, whatever its case");
		await p.fill("#filter", "nobody");
		equal(await listed(p), [], "nobody");
	}],

	["keys: / filters, j and k move, Enter opens, Esc closes, ? helps", async ({ page, equal, is }) => {
		const p = await page(), press = (key) => p.keyboard.press(key);
		const current = () => p.$eval('.row[aria-selected="true"]', (r) => r.dataset.name).catch(() => null);
		const active = () => p.evaluate(() => document.activeElement.id);
		await p.waitForSelector('.row[data-name="leaky"]');
		await p.selectOption("#order", "name");
		await p.evaluate(() => document.activeElement.blur());
		await press("j");
		equal([await current(), await active()], ["hostile", "list"], "the first");
		await press("j");
		await press("ArrowDown");
		await press("k");
		equal(await current(), "leaky", "down, down, up");
		equal(await p.evaluate(() => document.getElementById(document.querySelector("#list").getAttribute("aria-activedescendant"))?.dataset.name), "leaky", "a screen reader is told");
		await press("Enter");
		await p.waitForSelector(".detail h2:text-is('leaky')");
		is(p.url().endsWith("#/worker/leaky"), "the address can be pasted");
		await press("Escape");
		await p.waitForSelector("#detail", { state: "hidden" });
		await press("/");
		equal(await active(), "filter", "the filter");
		await p.keyboard.type("over?j");
		equal(await p.inputValue("#filter"), "over?j", "letters are letters there");
		await press("Escape");
		equal(await p.inputValue("#filter"), "", "emptied");
		await press("Escape");
		equal(await active(), "list", "and left");
		await press("End");
		equal(await current(), "steady-1", "the last");
		await press("?");
		is(await p.isVisible("#help"), "help");
		await press("Escape");
		is(await p.isHidden("#help"), "closed again");
	}],

	["what workers say is text, whatever it looks like", async ({ page, browser, door, equal, is }) => {
		const p = await page("#/worker/hostile");
		await p.waitForSelector(".detail .facts code");
		is((await p.textContent(".detail")).includes("<img src=x onerror="), "it is shown as it is");
		equal(await p.$$eval("#detail img, #detail script, .list img, .list script", (e) => e.length), 0, "and nothing was made of it");
		// On a page of its own: the browser tells of it in the console, where else there is to be nothing.
		const own = await (await browser.newContext()).newPage();
		await own.goto(door.url);
		const refused = await own.evaluate(() => {
			try {
				document.body.innerHTML = "<p>x</p>";
				return false;
			} catch {
				return true;
			}
		});
		is(refused, "the browser itself refuses HTML of a string");
	}],

	["everything that can be reached has a name, the list says how long it is", async ({ page, equal, is }) => {
		const p = await page("#/worker/leaky");
		await p.waitForSelector(".tree");
		const nameless = await p.$$eval("button, a[href], input, select, [role], [tabindex]", (all) => all.filter((e) => !e.closest("[hidden], dialog:not([open])") &&
			!["presentation", "group", "rowgroup", "row", "gridcell", "columnheader", "status", "alert"].includes(e.getAttribute("role")) && e.tagName !== "SECTION" &&
			!(e.textContent.trim() || e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.getAttribute("title"))).map((e) => e.outerHTML.slice(0, 90)));
		equal(nameless, [], "nameless");
		equal(await p.getAttribute("#list", "aria-rowcount"), "5", "rows with the head");
		is((await p.$$(".row[aria-rowindex]")).length === 5, "each row says which it is");
	}],
];
