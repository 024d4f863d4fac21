/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir: finds the verb and reads its options. It stands in front of every tool a platform starts: nothing is done
 * here that run does not need. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verb.h"
#include "util/cleanup.h"
#include "util/table.h"

extern const struct mw_verb mw_verb_daemon, mw_verb_run, mw_verb_attach, mw_verb_detach, mw_verb_ps, mw_verb_check,
	mw_verb_report, mw_verb_events, mw_verb_hibernate, mw_verb_freeze, mw_verb_thaw, mw_verb_kill, mw_verb_classes,
	mw_verb_set, mw_verb_reload, mw_verb_doctor, mw_verb_hook, mw_verb_record, mw_verb_replay, mw_verb_calibrate,
	mw_verb_plan, mw_verb_spec, mw_verb_top, mw_verb_complete;
static const struct mw_verb mw_verb_help;

/* clang-format off */
const struct mw_verb *const mw_verbs[] = {
	&mw_verb_daemon,
	&mw_verb_run,
	&mw_verb_attach,
	&mw_verb_detach,
	&mw_verb_ps,
	&mw_verb_top,
	&mw_verb_check,
	&mw_verb_report,
	&mw_verb_events,
	&mw_verb_record,
	&mw_verb_replay,
	&mw_verb_calibrate,
	&mw_verb_plan,
	&mw_verb_spec,
	&mw_verb_hibernate,
	&mw_verb_freeze,
	&mw_verb_thaw,
	&mw_verb_kill,
	&mw_verb_classes,
	&mw_verb_set,
	&mw_verb_reload,
	&mw_verb_doctor,
	&mw_verb_hook,
	&mw_verb_help,
	&mw_verb_complete,
	NULL,
};
/* clang-format on */

struct globals {
	const char *socket;
	bool version;
};

static const struct mw_option socket_rows[] = {
	{"socket", 0, MW_OPT_TEXT, offsetof(struct globals, socket), "PATH", "the daemon's socket (or MEMWEIR_SOCKET)"},
	{NULL},
};
static const struct mw_option version_rows[] = {
	{"version", 'V', MW_OPT_FLAG, offsetof(struct globals, version), NULL, "print the version"},
	{NULL},
};

static void say(const struct mw_cli *cli, const char *fmt, va_list ap)
{
	char text[1024], clean[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	fprintf(stderr, "memweir%s%s: %s\n", cli->verb ? " " : "", cli->verb ? cli->verb->name : "",
		mw_text_clean(text, 0, clean, sizeof(clean)));
}

void mw_say_error(const struct mw_cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
}

int mw_say_usage(const struct mw_cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
	if (cli->verb)
		fprintf(stderr, "usage: memweir %s %s (memweir help %s says more)\n", cli->verb->name, cli->verb->args,
			cli->verb->name);
	else
		fprintf(stderr, "memweir --help lists what there is\n");
	if (cli->verb && cli->verb->never_fails)
		return MW_EXIT_OK;
	return cli->verb && cli->verb->usage_exit ? cli->verb->usage_exit : MW_EXIT_USAGE;
}

static void help_all(FILE *out)
{
	fprintf(out, "usage: memweir [--socket PATH] VERB [OPTIONS] [ARGUMENTS]\n\n"
		     "memweir keeps worker processes within their memory, watches who leaks and says why.\n\nverbs:\n");
	for (size_t i = 0; mw_verbs[i] && mw_verbs[i]->summary; i++)
		fprintf(out, "  %-10s %s\n", mw_verbs[i]->name, mw_verbs[i]->summary);
	fprintf(out, "\noptions:\n");
	mw_options_help(socket_rows, out);
	mw_options_help(version_rows, out);
	fprintf(out, "  -h, --help                   this text\n\n"
		     "memweir help VERB says more about a verb, memweir(8) about everything.\n"
		     "exit codes: 0 ok, 1 failure, 2 wrong usage; check, plan: 3 warning, 4 error; run: the worker's, "
		     "or 125 "
		     "to 127\n");
}

static void help_verb(const struct mw_verb *v, FILE *out)
{
	fprintf(out, "usage: memweir %s %s\n\n%s\n", v->name, v->args, v->summary ? v->summary : "for the shells");
	if (v->notes)
		fprintf(out, "\n%s\n", v->notes);
	fprintf(out, "\noptions:\n");
	mw_options_help(v->options, out);
	mw_options_help(socket_rows, out);
	fprintf(out, "  -h, --help                   this text\n");
}

/* The verb of that name; says it and gives NULL when there is none. */
static const struct mw_verb *find_verb(const struct mw_cli *cli, const char *name)
{
	const char *names[ARRAY_SIZE(mw_verbs)] = {NULL}, *near;

	for (size_t i = 0; mw_verbs[i]; i++) {
		if (strcmp(mw_verbs[i]->name, name) == 0)
			return mw_verbs[i];
		names[i] = mw_verbs[i]->name;
	}
	near = mw_nearest(name, names);
	if (near)
		mw_say_error(cli, "unknown verb %s: did you mean %s?", name, near);
	else
		mw_say_error(cli, "unknown verb %s: memweir --help lists what there is", name);
	return NULL;
}

static int help_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct mw_verb *v = argc ? find_verb(cli, argv[0]) : NULL;

	if (argc && !v)
		return MW_EXIT_USAGE;
	if (v)
		help_verb(v, stdout);
	else
		help_all(stdout);
	return MW_EXIT_OK;
}

