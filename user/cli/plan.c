/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir plan: do so many connections fit a budget? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/plan.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/amount.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"

struct plan_values {
	bool json;
	const char *connections, *each, *kernel, *fixed, *budget, *buffer, *active, *worker;
	long pool, has;
};

#define AT(field) offsetof(struct plan_values, field)
static const struct mw_option rows[] = {
	{"connections", 'n', MW_OPT_TEXT, AT(connections), "N",
	 "how many there shall be; auto: as many as the worker has"},
	{"budget", 'b', MW_OPT_TEXT, AT(budget), "SIZE", "what they may take; of a worker its limit"},
	{"each", 'e', MW_OPT_TEXT, AT(each), "SIZE", "of an idle connection"},
	{"kernel", 'k', MW_OPT_TEXT, AT(kernel), "SIZE", "of each, what the kernel keeps for its socket"},
	{"fixed", 'f', MW_OPT_TEXT, AT(fixed), "SIZE", "of the program without any"},
	{"buffer", 0, MW_OPT_TEXT, AT(buffer), "SIZE", "of a connection at work, in addition"},
	{"active", 'a', MW_OPT_TEXT, AT(active), "PERCENT", "so many of them are at work at once (default: 100 %)"},
	{"pool", 'p', MW_OPT_NUMBER, AT(pool), "N", "there are no more buffers than these", 1, 1L << 40},
	{"worker", 'w', MW_OPT_TEXT, AT(worker), "NAME", "measure --each and --kernel on a worker that runs"},
	{"has", 0, MW_OPT_NUMBER, AT(has), "N", "it has so many connections; else they are counted", 1, 1L << 40},
	{"json", 'j', MW_OPT_FLAG, AT(json), NULL, "one JSON document, all figures exact"},
	{NULL},
};

struct plan {
	struct memweir_plan_options o;
	struct memweir_plan_result p;
	struct plan_worker worker;
	char text[MEMWEIR_PLAN_TEXT];
};

static int bad(const struct mw_cli *cli, const char *option, const char *found, const char *expected)
{
	mw_say_usage(cli, "--%s: found \"%s\", expected %s", option, found, expected);
	return MW_EXIT_USAGE;
}

/* Sizes that are given; the others stay. */
static int read_sizes(const struct mw_cli *cli, const struct plan_values *v, struct memweir_plan_options *o)
{
	const struct {
		const char *option, *text;
		uint64_t *to;
	} sizes[] = {
		{"budget", v->budget, &o->budget_bytes}, {"each", v->each, &o->each_bytes},
		{"kernel", v->kernel, &o->socket_bytes}, {"fixed", v->fixed, &o->fixed_bytes},
		{"buffer", v->buffer, &o->buffer_bytes},
	};
	__u64 bytes;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (!sizes[i].text)
			continue;
		if (mw_size_parse(sizes[i].text, &bytes) < 0 || bytes == MW_UNLIMITED)
			return bad(cli, sizes[i].option, sizes[i].text, "a size (190KB, 3GB, 64MiB)");
		*sizes[i].to = bytes;
	}
	return MW_EXIT_OK;
}

static int read_active(const struct mw_cli *cli, const struct plan_values *v, struct memweir_plan_options *o)
{
	char text[32];

	if (!v->active)
		return MW_EXIT_OK;
	/* A plain number is per cent too. */
	snprintf(text, sizeof(text), "%.20s%s", v->active, strchr(v->active, '%') ? "" : "%");
	if (mw_ratio_parse(text, &o->active_share) < 0 || !(o->active_share > 0 && o->active_share <= 1))
		return bad(cli, "active", v->active, "more than 0 and at most 100 per cent");
	return MW_EXIT_OK;
}

static int read_connections(const struct mw_cli *cli, const struct plan_values *v, uint64_t *ret_n)
{
	char *end = NULL;

	if (!v->connections || strcmp(v->connections, "auto") == 0) {
		if (v->worker)
			return MW_EXIT_OK;
		mw_say_usage(cli, "--connections is missing, a number or, with --worker, auto");
		return MW_EXIT_USAGE;
	}
	errno = 0;
	*ret_n = strtoull(v->connections, &end, 10);
	if (errno || *end || end == v->connections || !*ret_n || strchr(v->connections, '-'))
		return bad(cli, "connections", v->connections, "a number");
	return MW_EXIT_OK;
}

/* What was not said is measured. */
static int measure(const struct mw_cli *cli, const struct plan_values *v, struct plan *plan)
{
	struct memweir_plan_options said = plan->o;
	int code = mw_plan_worker(cli, v->worker, (__u64)v->has, &plan->worker);

	if (code)
		return code;
	if (memweir_plan_live(&plan->worker.seen, &plan->o) < 0) {
		mw_say_error(cli, "%s has no connections to measure (--has says how many there are)", v->worker);
		return MW_EXIT_FAILURE;
	}
	if (v->each)
		plan->o.each_bytes = said.each_bytes;
	if (v->kernel)
		plan->o.socket_bytes = said.socket_bytes;
	if (!plan->o.connections)
		plan->o.connections = plan->worker.seen.connections;
	if (!v->budget && !mw_unlimited(plan->worker.limit))
		plan->o.budget_bytes = plan->worker.limit;
	return MW_EXIT_OK;
}

static void print_part(uint64_t n, const char *what, uint64_t each, uint64_t bytes)
{
	char a[32], b[32], line[96];

	if (!bytes)
		return;
	if (n)
		snprintf(line, sizeof(line), "%llu %s × %s", (unsigned long long)n, what,
			 mw_size_format(each, a, sizeof(a)));
	else
		snprintf(line, sizeof(line), "%s", what);
	printf("  %10s  %s\n", mw_size_format(bytes, b, sizeof(b)), line);
}

