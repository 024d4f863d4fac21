/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir calibrate: budgets from recordings, each tried out on them. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "leak/calibrate.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"
#include "util/table.h"

#define LITTLE 0.2 /* used of what is reserved */

struct calibrate_values {
	bool json;
	const char *by;
	long margin;
};

#define AT(field) offsetof(struct calibrate_values, field)
static const struct mw_option rows[] = {
	{"json", 'j', MW_OPT_FLAG, AT(json), NULL, "one JSON document, all figures exact"},
	{"by", 'b', MW_OPT_TEXT, AT(by), "GROUP", "a budget for each class (default), worker or file"},
	{"margin", 'm', MW_OPT_NUMBER, AT(margin), "PERCENT", "above what was measured (default: 25)", 1, 1000},
	{NULL},
};

static const struct mw_column columns[] = {
	{"FROM"},
	{"MEASURED", .right = true},
	{"MAX_HEAP", .right = true},
	{"THRESHOLD", .right = true},
	{"KILLED", .right = true},
	{"OVER HIGH", .right = true},
	{"RESERVED", .right = true},
	{"USED", .right = true},
};

struct group {
	char *name;
	struct mw_calibration c;
	struct mw_budget budgets[MW_BUDGET_FROM_MAX];
};

struct groups {
	struct group *all;
	size_t n;
	const struct calibrate_values *values;
	double margin;
	/* of the pass under way */
	const char *file;
	struct mw_calibrated *workers;
	size_t *of; /* which group each is in */
	__u32 n_workers;
	enum mw_budget_from from;
	bool tries; /* the second pass */
};

static const char *key_of(const struct groups *g, const struct mw_record_worker *about)
{
	if (g->values->by && strcmp(g->values->by, "worker") == 0)
		return about->name;
	if (g->values->by && strcmp(g->values->by, "file") == 0)
		return g->file;
	return about->class_name[0] ? about->class_name : "(no class)";
}

static int find_group(struct groups *g, const char *key, size_t *ret_at)
{
	_cleanup_free_ char *name = NULL;
	struct group *grown;

	for (size_t i = 0; i < g->n; i++) {
		if (strcmp(g->all[i].name, key) == 0) {
			*ret_at = i;
			return 0;
		}
	}
	name = strdup(key);
	grown = name ? reallocarray(g->all, g->n + 1, sizeof(*grown)) : NULL;
	if (!grown)
		return -ENOMEM;
	g->all = grown;
	grown[g->n] = (struct group){.name = TAKE_PTR(name)};
	*ret_at = g->n++;
	return 0;
}

static void forget_workers(struct groups *g)
{
	mw_freep(&g->workers);
	mw_freep(&g->of);
	g->n_workers = 0;
}

static void groups_free(struct groups *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->all[i].name);
		mw_calibration_free(&g->all[i].c);
	}
	mw_freep(&g->all);
	forget_workers(g);
}

/* Each worker once, in their order: its place, and in the second pass the budget to try. */
static int rules(const struct mw_record_worker *about, struct mw_replay_rules *r, void *arg, struct mw_error *err)
{
	struct groups *g = arg;
	struct mw_calibrated *workers = reallocarray(g->workers, g->n_workers + 1, sizeof(*workers));
	size_t *of = reallocarray(g->of, g->n_workers + 1, sizeof(*of)), at;

	g->workers = workers ? workers : g->workers;
	g->of = of ? of : g->of;
	if (!workers || !of || find_group(g, key_of(g, about), &at) < 0)
		return mw_fail(err, -ENOMEM, "no memory");
	workers[g->n_workers] = (struct mw_calibrated){0};
	of[g->n_workers++] = at;
	r->limits_only = true;
	r->profile.policy = MW_POLICY_OBSERVE;
	if (g->tries)
		mw_budget_rules(&g->all[at].budgets[g->from], r);
	return 0;
}

static int sample(__u32 worker, const struct mw_record_worker *about, const struct mw_usage *u, void *arg)
{
	struct groups *g = arg;

	(void)about;
	return g->tries ? 0 : mw_calibrate_sample(&g->all[g->of[worker]].c, &g->workers[worker], u);
}

