// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Requests of OTLP as JSON, one {"signal","body"} a line on stdin, through the protocol's own messages (protobufjs code
// that OpenTelemetry publishes): into an object, to bytes, back, and compared with what was sent. A field of another
// name, type or shape does not survive that. What OTLP/JSON has otherwise than protobuf is checked here: hex ids,
// enums as numbers, 64 bits as strings. Prints a line a problem; status 1 if there is one.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../../.build/otlp/', import.meta.url));
const root = require('@opentelemetry/otlp-transformer/build/src/generated/root.js').opentelemetry.proto.collector;
const messages = {
	traces: root.trace.v1.ExportTraceServiceRequest,
	metrics: root.metrics.v1.ExportMetricsServiceRequest,
	logs: root.logs.v1.ExportLogsServiceRequest,
};
const ids = { traceId: 32, spanId: 16, parentSpanId: 16 };
const wide = /UnixNano$|^(asInt|intValue|count|zeroCount)$/; // fixed64, sfixed64, int64
const enums = /^(kind|severityNumber|aggregationTemporality|code)$/;
const required = {
	spans: ['traceId', 'spanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano'],
	logRecords: ['timeUnixNano', 'observedTimeUnixNano', 'severityNumber', 'body', 'eventName'],
	metrics: ['name'],
	dataPoints: ['timeUnixNano'],
};
let problems = 0, seen = 0;

function bad(path, text) {
	if (problems++ < 40) console.log(`${path}: ${text}`);
}

function time(path, text) {
	const year = 365 * 86400e9, now = Date.now() * 1e6;
	if (Math.abs(Number(text) - now) > year) bad(path, `${text} is not of these days`);
}

// By rules of the JSON form alone. Returns it as protobufjs takes it: ids as bytes in base64.
function walk(value, path, key) {
	if (key in ids) {
		if (typeof value !== 'string' || value.length !== ids[key] || !/^[0-9a-f]+$/.test(value) || /^0+$/.test(value))
			bad(path, `expected ${ids[key]} hex digits, not all 0, found ${JSON.stringify(value)}`);
		return Buffer.from(String(value), 'hex').toString('base64');
	}
	if (wide.test(key) || /\.bucketCounts\[\d+\]$/.test(path)) {
		if (typeof value !== 'string' || !/^-?\d+$/.test(value)) bad(path, `expected 64 bits as a string, found ${JSON.stringify(value)}`);
		if (/UnixNano$/.test(key)) time(path, value);
	} else if (enums.test(key) && !Number.isInteger(value)) {
		bad(path, `expected an enum as a number, found ${JSON.stringify(value)}`);
	}
	if (Array.isArray(value)) {
		const keys = key === 'attributes' ? value.map((a) => a.key) : [];
		if (new Set(keys).size !== keys.length) bad(path, `a key twice: ${keys}`);
		if (!value.length && key !== 'attributes' && key !== 'explicitBounds') bad(path, 'empty');
		return value.map((v, i) => {
			for (const name of required[key] ?? []) if (!(name in v)) bad(`${path}[${i}]`, `lacks ${name}`);
			return walk(v, `${path}[${i}]`, key === 'explicitBounds' ? 'number' : '');
		});
	}
	if (value === null) bad(path, 'null');
	if (typeof value !== 'object' || value === null) return value;
	if (/[a-z]_[a-z]/.test(Object.keys(value).join(' '))) bad(path, 'a name that is not lowerCamelCase');
	if ('bucketCounts' in value && value.bucketCounts.length !== (value.explicitBounds ?? []).length + 1)
		bad(path, 'bucketCounts must be one more than explicitBounds');
	if ('startTimeUnixNano' in value && BigInt(value.startTimeUnixNano) > BigInt(value.timeUnixNano ?? value.endTimeUnixNano))
		bad(path, 'it begins after its end');
	return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, walk(v, `${path}.${k}`, k)]));
}

// Everything of a is in b, as it was; b may have defaults besides (which it is asked not to give).
function compare(a, b, path) {
	if (typeof a !== 'object' || a === null) {
		if (a !== b && !(typeof a === 'number' && Object.is(Number(b), a))) bad(path, `${JSON.stringify(a)} came back as ${JSON.stringify(b)}`);
		return;
	}
	if (typeof b !== 'object' || b === null || (Array.isArray(a) && a.length !== b.length)) return bad(path, `${JSON.stringify(a).slice(0, 80)} came back as ${JSON.stringify(b)?.slice(0, 80)}`);
	for (const k of Object.keys(a)) if (!(Array.isArray(a[k]) && !a[k].length)) compare(a[k], b[k], `${path}.${k}`);
}

for await (const line of createInterface({ input: process.stdin })) {
	const { signal, body } = JSON.parse(line), type = messages[signal];
	const plain = walk(body, signal, '');
	const wrong = type.verify(Object.assign(type.fromObject(plain)));
	if (wrong) bad(signal, wrong);
	const back = type.toObject(type.decode(type.encode(type.fromObject(plain)).finish()), { longs: String, bytes: String });
	compare(plain, back, signal);
	seen++;
}
console.log(`${seen} requests, ${problems} problems`);
process.exit(problems || !seen ? 1 : 0);
