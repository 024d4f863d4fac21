/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * memweir run: start a worker in its own cgroup and be invisible. The daemon makes the cgroup, this process starts the
 * worker in it (run_wait.c stands by it) and tells the daemon how it ended. Without a daemon it becomes the command
 * itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/field.h"
#include "cli/run_heap.h"
#include "cli/run_pressure.h"
#include "cli/run_stub.h"
#include "cli/run_wait.h"
#include "cli/verb.h"
#include "core/config.h"
#include "core/spawn.h"
#include "util/cleanup.h"
#include "util/table.h"

#define GUARD_MS      2000 /* a daemon that takes longer is as good as none */
#define TOLD_MS	      1000 /* news it can live without */
#define COMMAND_CHARS 120UL /* of the command line, for people; the rest may hold secrets */

struct run_values {
	const char *class_name, *name, *set;
	const char *heap_sample; /* NULL: as the class has it; "": yes */
	bool require_guard;
};

#define AT(field) offsetof(struct run_values, field)
static const struct mw_option rows[] = {
	{"class", 'c', MW_OPT_TEXT, AT(class_name), "CLASS",
	 "the worker's class: context, tool, transport, generic, ..."},
	{"name", 'n', MW_OPT_TEXT, AT(name), "NAME", "the worker's name (default: COMMAND-PID)"},
	{"set", 's', MW_OPT_TEXT, AT(set), "KEY=VALUE,...", "tighten it below its class: max_heap=20MB,policy=strict"},
	{"heap-sample", 0, MW_OPT_MAYBE, AT(heap_sample), "BYTES",
	 "sample what it allocates, every 512 KiB or so many bytes; no: not, though its class says so"},
	{"require-guard", 0, MW_OPT_FLAG, AT(require_guard), NULL, "fail with 125 where no daemon guards"},
	{NULL},
};

/* The command line as people know it, cut and without control characters. */
static void command_line(int argc, char **argv, char ret_text[4 * COMMAND_CHARS])
{
	char raw[4 * COMMAND_CHARS];
	size_t at = 0;

	raw[0] = '\0';
	for (int i = 0; i < argc && at < sizeof(raw); i++)
		at += (size_t)snprintf(raw + at, sizeof(raw) - at, "%s%s", i ? " " : "", argv[i]);
	mw_text_clean(raw, COMMAND_CHARS, ret_text, 4 * COMMAND_CHARS);
}

/* KEY=VALUE,... into an object; NULL: a part is no such pair. */
static struct json_object *settings(const char *text)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();

	while (*text) {
		size_t n = strcspn(text, ","), key = strcspn(text, "=,");
		char name[64], value[128];

		if (!key || key >= n || key >= sizeof(name) || n - key > sizeof(value))
			return NULL;
		snprintf(name, sizeof(name), "%.*s", (int)key, text);
		snprintf(value, sizeof(value), "%.*s", (int)(n - key - 1), text + key + 1);
		json_object_object_add(o, name, json_object_new_string(value));
		text += n + (text[n] == ',');
	}
	return TAKE_PTR(o);
}

/* What is asked for: a place for root's worker, or to become a member's. NULL: --set is wrong. */
static struct json_object *request(const struct mw_cli *cli, int argc, char **argv)
{
	_cleanup_json_ struct json_object *body = json_object_new_object();
	const struct run_values *v = cli->values;
	struct json_object *kv = v->set ? settings(v->set) : NULL;
	char command[4 * COMMAND_CHARS];

	if (v->set && !kv)
		return NULL;
	command_line(argc, argv, command);
	json_object_object_add(body, "class", json_object_new_string(v->class_name));
	json_object_object_add(body, "name", v->name ? json_object_new_string(v->name) : NULL);
	json_object_object_add(body, "command", json_object_new_string(command));
	if (kv)
		json_object_object_add(body, "settings", kv);
	return TAKE_PTR(body);
}

/* Tell the daemon something; whether it hears changes nothing for the worker. */
static void tell(const struct mw_cli *cli, const char *worker, const char *what, const char *key, int value)
{
	_cleanup_free_ char *path = mw_call_path("/v1/workers", worker, what);
	_cleanup_json_ struct json_object *body = json_object_new_object();
	_cleanup_answer_ struct mw_answer a = {0};

	json_object_object_add(body, key, json_object_new_int(value));
	if (path)
		mw_call_quiet(cli, "POST", path, body, TOLD_MS, &a, NULL);
}

/* Its command never started: the worker never was. */
static void take_back(const struct mw_cli *cli, const char *worker)
{
	_cleanup_free_ char *path = mw_call_path("/v1/workers", worker, NULL);
	_cleanup_answer_ struct mw_answer a = {0};
	char *full = NULL;

	if (path && asprintf(&full, "%s?failed=1", path) > 0)
		mw_call_quiet(cli, "DELETE", full, NULL, TOLD_MS, &a, NULL);
	free(full);
}

