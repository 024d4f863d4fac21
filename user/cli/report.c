/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir report: what the guard concluded, and why. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/field.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "util/cleanup.h"
#include "util/size.h"
#include "util/table.h"

struct report_values {
	bool json;
	long limit;
	bool hist, host, folded;
	const char *class_name;
	const char *pprof; /* NULL: not; "": to standard output */
};

static const struct mw_option rows[] = {
	{"json", 'j', MW_OPT_FLAG, offsetof(struct report_values, json), NULL, "the daemon's document as it is"},
	{"limit", 'n', MW_OPT_NUMBER, offsetof(struct report_values, limit), "COUNT", "incidents to show, newest first",
	 1, 1000000},
	{"hist", 'H', MW_OPT_FLAG, offsetof(struct report_values, hist), NULL, "pauses: histograms of their lengths"},
	{"class", 'c', MW_OPT_TEXT, offsetof(struct report_values, class_name), "CLASS",
	 "pauses: of a class and its workers"},
	{"host", 0, MW_OPT_FLAG, offsetof(struct report_values, host), NULL, "pauses: of all workers together"},
	{"folded", 0, MW_OPT_FLAG, offsetof(struct report_values, folded), NULL,
	 "leaks: stacks in one line each, for flame graphs"},
	{"pprof", 0, MW_OPT_MAYBE, offsetof(struct report_values, pprof), "FILE",
	 "leaks: a profile for pprof, into a new file or a pipe"},
	{NULL},
};

/* What was reclaimed ahead of it; nothing is said where nothing was. */
static void print_container(struct json_object *c)
{
	char text[256];

	if (!c)
		return;
	printf("  container %s of %s", mw_text_clean(mw_field_str(c, "name"), 0, text, sizeof(text)),
	       mw_field_str(c, "engine"));
	printf(", ID %.12s", mw_text_clean(mw_field_str(c, "id"), 0, text, sizeof(text)));
	if (*mw_field_str(c, "image"))
		printf(", image %s", mw_text_clean(mw_field_str(c, "image"), 0, text, sizeof(text)));
	if (*mw_field_str(c, "pod"))
		printf(", pod %s", mw_text_clean(mw_field_str(c, "pod"), 0, text, sizeof(text)));
	if (*mw_field_str(c, "namespace"))
		printf(", namespace %s", mw_text_clean(mw_field_str(c, "namespace"), 0, text, sizeof(text)));
	puts("");
}

/* Others that change its limits. */
static void print_conflicts(struct json_object *c)
{
	double n = mw_field_number(c, "count", 0);
	char found[MW_TEXT], by[64];

	if (n < 1)
		return;
	printf("  its limits were changed by others %.0f time%s and put back %.0f; last %s to %s by %s\n", n,
	       n > 1 ? "s" : "", mw_field_number(c, "repairs", 0), mw_field_str(c, "file"),
	       mw_say_limit(c, "found_bytes", found),
	       *mw_field_str(c, "by") ? mw_text_clean(mw_field_str(c, "by"), 0, by, sizeof(by)) : "an unknown process");
}

/* Limits the class wants, and the kernel or PID 1 did not take. */
static void print_unmet(struct json_object *u)
{
	char max[MW_TEXT], why[128];

	if (u)
		printf("  its limits are not in force: max %s, %s; tried %.0f time%s in %s, next in %s\n",
		       mw_say_limit(u, "max_bytes", max), mw_text_clean(mw_field_str(u, "why"), 0, why, sizeof(why)),
		       mw_field_number(u, "tries", 0), mw_field_number(u, "tries", 0) > 1 ? "s" : "",
		       mw_say_seconds(mw_field_number(u, "since_ms", 0) / 1000, (char[MW_TEXT]){0}),
		       mw_say_seconds(mw_field_number(u, "next_ms", 0) / 1000, (char[MW_TEXT]){0}));
}

static void print_paced(struct json_object *w)
{
	double batches = mw_field_number(w, "paced_reclaims", 0);
	char freed[MW_TEXT], took[MW_TEXT];

	if (batches < 1)
		return;
	mw_duration_format((__u64)mw_field_number(w, "paced_ns", 0), took, sizeof(took));
	printf("  reclaimed ahead of it: %s in %.0f batches, %s of the guard's time\n",
	       mw_say_bytes(w, "paced_bytes", freed), batches, took);
}

