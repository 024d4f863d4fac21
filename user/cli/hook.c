/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * memweir hook: the poststart hook of an OCI runtime. A hook that fails or hangs would take its container with it, so
 * this one always exits with 0, within a second, whatever it was given and whoever listens.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/verb.h"
#include "util/cleanup.h"

#define STATE_MAX  (256U << 10) /* annotations may be long; what is longer is no state */
#define TIMEOUT_MS 1000

struct hook_values {
	long timeout_ms;
};

static const struct mw_option rows[] = {
	{"timeout", 't', MW_OPT_NUMBER, offsetof(struct hook_values, timeout_ms), "MS",
	 "be gone after so long (default 1000)", 10, 10000},
	{NULL},
};

static void give_up(int sig)
{
	(void)sig;
	_exit(MW_EXIT_OK);
}

/* From now on nothing takes longer than that: not the runtime that does not close the pipe, nor the daemon. */
static void set_deadline(long ms)
{
	const struct itimerval timer = {.it_value = {ms / 1000, ms % 1000 * 1000}};
	const struct sigaction action = {.sa_handler = give_up};
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigaction(SIGALRM, &action, NULL);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The state of the container on stdin; NULL after having said what is wrong with it. */
static struct json_object *read_state(const struct mw_cli *cli)
{
	_cleanup_free_ char *text = malloc(STATE_MAX + 1);
	_cleanup_json_ struct json_object *state = NULL;
	size_t n = text ? fread(text, 1, STATE_MAX + 1, stdin) : 0;

	if (n && n <= STATE_MAX) {
		text[n] = '\0';
		state = json_tokener_parse(text);
	}
	if (!json_object_is_type(state, json_type_object)) {
		mw_say_error(cli,
			     "standard input: expected the state of a container, as OCI runtimes give it to hooks");
		return NULL;
	}
	return TAKE_PTR(state);
}

static int hook_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct hook_values *v = cli->values;
	_cleanup_json_ struct json_object *state = NULL, *body = json_object_new_object();
	_cleanup_answer_ struct mw_answer answer = {0};
	struct json_object *pid;
	long ms = v->timeout_ms ? v->timeout_ms : TIMEOUT_MS;

	(void)argc;
	(void)argv;
	set_deadline(ms);
	state = read_state(cli);
	if (!state || !body)
		return MW_EXIT_OK;
	if (!json_object_object_get_ex(state, "pid", &pid) || !json_object_is_type(pid, json_type_int) ||
	    json_object_get_int(pid) <= 0) {
		mw_say_error(cli, "the container's state has no \"pid\": is this a poststart hook?");
		return MW_EXIT_OK;
	}
	json_object_object_add(body, "pid", json_object_get(pid));
	mw_call(cli, "POST", "/v1/newcomers", body, (int)ms, &answer); /* says on stderr what went wrong */
	return MW_EXIT_OK;
}

const struct mw_verb mw_verb_hook = {
	.name = "hook",
	.args = "[--timeout MS] < STATE",
	.summary = "poststart hook of OCI runtimes: tells the daemon of a container",
	.notes = "Called by container runtimes, not by people: reads the container's state on standard input and "
		 "always\n"
		 "exits with 0 within its timeout, so that no container fails for it. See memweir(8), CONTAINERS.",
	.options = rows,
	.run = hook_run,
	.never_fails = true,
};
