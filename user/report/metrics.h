/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * GET /metrics: a table of every family, and what it says of one worker and of the guard. A family whose value is a
 * field comes from its row alone; the others have some lines in metrics_worker.c and metrics_guard.c.
 */
#ifndef MW_METRICS_H
#define MW_METRICS_H

#include "core/totals.h"
#include "core/worker.h"
#include "report/metrics_out.h"

enum mw_metric {
	/* of a worker: labels worker and class, and more */
	MW_M_WORKER,
	MW_M_WORKER_USAGE,
	MW_M_WORKER_HEAP,
	MW_M_WORKER_BIN,
	MW_M_WORKER_PEAK,
	MW_M_WORKER_MAX,
	MW_M_WORKER_HIGH,
	MW_M_WORKER_MAX_HEAP,
	MW_M_WORKER_MAX_BIN,
	MW_M_WORKER_RATIO,
	MW_M_WORKER_LEVEL,
	MW_M_WORKER_VERDICT,
	MW_M_WORKER_STATE,
	MW_M_WORKER_LEAK_RATE,
	MW_M_WORKER_TIME_TO_LIMIT,
	MW_M_WORKER_STALLED,
	MW_M_WORKER_PAUSE,
	MW_M_WORKER_PAUSES,
	MW_M_WORKER_PAUSED,
	MW_M_WORKER_RECLAIMS,
	MW_M_WORKER_PACED,
	MW_M_WORKER_PACED_BYTES,
	MW_M_WORKER_PACED_SECONDS,
	MW_M_WORKER_EVENTS,
	MW_M_WORKER_INCIDENTS,
	MW_M_WORKER_LIFTS,
	MW_M_WORKER_HIBERNATIONS,
	MW_M_WORKER_HIBERNATED,
	MW_M_WORKER_CONFLICTS,
	MW_M_WORKER_REPAIRS,
	MW_M_WORKER_LIMIT_FAILURES,
	MW_M_WORKER_RESTARTS,
	MW_M_WORKER_START,
	MW_M_WORKER_AGE,
	/* what a worker says of itself: in the order of core/figures.h */
	MW_M_FIGURES_AGE,
	MW_M_POOL,
	MW_M_POOL_LAST = MW_M_POOL + MW_POOL_FIGURE_MAX - 1,
	MW_M_LIMITER,
	MW_M_LIMITER_LAST = MW_M_LIMITER + MW_LIMITER_FIGURE_MAX - 1,
	MW_M_REQUEST,
	MW_M_REQUEST_LAST = MW_M_REQUEST + MW_REQUEST_FIGURE_MAX - 1,
	MW_M_REQUEST_HISTOGRAM,
	MW_M_REQUEST_HISTOGRAM_LAST = MW_M_REQUEST_HISTOGRAM + MW_REQUEST_HISTOGRAM_MAX - 1,
	/* of the host */
	MW_M_WORKERS,
	MW_M_VERDICTS,
	MW_M_BUDGET,
	MW_M_STARTED,
	MW_M_ENDED,
	MW_M_INCIDENTS,
	MW_M_KILLS,
	MW_M_LIFTS,
	MW_M_HIBERNATIONS,
	MW_M_HIBERNATED,
	MW_M_PAUSE,
	/* of the guard itself */
	MW_M_BUILD,
	MW_M_START,
	MW_M_DRY_RUN,
	MW_M_KEEPER,
	MW_M_CONTROLLER,
	MW_M_CAPABILITY,
	MW_M_CPU,
	MW_M_RSS,
	MW_M_BPF_STATS,
	MW_M_BPF_SECONDS,
	MW_M_BPF_RUNS,
	MW_M_BPF_SKIPPED,
	MW_M_BPF_MAPS,
	MW_M_RECORDS,
	MW_M_RECORDS_LOST,
	MW_M_RECORDS_BAD,
	MW_M_RECORD_LATENCY,
	MW_M_KERNEL_LOST,
	MW_M_NEWCOMERS,
	MW_M_BREAKER_LOST,
	MW_M_ACTIONS_REFUSED,
	MW_M_INCIDENT_FAILURES,
	MW_M_LOG_LOST,
	MW_M_LOG_SUPPRESSED,
	MW_M_RECORDER_BYTES,
	MW_M_RECORDER_LOST,
	MW_M_LOOP_TURN,
	MW_M_LOOP_LATE,
	MW_M_LOOP_LONGEST,
	MW_M_SAMPLE,
	MW_M_CHECK,
	MW_M_HTTP,
	MW_M_STREAMS,
	MW_M_HTTP_CLOSED,
	MW_M_HTTP_EVENTS_LOST,
	MW_M_HTTP_HELD,
	MW_M_OTLP_FAILING,
	MW_M_OTLP_LOST,
	MW_M_OTLP_ITEMS,
	MW_M_OTLP_WAITING,
	MW_M_ANSWER_BYTES,
	MW_M_ANSWER_SECONDS,
	MW_M_ANSWER_REFUSED,
	MW_M_MAX,
};