static void print_text(const struct plan_values *v, const struct plan *plan)
{
	const struct memweir_plan_result *p = &plan->p;

	puts(plan->text);
	print_part(p->connections, "connections", plan->o.each_bytes, p->idle_bytes);
	print_part(p->connections, "sockets", plan->o.socket_bytes, p->sockets_bytes);
	print_part(p->buffers, "buffers in flight", plan->o.buffer_bytes, p->buffers_bytes);
	print_part(0, "without any connection", 0, plan->o.fixed_bytes);
	if (v->worker)
		printf("measured on %llu connections%s%s\n", (unsigned long long)plan->worker.seen.connections,
		       plan->worker.whole ? ", page cache and all" : "",
		       v->fixed ? "" : "; what it takes without any (--fixed) is in each of them");
	if (p->verdict != MEMWEIR_PLAN_TOO_MUCH && p->connections_fit != UINT64_MAX)
		printf("%llu connections fit\n", (unsigned long long)p->connections_fit);
}

static const char *const verdicts[] = {"ok", "warning", "exceeded"};

static int print_json(const struct plan_values *v, const struct plan *plan)
{
	const struct memweir_plan_result *p = &plan->p;
	struct mw_json_out o = mw_json_begin(mw_json_document(mw_wall_ns()));
	_cleanup_json_ struct json_object *doc = NULL;

	mw_json_text(&o, "verdict", verdicts[p->verdict]);
	mw_json_text(&o, "text", plan->text);
	mw_json_u64(&o, "connections", p->connections);
	if (p->connections_fit == UINT64_MAX)
		mw_json_null(&o, "connections_fit");
	else
		mw_json_u64(&o, "connections_fit", p->connections_fit);
	mw_json_u64(&o, "budget_bytes", p->budget_bytes);
	mw_json_u64(&o, "total_bytes", p->total_bytes);
	mw_json_double(&o, "percent", 100 * (double)p->total_bytes / (double)p->budget_bytes, 2);
	mw_json_u64(&o, "each_bytes", plan->o.each_bytes);
	mw_json_u64(&o, "idle_bytes", p->idle_bytes);
	mw_json_u64(&o, "socket_bytes", plan->o.socket_bytes);
	mw_json_u64(&o, "sockets_bytes", p->sockets_bytes);
	mw_json_u64(&o, "buffers", p->buffers);
	mw_json_u64(&o, "buffer_bytes", plan->o.buffer_bytes);
	mw_json_u64(&o, "buffers_bytes", p->buffers_bytes);
	mw_json_u64(&o, "fixed_bytes", plan->o.fixed_bytes);
	if (v->worker) {
		mw_json_text(&o, "worker", v->worker);
		mw_json_u64(&o, "measured_connections", plan->worker.seen.connections);
		mw_json_u64(&o, "measured_memory_bytes", plan->worker.seen.memory_bytes);
		mw_json_u64(&o, "measured_socket_bytes", plan->worker.seen.socket_bytes);
	}
	doc = mw_json_end(&o);
	if (!doc)
		return -ENOMEM;
	puts(json_object_to_json_string_ext(doc, MW_JSON_COMPACT));
	return 0;
}

/* The exit code of a plan that could be made. */
static int tell(const struct mw_cli *cli, const struct plan_values *v, struct plan *plan)
{
	static const int codes[] = {MW_EXIT_OK, MW_EXIT_WARNING, MW_EXIT_ERROR};
	int r;

	plan->p.size = sizeof(plan->p);
	r = memweir_plan(&plan->o, &plan->p);
	if (r == 0)
		r = memweir_plan_text(&plan->p, plan->text, sizeof(plan->text));
	if (r >= 0 && v->json)
		r = print_json(v, plan);
	else if (r >= 0)
		print_text(v, plan);
	if (r < 0) {
		mw_say_error(cli, "%s", r == -EOVERFLOW ? "more than all memory there can be" : strerror(-r));
		return MW_EXIT_FAILURE;
	}
	return codes[plan->p.verdict];
}

static int plan_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct plan_values *v = cli->values;
	struct plan plan = {.o = {.size = sizeof(plan.o), .pool_buffers = (uint64_t)v->pool}};
	int code;

	(void)argc;
	(void)argv;
	if (v->has && !v->worker)
		return mw_say_usage(cli, "--has goes with --worker only");
	if (v->pool && !v->buffer)
		return mw_say_usage(cli, "--pool goes with --buffer only");
	code = read_sizes(cli, v, &plan.o);
	if (!code)
		code = read_active(cli, v, &plan.o);
	if (!code)
		code = read_connections(cli, v, &plan.o.connections);
	if (!code && v->worker)
		code = measure(cli, v, &plan);
	if (code)
		return code;
	if (!plan.o.budget_bytes)
		return mw_say_usage(cli, v->worker ? "--budget is missing, and the worker has no limit"
						   : "--budget is missing");
	if (!v->each && !v->worker)
		return mw_say_usage(cli, "--each is missing, or --worker to measure it");
	return tell(cli, v, &plan);
}

const struct mw_verb mw_verb_plan = {
	.name = "plan",
	.args = "--connections N --each SIZE --budget SIZE [OPTIONS] | --worker NAME [--connections N] [OPTIONS]",
	.summary = "do so many connections fit a budget: exit code 0, 3 for a close fit, 4 for none",
	.notes = "From 97 % of the budget on it is a warning. Needs no daemon and no root, but for --worker.\n"
		 "  memweir plan -n 15000 --each 180KB --fixed 56MB --buffer 100KB --pool 1000 --budget 3GB\n"
		 "  memweir plan --worker web-7 -n 15000 --fixed 60MB --budget 3GB",
	.options = rows,
	.run = plan_run,
};
