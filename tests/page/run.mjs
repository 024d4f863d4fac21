#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// The page in a real browser (Chromium, without a window), before a real daemon with real workers. Speaks TAP; pictures are
// left in .build/page. tests/page/run.mjs [PART OF A NAME]: these cases only.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import cases_crowd from "./cases_crowd.mjs";
import cases_list from "./cases_list.mjs";
import cases_resume from "./cases_resume.mjs";
import cases_served from "./cases_served.mjs";
import cases_worker from "./cases_worker.mjs";
import { Door, freePort, Guard, project, worker } from "./guard.mjs";

export const CHROMIUM = "/usr/bin/chromium";
const packages = join(project, ".build", "page-npm", "node_modules");
const pictures = join(project, ".build", "page");

let n = 0, bad = 0;
function tell(ok, what, why = "") {
	bad += !ok;
	console.log(`${ok ? "ok" : "not ok"} ${++n} - ${what}`);
	why.split("\n").filter(Boolean).slice(0, 12).forEach((line) => console.log(`  # ${line}`));
}

for (const [path, how] of [[packages, "scripts/deps test"], [CHROMIUM, "the package chromium"]]) {
	if (!existsSync(path)) {
		console.log(`ok 1 - the page in a browser # SKIP no ${path}: ${how}\n1..1`);
		process.exit(0);
	}
}
const { chromium } = createRequire(join(packages, "x"))("playwright-core");
const base = mkdtempSync(join(tmpdir(), "memweir-page-"));
let running = "";
const trouble = []; // whatever the browser complains of, in any case: said at the end

function watch(page, origin) {
	// willReadFrequently: the cases read canvases again and again, the page never does.
	page.on("console", (m) => ["error", "warning"].includes(m.type()) && !/ERR_(CONNECTION|SOCKET|EMPTY|INCOMPLETE|NETWORK_CHANGED)|status of (404|503)|willReadFrequently/.test(m.text()) && trouble.push(`${running}: console: ${m.text()} ${m.location().url}`));
	page.on("pageerror", (e) => trouble.push(`${running}: ${e.stack ?? e.message}`));
	page.on("request", (r) => !r.url().startsWith(`${origin}/`) && trouble.push(`a request left: ${r.url()}`));
	return page.addInitScript(() => document.addEventListener("securitypolicyviolation", (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`)));
}

mkdirSync(pictures, { recursive: true });
const port = await freePort();
// 100 MB: who leaks here is suspected at once (it meets that within 90 s) and is not near it while the list is looked at.
const guard = await new Guard(base, `[http]\nlisten = 127.0.0.1:${port}\n[class tool]\nmax_heap = 100MB\n`).start();
const door = new Door(guard.socket);
await door.listen();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-background-networking"] });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", timezoneId: "Europe/Berlin" });
context.setDefaultTimeout(120e3); // only what hangs meets it
const t = {
	guard, door, browser, context, worker, tcp: `http://127.0.0.1:${port}`,
	async page(hash = "", at = door.url, options = null) {
		const c = options ? await browser.newContext(options) : context, page = await c.newPage();
		await watch(page, at);
		await page.goto(`${at}/${hash}`);
		return page;
	},
	picture: (page, name) => page.screenshot({ path: join(pictures, `${name}.png`) }),
	equal(found, wanted, what) {
		if (JSON.stringify(found) !== JSON.stringify(wanted))
			throw new Error(`${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
	},
	is(value, what) {
		if (!value)
			throw new Error(`${what}: found ${JSON.stringify(value)}`);
	},
};

try {
	for (const [what, run] of [...cases_served, ...cases_list, ...cases_worker, ...cases_resume, ...cases_crowd]) {
		if (process.argv[2] && !what.includes(process.argv[2]) && !what.startsWith("("))
			continue;
		const began = Date.now();
		running = what;
		try {
			await run(t);
			tell(true, what);
		} catch (e) {
			tell(false, what, `${e.stack ?? e}`);
			await Promise.all(browser.contexts().flatMap((c) => c.pages()).map((p, i) => t.picture(p, `failed-${n}-${i}`).catch(() => null)));
		}
		if (process.env.TIMES)
			console.log(`  # ${Date.now() - began} ms`);
		await Promise.all(browser.contexts().flatMap((c) => c.pages()).map((p) => p.close()));
	}
	tell(trouble.length === 0, "no error, no violation of the content security policy, no request to elsewhere", trouble.join("\n"));
} finally {
	await browser.close();
	door.close();
	await guard.end();
	rmSync(base, { recursive: true, force: true });
}
console.log(`1..${n}`);
process.exit(bad ? 1 : 0);