/* Where a sample's value is. */
enum mw_metric_from {
	MW_M_CODE, /* some lines of code */
	MW_M_U64,
	MW_M_LIMIT, /* a __u64, absent when it is MW_UNLIMITED */
	MW_M_NS, /* a __u64 of nanoseconds, in seconds */
	MW_M_FLAG, /* a bool */
	MW_M_HIST, /* a struct mw_pause_stat */
};

struct mw_metric_row {
	struct mw_metric_family family;
	const char *labels; /* for people; of a worker's: besides worker and class */
	bool sparse; /* absent while it is 0 */
	enum mw_metric_from from;
	size_t at; /* offset in struct mw_worker, or for the others in struct mw_metrics_guard */
};
extern const struct mw_metric_row mw_metric_rows[MW_M_MAX];

/* Pauses of one class, each once: of who ended and who lives, with the last one that was kept of each kind. */
struct mw_class_pauses {
	char name[MW_NAME_SIZE];
	struct mw_pause_stat pauses[MW_PAUSE_MAX];
	struct mw_metric_last {
		__u64 duration_ns, time_ns; /* time_ns 0: none */
		__u32 tid;
		char comm[MW_COMM_SIZE], worker[MW_NAME_SIZE];
	} last[MW_PAUSE_MAX];
	__u64 levels[MW_LEVEL_MAX], verdicts[MW_TREND_MAX]; /* workers */
};

/* One worker, as it is now. stats NULL: it has not paused. into NULL: no totals. */
struct mw_metrics_now {
	__u64 now_ns;
	__s64 boot_offset_ns; /* wall - monotonic */
};
void mw_metrics_worker(struct mw_metrics_out *o, const struct mw_worker *w, const struct mw_pause_stat *stats,
		       const struct mw_metrics_now *now);
/* What it says of its own pools, limiters and requests; nothing where that is stale or nothing. l: worker and class. */
void mw_metrics_figures(struct mw_metrics_out *o, const struct mw_worker *w, struct mw_metric_labels *l, __u64 now_ns);
void mw_metrics_count(struct mw_class_pauses *into, const struct mw_worker *w, const struct mw_pause_stat *stats);

struct mw_metric_named {
	const char *name;
	__u64 value;
};
#define MW_METRICS_PROGRAMS 64
#define MW_METRICS_CODES    16
#define MW_METRICS_LOST	    8
#define MW_METRICS_CLOSED   4
#define MW_METRICS_SIGNALS  3

/* What the guard says of itself and of the host. */
struct mw_metrics_guard {
	const char *version;
	__u64 start_wall_ns;
	bool dry_run, keeper, controller, bpf_stats;
	__u64 budget; /* MW_UNLIMITED: none */
	__u64 user_ns, system_ns, rss_bytes, map_bytes;
	__u64 records, records_lost, records_bad, breaker_lost, actions_refused, incident_failures, log_lost;
	__u64 log_suppressed, recorder_bytes, recorder_lost;
	__u64 newcomers_told, newcomers_dropped;
	__u64 streams, answer_bytes, answer_ns, refused;
	__u64 http_events_lost, http_held;
	struct mw_metric_named http_closed[MW_METRICS_CLOSED]; /* connections, by why */
	bool otlp; /* there is a collector; without one none of its rows is there */
	__u64 otlp_failing, otlp_lost;
	struct mw_metric_signal {
		const char *name;
		__u64 sent, dropped, refused, waiting;
	} signals[MW_METRICS_SIGNALS];
	struct mw_pause_stat turns, late, samples, checks, latency;
	__u64 longest_ns;
	struct mw_metric_program {
		const char *name;
		__u64 runs, run_ns, skipped;
	} programs[MW_METRICS_PROGRAMS];
	size_t n_programs;
	struct mw_metric_code {
		unsigned int status;
		__u64 n;
	} codes[MW_METRICS_CODES];
	size_t n_codes;
	struct mw_metric_named lost[MW_METRICS_LOST], capabilities[MW_METRICS_PROGRAMS];
	size_t n_lost, n_capabilities;
};
void mw_metrics_guard(struct mw_metrics_out *o, const struct mw_metrics_guard *g);
/* totals: those of each class, pauses: the same with who lives. */
void mw_metrics_class(struct mw_metrics_out *o, const struct mw_class_totals *totals,
		      const struct mw_class_pauses *pauses, const struct mw_metrics_now *now);

/* One sample with one label more; l is as before. Nothing where the row is sparse and n is 0. */
void mw_metrics_of(struct mw_metrics_out *o, enum mw_metric i, struct mw_metric_labels *l, const char *name,
		   const char *value, __u64 n);
/* Every row whose value is a field of base, from first up to end. labels NULL: none. */
void mw_metrics_fields(struct mw_metrics_out *o, enum mw_metric first, enum mw_metric end, const void *base,
		       const struct mw_metric_labels *labels);

enum mw_metrics_format {
	MW_METRICS_PROMETHEUS, /* text/plain; version=0.0.4 */
	MW_METRICS_OPEN, /* application/openmetrics-text; version=1.0.0 */
};
/* What the Accept header (NULL: none was sent) likes best; Prometheus text where it likes neither or both. */
enum mw_metrics_format mw_metrics_accept(const char *accept);
const char *mw_metrics_content_type(enum mw_metrics_format format);

#endif