static int exec_failed(const struct mw_cli *cli, const char *command, int code)
{
	mw_say_error(cli, "cannot start %s: %s", command, strerror(-code));
	return code == -ENOENT ? MW_EXIT_RUN_MISSING : MW_EXIT_RUN_CANNOT;
}

/*
 * Bytes between two samples, by_class unless the command line says otherwise. Where nothing can come of it, or musl
 * would not start it with the library, that is said, and it runs all the same.
 */
static __u64 heap_sample(const struct mw_cli *cli, const char *command, __u64 by_class)
{
	const struct run_values *v = cli->values;
	char why[4096 + 64];
	__u64 bytes = by_class;

	if (v->heap_sample)
		mw_heap_sample_parse(*v->heap_sample ? v->heap_sample : "yes", &bytes, why,
				     sizeof(why)); /* run_run has checked */
	if (!bytes || !mw_run_heap_unfit(command, why, sizeof(why)))
		return bytes;
	mw_say_error(cli, "no heap samples: %s", why);
	return 0;
}

/* Nobody guards: become the command, so that nothing stands between it and its caller. */
static int run_unguarded(const struct mw_cli *cli, char **argv, const char *why)
{
	const struct run_values *v = cli->values;

	if (v->require_guard) {
		mw_say_error(cli, "%s; not started (--require-guard)", why);
		return MW_EXIT_RUN_FAILED;
	}
	mw_say_error(cli, "%s; %s runs unguarded", why, argv[0]);
	mw_run_heap_env(heap_sample(cli, argv[0], 0));
	fflush(NULL);
	execvp(argv[0], argv);
	return exec_failed(cli, argv[0], -errno);
}

/* The cgroup refused, or there is no room for a process: not the command's fault. */
static bool is_cgroup_error(int code)
{
	return code == -EBADF || code == -ENODEV || code == -EBUSY || code == -EOPNOTSUPP || code == -EAGAIN ||
	       code == -ENOMEM;
}

static int place_failed(const struct mw_cli *cli, const char *worker, const char *cgroup, int code)
{
	take_back(cli, worker);
	mw_say_error(cli, "cannot start a process in %s: %s", cgroup, strerror(-code));
	return MW_EXIT_RUN_FAILED;
}

/* What the worker's environment says of its guard. The stub of a member's run does the same in itself. */
static struct mw_stub_go go_of(const struct mw_cli *cli, struct json_object *place, const char *command)
{
	const char *socket = mw_field_str(place, "socket"), *class_name = mw_field_str(place, "class");
	const struct run_values *v = cli->values;
	struct mw_stub_go go = {.thp_off = mw_field_bool(place, "thp_off"),
				.runtime_profile = mw_field_bool(place, "runtime_profile")};
	__u64 by_class = 0;

	mw_field_u64(place, "heap_sample", &by_class);
	go.heap_sample = heap_sample(cli, command, by_class);
	snprintf(go.socket, sizeof(go.socket), "%s", *socket ? socket : cli->socket);
	snprintf(go.class_name, sizeof(go.class_name), "%s", *class_name ? class_name : v->class_name);
	snprintf(go.worker, sizeof(go.worker), "%s", mw_field_str(place, "name"));
	snprintf(go.pressure, sizeof(go.pressure), "%s", mw_field_str(place, "pressure_watch"));
	return go;
}