/* A worker's figures in a few lines. */
static void print_worker(struct json_object *w)
{
	char heap[MW_TEXT], bin[MW_TEXT], current[MW_TEXT], peak[MW_TEXT], max[MW_TEXT], high[MW_TEXT], clean[512];

	printf("%s", mw_text_clean(mw_field_str(w, "name"), 0, clean, sizeof(clean)));
	printf(" (%s), cgroup %s\n", mw_field_str(w, "class"),
	       mw_text_clean(mw_field_str(w, "cgroup"), 0, clean, sizeof(clean)));
	printf("  %s", mw_text_clean(mw_field_str(w, "command"), 0, clean, sizeof(clean)));
	printf("\n  status %s, %.1f %% of max_heap: heap %s, bin %s; current %s, peak %s, high %s, max %s\n",
	       mw_field_str(w, "status"), mw_field_number(w, "percent", 0), mw_say_bytes(w, "heap_bytes", heap),
	       mw_say_bytes(w, "bin_bytes", bin), mw_say_bytes(w, "usage_bytes", current),
	       mw_say_bytes(w, "peak_bytes", peak), mw_say_limit(w, "high_bytes", high),
	       mw_say_limit(w, "max_bytes", max));
	print_paced(w);
	print_container(mw_field_object(w, "container"));
	if (*mw_field_str(w, "unit"))
		printf("  limited through systemd, unit %s\n",
		       mw_text_clean(mw_field_str(w, "unit"), 0, clean, sizeof(clean)));
	print_unmet(mw_field_object(w, "not_in_force"));
	print_conflicts(mw_field_object(w, "conflicts"));
}

/* The part as an array of one, as the printers of many want it. */
static struct json_object *only(struct json_object *part)
{
	struct json_object *array = json_object_new_array();

	if (part)
		json_object_array_add(array, json_object_get(part));
	return array;
}

/* What the guard did about it, step by step, and what each step brought. */
static void print_ladder(struct json_object *steps)
{
	char before[MW_TEXT], after[MW_TEXT];

	if (mw_field_length(steps))
		puts("\nladder");
	for (size_t i = 0; i < mw_field_length(steps); i++) {
		struct json_object *s = json_object_array_get_idx(steps, i);
		double ms = mw_field_number(s, "took_ms", -1);

		printf("%s at level %s, %s: ", mw_field_str(s, "rung"), mw_field_str(s, "level"),
		       mw_say_bytes(s, "before_bytes", before));
		if (ms < 0)
			puts("under way");
		else
			printf("%s after %.0f ms, level %s\n", mw_say_bytes(s, "after_bytes", after), ms,
			       mw_field_str(s, "level_after"));
	}
}

static int print_guarded(struct json_object *doc)
{
	struct json_object *incidents = mw_field_array(doc, "incidents");
	_cleanup_json_ struct json_object *leak = only(mw_field_object(doc, "leak"));
	_cleanup_json_ struct json_object *pauses = only(mw_field_object(doc, "pauses"));
	int r;

	print_worker(mw_field_object(doc, "worker"));
	mw_print_figures(mw_field_object(mw_field_object(doc, "worker"), "figures"));
	puts("\nleaks");
	r = mw_print_leaks(leak);
	puts("\npauses");
	r = r ? r : mw_print_pauses(pauses, false);
	print_ladder(mw_field_array(doc, "ladder"));
	puts("\nincidents");
	if (mw_field_length(incidents) == 0)
		puts("none");
	else
		r = r ? r : mw_print_incidents(incidents);
	return r ? MW_EXIT_FAILURE : MW_EXIT_OK;
}

/* Incidents: of a worker, the newest in full, or one. */
static int print_dead(struct json_object *doc)
{
	struct json_object *incidents = mw_field_array(doc, "incidents");
	size_t n = mw_field_length(incidents);

	if (n > 1) {
		if (mw_print_incidents(incidents))
			return MW_EXIT_FAILURE;
		puts("\nthe newest:");
	}
	if (n)
		mw_print_incident(json_object_array_get_idx(incidents, 0));
	else
		puts("no incidents");
	return MW_EXIT_OK;
}

/* A worker under guard, or what is left of one. */
static int print_one(struct json_object *doc)
{
	return mw_field_object(doc, "worker") ? print_guarded(doc) : print_dead(doc);
}

static int print_text(const char *what, struct json_object *doc)
{
	if (strcmp(what, "leaks") == 0)
		return mw_print_leaks(mw_field_array(doc, "workers")) ? MW_EXIT_FAILURE : MW_EXIT_OK;
	if (strcmp(what, "rules") == 0)
		return mw_print_rules(doc) ? MW_EXIT_FAILURE : MW_EXIT_OK;
	if (strcmp(what, "incidents") == 0)
		return mw_print_incidents(mw_field_array(doc, "incidents")) ? MW_EXIT_FAILURE : MW_EXIT_OK;
	return print_one(doc);
}

/* The members whose key is value, as an array of the document in place of the whole one. Returns how many. */
static size_t narrow(struct json_object *doc, const char *array, const char *key, const char *value)
{
	struct json_object *all = mw_field_array(doc, array), *some = json_object_new_array();

	for (size_t i = 0; i < mw_field_length(all); i++) {
		struct json_object *o = json_object_array_get_idx(all, i);

		if (strcmp(mw_field_str(o, key), value) == 0)
			json_object_array_add(some, json_object_get(o));
	}
	json_object_object_add(doc, array, some);
	return mw_field_length(some);
}

