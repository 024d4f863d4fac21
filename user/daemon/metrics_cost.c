/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/metrics_cost.h"
#include "daemon/otlp.h"

#include <poll.h>
#include <string.h>
#include <sys/resource.h>

#include "core/cgroup.h"
#include "util/cleanup.h"
#include "util/clock.h"

static __u64 time_ns(const struct timeval *t)
{
	return (__u64)t->tv_sec * MW_NS_PER_S + (__u64)t->tv_usec * 1000;
}

static void put_process(struct mw_metrics_guard *m)
{
	_cleanup_fclose_ FILE *statm = fopen("/proc/self/statm", "re");
	unsigned long long size, resident;
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) == 0) {
		m->user_ns = time_ns(&used.ru_utime);
		m->system_ns = time_ns(&used.ru_stime);
	}
	if (statm && fscanf(statm, "%llu %llu", &size, &resident) == 2)
		m->rss_bytes = resident * (__u64)sysconf(_SC_PAGESIZE);
}

static bool stats_enabled(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");

	return file && fgetc(file) == '1';
}

static void put_programs(struct mw_guard *g, struct mw_metrics_guard *m)
{
	struct mw_program_cost costs[MW_METRICS_PROGRAMS];
	int n = mw_kernel_costs(g->kernel, costs, ARRAY_SIZE(costs));

	for (int i = 0; i < n; i++)
		m->programs[m->n_programs++] = (struct mw_metric_program){
			.name = costs[i].name,
			.runs = costs[i].runs,
			.run_ns = costs[i].run_ns,
			.skipped = costs[i].skipped,
		};
	m->bpf_stats = stats_enabled();
	m->map_bytes = mw_kernel_map_bytes(g->kernel);
}

static void put_kernel(struct mw_guard *g, struct mw_metrics_guard *m)
{
	struct mw_newcomer_map newcomers = {0};
	struct mw_stats s = {0};

	mw_kernel_stats(g->kernel, &s);
	mw_kernel_newcomers_read(g->kernel, &newcomers);
	m->records = g->events_seen;
	m->records_lost = s.events_lost;
	m->records_bad = mw_kernel_bad_records(g->kernel);
	m->newcomers_told = newcomers.told;
	m->newcomers_dropped = newcomers.dropped;
	const struct mw_metric_named lost[] = {
		{"task-storage", s.task_storage_failed},
		{"pause-map", s.pause_map_full},
		{"pause-unmatched", s.pause_unmatched},
		{"site-map", s.site_map_full},
		{"stack", s.stack_failed},
		{"stack-throttled", s.stack_throttled},
		{"members", s.members_full},
		{"stack-copies", s.copies_lost},
	};
	_Static_assert(ARRAY_SIZE(lost) == MW_METRICS_LOST, "room for each");
	memcpy(m->lost, lost, sizeof(lost));
	m->n_lost = ARRAY_SIZE(lost);
	for (enum mw_capability cap = 0; cap < MW_CAP_MAX; cap++)
		m->capabilities[m->n_capabilities++] =
			(struct mw_metric_named){mw_kernel_capability_name(cap), mw_kernel_has(g->kernel, cap)};
	_Static_assert((int)MW_CAP_MAX <= MW_METRICS_PROGRAMS, "room for each");
}

/* Its socket carries nothing to us but its end. */
static bool keeper_lives(const struct mw_guard *g)
{
	struct pollfd fd = {.fd = g->keeper ? mw_keeper_fd(g->keeper) : -1, .events = POLLIN};

	return fd.fd >= 0 && poll(&fd, 1, 0) == 0;
}

static void put_http(struct mw_guard *g, struct mw_metrics_guard *m)
{
	const struct mw_server_counts c = mw_server_counts(g->server);
	struct mw_answers answers[MW_HTTP_CODES];

	_Static_assert(MW_HTTP_CODES <= MW_METRICS_CODES, "room for each");
	m->n_codes = mw_server_answers(g->server, answers);
	for (size_t i = 0; i < m->n_codes; i++)
		m->codes[i] = (struct mw_metric_code){answers[i].status, answers[i].n};
	m->streams = c.streams;
	m->http_events_lost = c.events_lost;
	m->http_held = c.held_bytes;
	m->http_closed[0] = (struct mw_metric_named){"refused", c.refused};
	m->http_closed[1] = (struct mw_metric_named){"timed-out", c.timed_out};
	m->http_closed[2] = (struct mw_metric_named){"unasked", c.unasked};
	m->http_closed[3] = (struct mw_metric_named){"slow", c.slow};
	m->answer_bytes = g->scrape_bytes;
	m->answer_ns = g->scrape_ns;
	m->refused = g->scrapes_refused;
}

static void put_otlp(struct mw_guard *g, struct mw_metrics_guard *m)
{
	static const char *const names[] = {
		[MW_OTLP_TRACES] = "traces", [MW_OTLP_METRICS] = "metrics", [MW_OTLP_LOGS] = "logs"};
	const struct mw_otlp_stats s = mw_otlp_stats(g);

	_Static_assert(ARRAY_SIZE(names) == MW_METRICS_SIGNALS, "room for each");
	m->otlp = s.state != MW_OTLP_OFF || s.starts;
	m->otlp_failing = s.failing;
	m->otlp_lost = s.lost;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		m->signals[i] = (struct mw_metric_signal){names[i], s.counts[i].sent, s.counts[i].dropped,
							  s.counts[i].refused, s.counts[i].waiting};
}

void mw_metrics_cost(struct mw_guard *g, struct mw_metrics_guard *ret_cost)
{
	const struct mw_log_counts log = mw_teller_counts(g->tell);
	const struct mw_timings *t = &g->timings;

	*ret_cost = (struct mw_metrics_guard){
		.version = MW_VERSION,
		.start_wall_ns = g->opened_wall_ns,
		.dry_run = g->opts.dry_run,
		.keeper = keeper_lives(g),
		.controller = g->has_memory,
		.budget = g->cfg.tree.budget,
		.breaker_lost = mw_breaker_lost(g->breaker),
		.actions_refused = mw_actions_refused(g->actions),
		.incident_failures = mw_incidents_failures(g->incidents),
		.log_lost = log.lost,
		.log_suppressed = log.suppressed,
		.recorder_bytes = mw_recorder_bytes(g->recorder),
		.recorder_lost = mw_recorder_lost(g->recorder),
		.turns = t->turns,
		.late = t->late,
		.samples = t->samples,
		.checks = t->checks,
		.latency = t->latency,
		.longest_ns = t->turns.max_ns,
	};
	put_process(ret_cost);
	put_programs(g, ret_cost);
	put_kernel(g, ret_cost);
	put_http(g, ret_cost);
	put_otlp(g, ret_cost);
}
