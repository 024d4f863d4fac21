// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// What a document says to programs, told apart from what it says to people. Written without a look at
// user/lib/spec_rules.c, so that the two can disagree.

// What may be missing afterwards, where it is no name that somebody gave.
const MAY_GO = new Set(["example", "examples", "externalDocs", "contact", "license", "termsOfService", "$comment"]);
const TEXTS = new Set(["description", "summary"]);
// Whose keys are names that somebody gave, when it is an object.
const NAMES = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "schemas", "parameters", "headers",
	"responses", "requestBodies", "securitySchemes", "securityDefinitions", "scopes", "callbacks", "links", "variables", "content",
	"encoding", "mapping", "paths", "webhooks", "pathItems"]);
// Values that are data: not a word of them changes.
const DATA = new Set(["default", "enum", "const", "required", "security", "mapping", "operationId", "type", "format", "pattern"]);

const isObject = (v) => v !== null && typeof v === "object" && !Array.isArray(v);

export function same(a, b) {
	if (a === b)
		return true;
	if (Array.isArray(a))
		return Array.isArray(b) && a.length === b.length && a.every((x, i) => same(x, b[i]));
	if (!isObject(a) || !isObject(b))
		return false;
	const keys = Object.keys(a);
	return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && same(a[k], b[k]));
}

function shortened(before, after, chars) {
	if (before === after)
		return true;
	return after.endsWith("…") && before.startsWith(after.slice(0, -1)) && [...after].length <= chars;
}

// Every difference that must not be, as sentences. names: the keys of before are names somebody gave.
export function differences(before, after, chars, where = "#", names = false, found = [], inNames = "") {
	if (Array.isArray(before)) {
		if (!Array.isArray(after) || after.length !== before.length)
			found.push(`${where}: no list of ${before.length} any more`);
		else
			before.forEach((v, i) => differences(v, after[i], chars, `${where}/${i}`, false, found));
		return found;
	}
	if (!isObject(before)) {
		if (before !== after)
			found.push(`${where}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`);
		return found;
	}
	if (!isObject(after)) {
		found.push(`${where}: no object any more`);
		return found;
	}
	for (const key of Object.keys(after))
		if (!Object.hasOwn(before, key))
			found.push(`${where}: ${key} was not there before`);
	for (const [key, value] of Object.entries(before)) {
		const at = `${where}/${key}`;
		// x-… is no name among paths, responses and callbacks; elsewhere it may be one.
		const extension = key.startsWith("x-") && (!names || ["paths", "responses", "callbacks"].includes(inNames));
		if (!Object.hasOwn(after, key)) {
			if (!extension && (names || !MAY_GO.has(key)))
				found.push(`${at}: gone`);
		} else if (!names && TEXTS.has(key) && typeof value === "string") {
			if (!shortened(value, after[key], chars))
				found.push(`${at}: became ${JSON.stringify(after[key])}`);
		} else if (names && inNames === "scopes" && typeof value === "string") {
			if (!shortened(value, after[key], chars))
				found.push(`${at}: became ${JSON.stringify(after[key])}`);
		} else if (!names && DATA.has(key)) {
			if (!same(value, after[key]))
				found.push(`${at}: changed`);
		} else {
			const given = !names && NAMES.has(key) && isObject(value);
			differences(value, after[key], chars, at, given, found, given ? key : "");
		}
	}
	return found;
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

// Counts of what there is: operations, parameters, required names, enum values, references.
export function facts(doc) {
	const set = { operations: [], parameters: [], required: [], enums: [], references: [] };
	for (const [path, item] of Object.entries(doc.paths ?? {}))
		for (const method of METHODS)
			if (item?.[method])
				set.operations.push(`${method} ${path} ${item[method].operationId}`);
	walk(doc, "#", false, set);
	return set;
}

function walk(value, where, names, set) {
	if (Array.isArray(value))
		return value.forEach((v, i) => walk(v, `${where}/${i}`, false, set));
	if (!isObject(value))
		return;
	if (!names) {
		if (typeof value.$ref === "string")
			set.references.push(`${where} ${value.$ref}`);
		if (typeof value.name === "string" && typeof value.in === "string")
			set.parameters.push(`${where} ${value.in} ${value.name}`);
		if (value.required !== undefined)
			set.required.push(`${where} ${JSON.stringify(value.required)}`);
		if (Array.isArray(value.enum))
			set.enums.push(`${where} ${JSON.stringify(value.enum)}`);
	}
	for (const [key, v] of Object.entries(value))
		if (names || !(MAY_GO.has(key) || DATA.has(key) || key.startsWith("x-")))
			walk(v, `${where}/${key}`, !names && NAMES.has(key) && isObject(v), set);
}
