#!/usr/bin/env node
// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// memweir spec over the documents that packages ship: valid before, valid after, and everything programs read
// is still there. Speaks TAP. The packages are in .build/specs (scripts/deps test).
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { differences, facts, same } from "./facts.mjs";

const project = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const packages = join(project, ".build", "specs", "node_modules");
const memweir = join(project, process.env.B ?? ".build", "memweir");
const CHARS = 80;
const NEED_SAVED = 75; // per cent, of a document that is mostly examples

const FOLDERS = ["@readme/oas-examples", "@scalar/galaxy/dist", "@directus/specs/dist", "@blockfrost/openapi"];
const FILES = ["@octokit/openapi/generated/api.github.com.json"];
const LARGE = "@octokit/openapi/generated/api.github.com.deref.json"; // 73 MB: not validated, only read

let n = 0, bad = 0;
function tell(ok, what, why = []) {
	n++;
	bad += !ok;
	console.log(`${ok ? "ok" : "not ok"} ${n} - ${what}`);
	for (const line of why.slice(0, 10))
		console.log(`  # ${line}`);
}
const skip = (what, why) => console.log(`ok ${++n} - ${what} # SKIP ${why}`);

if (!existsSync(packages)) {
	skip("documents of others", "no .build/specs: scripts/deps test");
	console.log("1..1");
	process.exit(0);
}
const require = createRequire(join(packages, "x"));
const { parse } = require("yaml");
const { Validator } = await import(pathToFileURL(join(packages, "@seriousme/openapi-schema-validator/index.js")));
const tmp = mkdtempSync(join(tmpdir(), "memweir-specs-"));

const read = (file) => [".yaml", ".yml"].includes(extname(file)) ? parse(readFileSync(file, "utf8")) : JSON.parse(readFileSync(file, "utf8"));

function* documents() {
	for (const folder of FOLDERS)
		for (const name of readdirSync(join(packages, folder), { recursive: true }).sort())
			if (/\.(json|ya?ml)$/.test(name) && !name.includes("node_modules") && statSync(join(packages, folder, name)).size > 200)
				yield join(folder, name);
	yield* FILES;
}

function strip(file, ...options) {
	const out = join(tmp, "out.json");
	const said = JSON.parse(execFileSync(memweir, ["spec", "--json", "-o", out, ...options, file], { encoding: "utf8", stdio: "pipe" }));
	return { out, ...said.specs[0] };
}

const validator = new Validator(); // one: it compiles a schema for each version of OpenAPI

async function problem(doc) {
	const result = await validator.validate(structuredClone(doc));
	return result.valid ? "" : JSON.stringify(result.errors).slice(0, 300);
}

async function check(name) {
	const file = join(packages, name);
	let before;
	try {
		before = read(file);
	} catch (e) {
		return skip(name, `cannot be read before: ${e.message.split("\n")[0]}`);
	}
	if (!before?.openapi && !before?.swagger)
		return false;
	const invalid = await problem(before);
	const why = [];
	let said;
	try {
		said = strip(file);
	} catch (e) {
		return tell(false, name, [String(e.stderr)]);
	}
	const after = JSON.parse(readFileSync(said.out, "utf8"));
	why.push(...differences(before, after, CHARS));
	const was = facts(before), is = facts(after);
	for (const kind of Object.keys(was))
		if (!same(was[kind], is[kind]))
			why.push(`${kind}: not the same ${was[kind].length}`);
	const again = invalid ? "" : await problem(after) || await problem(JSON.parse(readFileSync(strip(file, "--no-descriptions").out, "utf8")));
	if (again)
		why.push(`not valid any more: ${again}`);
	const about = `${name}: ${said.input_bytes} to ${said.output_bytes} bytes, ${said.saved_pct.toFixed(1)} % saved, ` +
		Object.entries(was).map(([k, v]) => `${v.length} ${k}`).join(", ");
	if (invalid && !why.length)
		return skip(about, `not valid before: ${invalid.slice(0, 120).replaceAll("#", "")}`);
	tell(!why.length, about, why);
	return said;
}

// Could it fail? A test that notices nothing tells nothing.
function control() {
	const before = { openapi: "3.0.0", paths: {}, components: { schemas: { A: { example: 1, required: ["example"],
		properties: { example: { type: "string", description: "x".repeat(100) } } } } } };
	const ruin = (f) => {
		const after = structuredClone(before);
		f(after.components.schemas.A, after);
		return differences(before, after, CHARS).length;
	};
	tell(ruin((a) => delete a.example) === 0 && ruin((a) => delete a.properties.example) === 1 && ruin((a) => a.required.pop()) === 1 &&
		ruin((a) => a.properties.example.description = "xx") === 1 && ruin((a, d) => d.paths["/new"] = {}) === 1, "the comparison notices");
}

// Every document again with an example of 20 KB at each response: what a generator with real answers writes.
function heavy(name) {
	const doc = read(join(packages, name));
	const file = join(tmp, "heavy.json");
	for (const item of Object.values(doc.paths))
		for (const op of Object.values(item))
			for (const response of Object.values(op?.responses ?? {}))
				for (const media of Object.values(response.content ?? {}))
					media.example = Array.from({ length: 100 }, (_, i) => ({ id: i, name: `name ${i}`, description: "x".repeat(150) }));
	writeFileSync(file, JSON.stringify(doc, null, 2));
	const said = strip(file);
	tell(said.saved_pct >= NEED_SAVED, `${name} with more examples: ${said.saved_pct.toFixed(1)} % saved`);
}

let checked = 0;
control();
for (const name of documents())
	checked += Boolean(await check(name));
tell(checked >= 20, `${checked} documents were valid before and after`);
const large = strip(join(packages, LARGE));
tell(large.saved_pct >= NEED_SAVED, `${basename(LARGE)}: ${large.input_bytes} to ${large.output_bytes} bytes, ${large.saved_pct.toFixed(1)} % saved`);
heavy("@readme/oas-examples/3.0/json/petstore.json");
rmSync(tmp, { recursive: true });
console.log(`1..${n}`);
process.exit(bad ? 1 : 0);