/* One file through: measured, or tried. */
static int pass(struct groups *g, const unsigned char *bytes, size_t size, struct mw_error *err)
{
	const struct mw_replay_asks asks = {.rules = rules, .sample = sample, .keep_profile = true, .arg = g};
	_cleanup_(mw_replay_run_free) struct mw_replay_run run = {0};
	int rc;

	forget_workers(g);
	rc = mw_replay_run(g->file, bytes, size, &asks, &run, err);
	for (__u32 i = 0; i < run.n_workers && rc >= 0; i++) {
		struct group *of = &g->all[g->of[i]];

		if (g->tries)
			mw_budget_cost(&of->budgets[g->from], &run.workers[i].replay.result);
		else
			rc = mw_calibrate_end(&of->c, &g->workers[i]);
	}
	if (rc < 0 && !err->text[0])
		return mw_fail(err, rc, "%s: no memory", g->file);
	return rc;
}

static int pass_file(struct groups *g, const char *path, struct mw_error *err)
{
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t size;
	int rc = mw_record_load(path, &bytes, &size, err);

	g->file = path;
	if (rc < 0 || !g->tries)
		return rc < 0 ? rc : pass(g, bytes, size, err);
	for (g->from = 0; g->from < MW_BUDGET_FROM_MAX && rc >= 0; g->from++)
		rc = pass(g, bytes, size, err);
	return rc;
}

static double share(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

static void print_budget(struct mw_table *t, enum mw_budget_from from, const struct mw_budget *b)
{
	char text[24];

	mw_table_cell(t, mw_budget_from_name(from));
	mw_table_cell(t, mw_size_format(b->bytes, text, sizeof(text)));
	mw_table_cell(t, mw_size_exact(b->max_heap, text, sizeof(text)));
	mw_table_cellf(t, "%.2f", b->hibernate_threshold);
	mw_table_cellf(t, "%u of %u", b->killed, b->workers);
	mw_table_cellf(t, "%.1f %%", share((double)b->over_high_ns, (double)b->lived_ns));
	mw_table_cellf(t, "%s x min", mw_size_format((__u64)fmin(b->reserved_byte_s / 60, 1e18), text, sizeof(text)));
	mw_table_cellf(t, "%.0f %%", share(b->used_byte_s, b->reserved_byte_s));
}

static int print_group(const struct groups *g, struct group *one)
{
	_cleanup_(mw_table_freep) struct mw_table *t = mw_table_new(columns, ARRAY_SIZE(columns));
	const struct mw_budget *peak = &one->budgets[MW_BUDGET_PEAK];
	char name[256], lived[32], max[24];

	if (!t)
		return -ENOMEM;
	mw_text_clean(one->name, 0, name, sizeof(name));
	printf("%s: %u worker%s, %s in all\n", name, one->c.n_workers, one->c.n_workers == 1 ? "" : "s",
	       mw_duration_format(one->c.lived_ns, lived, sizeof(lived)));
	for (enum mw_budget_from from = 0; from < MW_BUDGET_FROM_MAX; from++)
		print_budget(t, from, &one->budgets[from]);
	if (mw_table_print(t, stdout, mw_terminal_width(stdout)) < 0)
		return -EIO;
	printf("proposed: max_heap = %s, hibernate_threshold = %.2f\n"
	       "  the peak and %.0f %% for the next worker, which passes the highest of %u with a chance of about 1 in "
	       "%u; "
	       "memory.high\n  a twentieth above what was used in 99 %% of the time, within %.0f and %.0f %% of "
	       "max_heap\n",
	       mw_size_exact(peak->max_heap, max, sizeof(max)), peak->hibernate_threshold, g->margin, one->c.n_workers,
	       one->c.n_workers + 1, 100 * MW_CALIBRATE_LEAST, 100 * MW_CALIBRATE_MOST);
	if (peak->used_byte_s < LITTLE * peak->reserved_byte_s)
		printf("  little of it would be used: what needs most of all is better off in a class of its own\n");
	return 0;
}

static struct json_object *budget_json(enum mw_budget_from from, const struct mw_budget *b)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "from", mw_budget_from_name(from));
	mw_json_bool(&o, "proposed", from == MW_BUDGET_PEAK);
	mw_json_u64(&o, "measured_bytes", b->bytes);
	mw_json_u64(&o, "max_heap_bytes", b->max_heap);
	mw_json_double(&o, "hibernate_threshold", b->hibernate_threshold, 2);
	mw_json_u64(&o, "killed", b->killed);
	mw_json_u64(&o, "lived_ns", b->lived_ns);
	mw_json_u64(&o, "over_high_ns", b->over_high_ns);
	mw_json_u64(&o, "cache_over_high_ns", b->squeezed_ns);
	mw_json_double(&o, "reserved_byte_seconds", b->reserved_byte_s, 0);
	mw_json_double(&o, "used_byte_seconds", b->used_byte_s, 0);
	mw_json_double(&o, "lost_byte_seconds", b->lost_byte_s, 0);
	return mw_json_end(&o);
}

