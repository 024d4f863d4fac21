// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// A daemon of its own with workers, as tests/vm/harness.py has it, and a door to it that can be shut.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const project = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const build = join(project, process.env.B ?? ".build");
const memweir = join(build, "memweir");
export const worker = (name) => join(build, "tests", "workers", name);

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// The condition's first true value; a deadline is met by what hangs only.
export async function until(what, condition, seconds = 120) {
	const end = Date.now() + seconds * 1000;
	let value;
	while (Date.now() < end) {
		value = await condition();
		if (value)
			return value;
		await sleep(50);
	}
	throw new Error(`not within ${seconds} s: ${what} (last: ${JSON.stringify(value)})`);
}

export class Guard {
	constructor(base, config = "", root = "page-test") {
		this.base = base;
		this.root = root;
		this.socket = join(base, "run", "memweir.sock");
		this.children = [];
		mkdirSync(base, { recursive: true });
		writeFileSync(join(base, "memweir.conf"), config);
	}

	async start() {
		const log = openSync(join(this.base, "log"), "a");
		const options = ["--config", join(this.base, "memweir.conf"), "--run-dir", join(this.base, "run"), "--state-dir", join(this.base, "state"), "--root", this.root];
		this.process = spawn(memweir, ["daemon", ...options], { stdio: ["ignore", log, log] });
		await until(`the daemon answers: ${this.log().slice(-1000)}`, () => existsSync(this.socket) && this.get("/healthz").catch(() => null), 60);
		return this;
	}

	log() {
		return readFileSync(join(this.base, "log"), "utf8");
	}

	async stop(signal = "SIGTERM") {
		if (!this.process || this.process.exitCode !== null)
			return;
		const ended = new Promise((done) => this.process.once("exit", done));
		this.process.kill(signal);
		await ended;
	}

	request(method, path, body) {
		return new Promise((done, failed) => {
			const text = body ? JSON.stringify(body) : "";
			const r = http.request({ socketPath: this.socket, method, path, headers: { Host: "localhost", "Content-Length": Buffer.byteLength(text) } }, (answer) => {
				let said = "";
				answer.setEncoding("utf8").on("data", (d) => (said += d)).on("end", () => done({ status: answer.statusCode, headers: answer.headers, text: said }));
			});
			r.on("error", failed);
			r.end(text);
		});
	}

	async get(path) {
		return JSON.parse((await this.request("GET", path)).text);
	}

	mw(...args) {
		return new Promise((done) => execFile(memweir, ["--socket", this.socket, ...args], (err, out, said) => done({ status: err?.code ?? 0, out, err: said })));
	}

	run(cls, name, ...command) {
		const p = spawn(memweir, ["--socket", this.socket, "run", "--require-guard", "--class", cls, "--name", name, "--", ...command], { stdio: ["pipe", "ignore", "ignore"] });
		this.children.push(p);
		return p;
	}

	async placed(...names) {
		await until(`there are ${names.join(", ")}`, async () => {
			const { workers } = await this.get("/v1/workers");
			return names.every((n) => workers.some((w) => w.name === n && w.pids > 0));
		});
	}

	/* So many idle workers: placed as run does it, without a command line of its own for each. */
	async crowd(n, prefix = "idle") {
		const sleepers = spawn(join(build, "tests", "bench", "sleepers"), [String(n)], { stdio: ["ignore", "pipe", "inherit"] });
		let text = "";
		this.children.push(sleepers);
		await new Promise((done) => sleepers.stdout.setEncoding("utf8").on("data", (d) => ((text += d), text.split("\n").length > n && done())));
		const pids = text.trim().split("\n");
		for (let i = 0; i < n; i++) {
			const name = `${prefix}-${String(i).padStart(4, "0")}`, cls = ["tool", "context", "generic", "transport"][i % 4];
			const place = JSON.parse((await this.request("POST", "/v1/workers", { class: cls, name, command: "sleeper" })).text);
			writeFileSync(join(place.cgroup_path, "cgroup.procs"), pids[i]);
			await this.request("POST", `/v1/workers/${name}/started`, { pid: Number(pids[i]) });
		}
	}

	async end() {
		this.children.forEach((c) => c.kill("SIGKILL")); // the command line; its worker outlives it
		const { workers } = await this.get("/v1/workers").catch(() => ({ workers: [] }));
		for (const w of workers.filter((one) => one.pids > 0))
			await this.request("POST", `/v1/workers/${encodeURIComponent(w.name)}/kill`).catch(() => null);
		await until("the workers' end is seen", async () => (await this.get("/healthz")).workers === 0, 30).catch(() => null);
		await this.stop();
		const line = readFileSync("/proc/self/mountinfo", "utf8").split("\n").find((l) => l.includes(" - cgroup2 "));
		if (line)
			removeEmpty(join(line.split(" ")[4], this.root));
	}
}

function removeEmpty(path) {
	try {
		readdirSync(path, { withFileTypes: true }).filter((e) => e.isDirectory()).forEach((e) => removeEmpty(join(path, e.name)));
		rmdirSync(path);
	} catch {
		// somebody is in there still
	}
}

// TCP to the daemon's socket, as `ssh -L PORT:SOCKET` is: cut() drops who is connected, shut() lets nobody in either.
export class Door {
	constructor(socket) {
		this.open = true;
		this.connections = new Set();
		this.server = net.createServer((from) => {
			if (!this.open)
				return from.destroy();
			const to = net.connect(socket);
			this.connections.add(from);
			from.pipe(to).pipe(from);
			from.on("error", () => to.destroy()).on("close", () => (to.destroy(), this.connections.delete(from)));
			to.on("error", () => from.destroy()).on("close", () => from.end()); // what has come is still passed on
		});
	}

	listen() {
		return new Promise((done) => this.server.listen(0, "127.0.0.1", () => done((this.url = `http://127.0.0.1:${this.server.address().port}`))));
	}

	cut() {
		this.connections.forEach((c) => c.destroy());
	}

	shut() {
		this.open = false;
		this.cut();
	}

	close() {
		this.cut();
		this.server.close();
	}
}

export const freePort = () => new Promise((done) => {
	const s = net.createServer().listen(0, "127.0.0.1", () => {
		const { port } = s.address();
		s.close(() => done(port));
	});
});
