// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// The files: who serves what how, and that what it is made of says what it should.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { project, until } from "./guard.mjs";

const WIDTH = [360, 768, 1920];

export default [
	["the page and its files are served, with their headers and an ETag", async ({ guard, equal, is }) => {
		const page = await guard.request("GET", "/");
		equal(page.status, 200, "status");
		is(page.text.includes("<title>memweir</title>"), "it is the page");
		for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"])
			is(page.headers["content-security-policy"].includes(part), `the policy has ${part}`);
		is(!/unsafe|\*/.test(page.headers["content-security-policy"]), "nothing unsafe in it");
		equal(page.headers["x-content-type-options"], "nosniff", "nosniff");
		is(!/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/.test(page.text), "nothing inline");
		for (const name of readdirSync(join(project, "user/http/page")).filter((f) => /\.(js|css|svg)$/.test(f)).concat("vendor/uPlot.min.js", "vendor/uPlot.css", "vendor/LICENSE")) {
			const file = await guard.request("GET", `/page/${name}`);
			equal(file.status, 200, name);
			is(file.headers.etag, `${name} has an ETag`);
		}
		equal((await guard.request("GET", "/page/nothing.js")).status, 404, "what is not there");
		equal((await guard.request("GET", "/page/../healthz")).status, 404, "no way out of it");
		equal((await guard.request("POST", "/")).status, 405, "it is only read");
	}],

	["it opens over TCP too, and who has a file already is not sent it again", async ({ page, tcp, equal, is }) => {
		const p = await page("", tcp), again = [];
		await p.waitForSelector('#fresh[data-fresh="yes"]');
		p.on("response", (r) => r.url().includes("/page/") && again.push(r));
		const cached = await p.evaluate(async () => {
			const first = await fetch("/page/store.js"), etag = first.headers.get("etag");
			await first.text();
			return (await fetch("/page/store.js", { headers: { "If-None-Match": etag }, cache: "no-store" })).status;
		});
		equal(cached, 304, "a known file");
		await until("it was asked", () => again.length > 0);
	}],

	["sizes and times are those memweir prints", async ({ page, equal }) => {
		const p = await page();
		const said = await p.evaluate(async () => {
			const f = await import("/page/format.js");
			return [
				[0, 512, 999, 1000, 999949, 999950, 43800000, 3e9].map(f.bytes), f.bytes(null), f.bytesOf(33.9e6, 50e6), f.bytesOf(33.9e6, null),
				[1.2e6, 51667, 1000].map(f.rate), [0.000085, 0.0012, 0.312, 5.3, 130, 11100, 200000].map(f.duration), f.share(0.021),
			];
		});
		equal(said, [
			["0 B", "512 B", "999 B", "1.0 KB", "999.9 KB", "1.0 MB", "43.8 MB", "3.0 GB"], "max", "33.9 of 50.0 MB", "33.9 MB",
			["1.2 MB/s", "3.1 MB/min", "3.6 MB/h"], ["85 us", "1.2 ms", "312 ms", "5.3 s", "2 min 10 s", "3 h 5 min", "2 d 7 h"], "2.1 %",
		], "as user/util/size.c");
	}],

	["text has a contrast of 4.5 on its ground, light and dark", async ({ page, is }) => {
		for (const colorScheme of ["light", "dark"]) {
			const p = await page();
			await p.emulateMedia({ colorScheme });
			const low = await p.evaluate(() => {
				const style = getComputedStyle(document.documentElement);
				const light = (name) => {
					const c = style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/gi).slice(0, 3).map((x) => parseInt(x, 16) / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
					return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
				};
				const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
				const pairs = ["--text", "--quiet", "--accent", "--bad", "--warn", "--good", "--note"].flatMap((c) => ["--panel", "--ground", "--raised"].map((g) => [c, g]))
					.concat([["--bad", "--bad-ground"], ["--warn", "--warn-ground"], ["--text", "--bad-ground"], ["--quiet", "--bad-ground"], ["--accent", "--bad-ground"]]);
				return pairs.map(([c, g]) => [c, g, ratio(c, g)]).filter(([, , r]) => r < 4.5);
			});
			is(low.length === 0, `${colorScheme}: ${JSON.stringify(low)}`);
		}
	}],

	["the colours are the system's, and the reader's once chosen, also after a reload", async ({ page, equal }) => {
		const p = await page(), ground = () => p.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
		await p.emulateMedia({ colorScheme: "dark" });
		equal(await ground(), "rgb(16, 20, 26)", "dark as the system");
		await p.click("#theme");
		equal([await p.textContent("#theme"), await ground()], ["Light", "rgb(246, 247, 249)"], "light was chosen");
		await p.reload();
		equal([await p.textContent("#theme"), await ground()], ["Light", "rgb(246, 247, 249)"], "and stays");
		await p.keyboard.press("t");
		equal(await p.textContent("#theme"), "Dark", "a key does it too");
		await p.keyboard.press("t");
		equal(await p.textContent("#theme"), "Auto", "and round again");
	}],

	["it fits a telephone and a wall", async ({ page, guard, worker, equal, picture }) => {
		guard.run("tool", "steady-1", worker("steady"));
		await guard.placed("steady-1");
		for (const width of WIDTH) {
			const p = await page("#/worker/steady-1");
			await p.setViewportSize({ width, height: 800 });
			await p.waitForSelector(".u-wrap canvas");
			equal(await p.evaluate(() => document.documentElement.scrollWidth), width, `nothing sticks out at ${width}`);
			await p.goto(`${p.url().split("#")[0]}#/`);
			await p.waitForSelector(".rows .row");
			equal(await p.evaluate(() => document.documentElement.scrollWidth), width, `the overview at ${width}`);
			await picture(p, `quiet-${width}`);
		}
	}],
];