static struct json_object *group_json(const struct groups *g, const struct group *one)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	struct json_object *list = json_object_new_array();

	mw_json_text(&o, g->values->by ? g->values->by : "class", one->name);
	mw_json_u64(&o, "workers", one->c.n_workers);
	mw_json_u64(&o, "lived_ns", one->c.lived_ns);
	mw_json_double(&o, "margin_percent", g->margin, 0);
	for (enum mw_budget_from from = 0; from < MW_BUDGET_FROM_MAX; from++)
		json_object_array_add(list, budget_json(from, &one->budgets[from]));
	mw_json_put(&o, "budgets", list);
	return mw_json_end(&o);
}

static int print_all(struct groups *g)
{
	_cleanup_json_ struct json_object *doc = NULL, *list = NULL;
	int rc = 0;

	for (size_t i = 0; i < g->n && rc >= 0 && !g->values->json; i++) {
		if (i)
			putchar('\n');
		rc = print_group(g, &g->all[i]);
	}
	if (!g->values->json)
		return rc;
	doc = mw_json_document(mw_wall_ns());
	list = json_object_new_array();
	for (size_t i = 0; i < g->n; i++)
		json_object_array_add(list, group_json(g, &g->all[i]));
	json_object_object_add(doc, "groups", TAKE_PTR(list));
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

static int calibrate_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct calibrate_values *v = cli->values;
	_cleanup_(groups_free) struct groups g = {.values = v,
						  .margin = v->margin ? (double)v->margin : MW_CALIBRATE_MARGIN};
	struct mw_error err = {0};
	int rc = 0;

	if (v->by && strcmp(v->by, "class") != 0 && strcmp(v->by, "worker") != 0 && strcmp(v->by, "file") != 0)
		return mw_say_usage(cli, "--by: found \"%s\", expected class, worker or file", v->by);
	for (int i = 0; i < argc && rc >= 0; i++)
		rc = pass_file(&g, argv[i], &err);
	for (size_t i = 0; i < g.n && rc >= 0; i++)
		for (enum mw_budget_from from = 0; from < MW_BUDGET_FROM_MAX; from++)
			g.all[i].budgets[from] = mw_budget_propose(&g.all[i].c, from, g.margin);
	g.tries = true;
	for (int i = 0; i < argc && rc >= 0; i++)
		rc = pass_file(&g, argv[i], &err);
	if (rc >= 0)
		rc = print_all(&g);
	if (rc < 0)
		mw_say_error(cli, "%s", err.text[0] ? err.text : strerror(-rc));
	return rc < 0 ? MW_EXIT_FAILURE : MW_EXIT_OK;
}

const struct mw_verb mw_verb_calibrate = {
	.name = "calibrate",
	.args = "[--json] [--by GROUP] [--margin PERCENT] FILE...",
	.summary = "propose budgets from recordings, and say what each would have cost",
	.notes = "FILE as for replay. Needs no daemon and no root.",
	.options = rows,
	.min_args = 1,
	.max_args = -1,
	.run = calibrate_run,
};