/* The part of the document that was asked for. */
static int narrow_pauses(const struct mw_cli *cli, const char *worker, struct json_object *doc)
{
	const struct report_values *v = cli->values;

	if (worker) {
		json_object_object_del(doc, "classes");
		json_object_object_del(doc, "host");
		if (!narrow(doc, "workers", "name", worker)) {
			mw_say_error(cli, "no worker %s (memweir ps lists them)", worker);
			return -ENOENT;
		}
	} else if (v->class_name) {
		json_object_object_del(doc, "host");
		narrow(doc, "workers", "class", v->class_name);
		if (!narrow(doc, "classes", "name", v->class_name)) {
			mw_say_error(cli, "no worker of class %s is under guard", v->class_name);
			return -ENOENT;
		}
	} else if (v->host && v->json) { /* text names the most stalled workers too */
		json_object_object_del(doc, "classes");
		json_object_object_del(doc, "workers");
	}
	return 0;
}

/* First who is stalled most and why, then every figure of what was asked for, then sums. */
static int print_pauses(const struct report_values *v, struct json_object *doc)
{
	_cleanup_json_ struct json_object *host = only(mw_field_object(doc, "host"));
	struct json_object *classes = mw_field_array(doc, "classes");
	int r = 0;

	mw_print_stalled(mw_field_array(doc, "workers"));
	if (v->class_name)
		r = mw_print_pauses(classes, v->hist);
	else if (v->host)
		r = mw_print_pauses(host, v->hist);
	else
		r = mw_print_pauses(mw_field_array(doc, "workers"), v->hist);
	if (!r && !v->host && mw_field_object(doc, "host"))
		r = mw_print_pause_groups(classes, mw_field_object(doc, "host"));
	return r ? MW_EXIT_FAILURE : MW_EXIT_OK;
}

static int run_pauses(const struct mw_cli *cli, int argc, char **argv)
{
	const struct report_values *v = cli->values;
	const char *worker = argc > 1 ? argv[1] : NULL;
	_cleanup_answer_ struct mw_answer a = {0};

	if ((worker != NULL) + (v->class_name != NULL) + v->host > 1)
		return mw_say_usage(cli, "a worker, --class or --host: one of them");
	if (mw_call(cli, "GET", "/v1/report/pauses", NULL, MW_CALL_MS, &a) < 0 || narrow_pauses(cli, worker, a.doc) < 0)
		return MW_EXIT_FAILURE;
	if (!v->json)
		return print_pauses(v, a.doc);
	if (worker || v->class_name || v->host)
		puts(json_object_to_json_string_ext(a.doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		mw_call_print(&a);
	return MW_EXIT_OK;
}

/* Forms for other programs: of leaks, and one at a time. */
static int check_form(const struct mw_cli *cli, const struct report_values *v, const char *what)
{
	if (!v->folded && !v->pprof)
		return 0;
	if (v->json || (v->folded && v->pprof) || strcmp(what, "leaks") != 0)
		return mw_say_usage(cli, "%s is of leaks, and no other form beside it",
				    v->pprof ? "--pprof" : "--folded");
	if (v->pprof && !*v->pprof && isatty(STDOUT_FILENO))
		return mw_say_usage(cli, "--pprof is not for a terminal: expected --pprof=FILE, or a pipe");
	return 0;
}

static int report_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct report_values *v = cli->values;
	_cleanup_answer_ struct mw_answer a = {0};
	_cleanup_free_ char *path = NULL;
	const char *what;
	char full[1024];
	int r = check_form(cli, v, argv[0]);

	if (r)
		return r;
	if (strcmp(argv[0], "pauses") == 0)
		return run_pauses(cli, argc, argv);
	what = argc > 1 && strcmp(argv[0], "incidents") == 0 ? argv[1] : argv[0];
	if ((argc > 1 && what == argv[0]) || v->hist || v->host || v->class_name)
		return mw_say_usage(
			cli,
			"%s: only pauses takes a worker, --class, --host or --hist, and incidents one of them or "
			"of its worker",
			argv[0]);
	path = mw_call_path("/v1/report", what, NULL);
	if (!path)
		return MW_EXIT_FAILURE;
	if (v->limit)
		snprintf(full, sizeof(full), "%s?limit=%ld", path, v->limit);
	else
		snprintf(full, sizeof(full), "%s", path);
	if (mw_call(cli, "GET", full, NULL, MW_CALL_MS, &a) < 0)
		return MW_EXIT_FAILURE;
	if (v->pprof)
		return mw_write_pprof(cli, v->pprof, mw_field_array(a.doc, "workers"));
	if (v->folded)
		mw_print_folded(mw_field_array(a.doc, "workers"));
	else if (v->json)
		mw_call_print(&a);
	else
		return what == argv[0] ? print_text(what, a.doc) : print_dead(a.doc);
	return MW_EXIT_OK;
}

const struct mw_verb mw_verb_report = {
	.name = "report",
	.args = "[--json] [--limit COUNT] (leaks [--folded | --pprof[=FILE]] | pauses [--hist] [WORKER | --class CLASS "
		"| --host] | "
		"incidents [WORKER | INCIDENT] | "
		"rules "
		"| WORKER | INCIDENT)",
	.summary = "what the guard concluded, and why",
	.options = rows,
	.min_args = 1,
	.max_args = 2,
	.run = report_run,
};