/* It runs: stand by it until it ends. */
static int stand_by(const struct mw_cli *cli, struct json_object *place, struct mw_wait *wait)
{
	bool told_by_kernel = mw_field_bool(place, "told_by_kernel");
	const char *worker = mw_field_str(place, "name");
	_cleanup_close_ int pressure_fd = -1; /* only held */
	int status;

	mw_wait_let_go(wait);
	pressure_fd = mw_run_pressure_hold(mw_field_str(place, "pressure_watch"));
	if (!told_by_kernel)
		tell(cli, worker, "started", "pid", wait->pid);
	status = mw_wait(wait);
	if (!told_by_kernel || status) /* events can be lost: a failure is worth telling twice */
		tell(cli, worker, "ended", "status", status);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* stub: the process that asked and is in its place, of a member's run; NULL: root's, to be started there. */
static int run_guarded(const struct mw_cli *cli, struct json_object *place, char **argv, struct mw_stub *stub,
		       struct mw_wait *wait)
{
	const char *worker = mw_field_str(place, "name"), *cgroup = mw_field_str(place, "cgroup_path");
	_cleanup_close_ int cgroup_fd = open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct mw_stub_go go = go_of(cli, place, argv[0]);
	int r;

	if (cgroup_fd < 0 && !stub)
		return place_failed(cli, worker, cgroup, -errno);
	if (stub) {
		r = mw_stub_go(stub, &go, cgroup_fd, &wait->pid, &wait->pidfd);
	} else {
		mw_stub_env(&go);
		r = mw_spawn(&(struct mw_spawn){.cgroup_fd = cgroup_fd,
						.thp_off = go.thp_off,
						.argv = argv,
						.envp = environ,
						.sigmask = &wait->childs_mask},
			     &wait->pid, &wait->pidfd);
	}
	if (r < 0 && !stub && is_cgroup_error(r))
		return place_failed(cli, worker, cgroup, r);
	if (r < 0) {
		take_back(cli, worker);
		return exec_failed(cli, argv[0], r);
	}
	return stand_by(cli, place, wait);
}

/* A guard that is away, hangs or fails must not stop the worker; one that says no (4xx) or that we may not ask does. */
static bool guard_is_broken(int code, unsigned status)
{
	return code == -EREMOTEIO ? status >= 500 : code != -EACCES && code != -EPERM;
}

/* Refused, or nobody answered; whatever was begun is taken back. */
static int not_guarded(const struct mw_cli *cli, char **argv, int code, unsigned status, struct mw_error *err)
{
	if (mw_call_no_daemon(code))
		mw_fail(err, code, "no daemon on %s", cli->socket);
	if (guard_is_broken(code, status))
		return run_unguarded(cli, argv, err->text);
	mw_say_error(cli, "%s", err->text);
	return MW_EXIT_RUN_FAILED;
}

/* Root of the host, who may start processes in the daemon's cgroups; one of a user namespace only looks like it. */
static bool is_root(void)
{
	_cleanup_close_ int fd = -1;
	char map[64];
	ssize_t n;

	if (geteuid() != 0)
		return false;
	fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, map, sizeof(map) - 1);
	if (n <= 0)
		return true;
	map[n] = '\0';
	return strstr(map, "4294967295"); /* all there are, as they are */
}

static int run_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct run_values *v = cli->values;
	_cleanup_json_ struct json_object *body = NULL;
	_cleanup_(mw_stub_end) struct mw_stub stub = MW_STUB_NONE;
	_cleanup_answer_ struct mw_answer a = {0};
	bool member = !is_root();
	char expected[128];
	struct sigaction chld;
	struct mw_error err = {0};
	struct mw_wait wait;
	int r;

	if (!v->class_name)
		return mw_say_usage(cli, "--class is missing");
	if (v->heap_sample && *v->heap_sample &&
	    mw_heap_sample_parse(v->heap_sample, &(__u64){0}, expected, sizeof(expected)) < 0)
		return mw_say_usage(cli, "--heap-sample=%s: expected %s", v->heap_sample, expected);
	body = request(cli, argc, argv);
	if (!body)
		return mw_say_usage(cli, "--set %s: expected KEY=VALUE,...", v->set);
	sigaction(SIGCHLD, NULL, &chld);
	if (member)
		r = mw_stub_ask(cli, body, argv, &wait, GUARD_MS, &stub, &a, &err);
	else
		r = mw_call_quiet(cli, "POST", "/v1/workers", body, GUARD_MS, &a, &err);
	if (r < 0) {
		mw_stub_end(&stub);
		if (member) { /* the command may have to be started as if nothing had been */
			sigaction(SIGCHLD, &chld, NULL);
			sigprocmask(SIG_SETMASK, &wait.childs_mask, NULL);
		}
		return not_guarded(cli, argv, r, a.status, &err);
	}
	if (!*mw_field_str(a.doc, "name") || !*mw_field_str(a.doc, "cgroup_path")) {
		mw_say_error(cli, "the daemon's answer names no cgroup_path to run in");
		return MW_EXIT_RUN_FAILED;
	}
	if (!member)
		mw_wait_prepare(&wait);
	return run_guarded(cli, a.doc, argv, member ? &stub : NULL, &wait);
}

const struct mw_verb mw_verb_run = {
	.name = "run",
	.args = "--class CLASS [--name NAME] [--set KEY=VALUE,...] [--heap-sample[=BYTES]] [--require-guard] [--] "
		"COMMAND [ARGUMENT...]",
	.summary = "start a worker in its own cgroup",
	.notes = "Standard streams, signals and the exit status are the worker's (128 + n on signal n).\n"
		 "run's own failures: 125 itself, 126 the command cannot be executed, 127 it was not found.\n"
		 "Who is not root needs to be in the configured group, and may choose selectable classes.",
	.options = rows,
	.min_args = 1,
	.max_args = -1,
	.stop_early = true,
	.usage_exit = MW_EXIT_RUN_FAILED,
	.run = run_run,
};