static const struct mw_verb mw_verb_help = {
	.name = "help",
	.args = "[VERB]",
	.summary = "explain a verb",
	.max_args = 1,
	.run = help_run,
};

/* argv[0] is the verb's name. */
static int run_verb(struct mw_cli *cli, struct globals *globals, int argc, char **argv)
{
	_Alignas(max_align_t) char values[MW_VERB_VALUES_MAX] = {0};
	const struct mw_verb *v = cli->verb;
	const struct mw_option_set sets[] = {{v->options, values}, {socket_rows, globals}};
	struct mw_error err = {0};
	int first, r;

	r = mw_options_parse(sets, ARRAY_SIZE(sets), argc, argv, v->stop_early, &first, &err);
	if (r < 0)
		return mw_say_usage(cli, "%s", err.text);
	if (r > 0) {
		help_verb(v, stdout);
		return MW_EXIT_OK;
	}
	if (argc - first < v->min_args)
		return mw_say_usage(cli, "something is missing, expected %s", v->args);
	if (v->max_args >= 0 && argc - first > v->max_args)
		return mw_say_usage(cli, "\"%s\" is one word too many, expected %s", argv[first + v->max_args],
				    v->args);
	if (globals->socket)
		cli->socket = globals->socket;
	cli->values = values;
	return v->run(cli, argc - first, argv + first);
}

/* What was printed must have reached its reader: a full disk is a failure, not a shorter answer. */
static int finish(const struct mw_cli *cli, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	mw_say_error(cli, "standard output: %s", strerror(errno));
	return code == MW_EXIT_OK ? MW_EXIT_FAILURE : code;
}

int main(int argc, char **argv)
{
	struct globals globals = {0};
	const struct mw_option_set sets[] = {{socket_rows, &globals}, {version_rows, &globals}};
	const char *from_env = getenv("MEMWEIR_SOCKET");
	struct mw_cli cli = {.socket = from_env && *from_env ? from_env : MW_DEFAULT_SOCKET};
	struct mw_error err = {0};
	int first, r;

	r = mw_options_parse(sets, ARRAY_SIZE(sets), argc, argv, true, &first, &err);
	if (r < 0)
		return mw_say_usage(&cli, "%s", err.text);
	if (r > 0) {
		help_all(stdout);
		return finish(&cli, MW_EXIT_OK);
	}
	if (globals.version) {
		puts("memweir " MW_VERSION);
		return finish(&cli, MW_EXIT_OK);
	}
	if (first == argc)
		return mw_say_usage(&cli, "which verb?");
	if (globals.socket)
		cli.socket = globals.socket;
	cli.verb = find_verb(&cli, argv[first]);
	if (!cli.verb)
		return MW_EXIT_USAGE;
	return finish(&cli, run_verb(&cli, &globals, argc - first, argv + first));
}
