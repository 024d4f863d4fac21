/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Between the daemon and memweir-otlp: one SOCK_SEQPACKET socket, descriptor MW_OTLP_FD of the latter. Neither waits
 * for the other. To memweir-otlp go records, a JSON object each:
 *
 *   {"check":{"trace","span","start","end","checked","workers","high","bytes","leaks","suspects","hibernated","dry_run"}}
 *   {"event":{"kind","priority","time","trace","span","doc":{...}}}   doc: as GET /v1/events has it
 *   {"metrics":{}}   with a descriptor: the daemon's answer to GET /metrics, to be read to its end
 *
 * Times are CLOCK_REALTIME ns; trace and span hex, those of an event only where it happened in a check. Back come
 * reports of fixed size: whoever talks to a network is not parsed.
 */
#ifndef MW_OTLP_WIRE_H
#define MW_OTLP_WIRE_H

#include <linux/types.h>

#define MW_OTLP_FD	   3
#define MW_OTLP_RECORD_MAX 16384 /* bytes of a record */
#define MW_OTLP_TEXT	   400
/* Of its environment, besides those of the specification: the endpoint that the configuration says, and whose it is. */
#define MW_OTLP_ENV_ENDPOINT "MEMWEIR_OTLP_ENDPOINT"
#define MW_OTLP_ENV_INSTANCE "MEMWEIR_OTLP_INSTANCE"
#define MW_OTLP_ENV_PID	     "MEMWEIR_OTLP_PID"

enum mw_otlp_signal {
	MW_OTLP_TRACES,
	MW_OTLP_METRICS,
	MW_OTLP_LOGS,
	MW_OTLP_SIGNALS,
};

enum mw_otlp_report_kind {
	MW_OTLP_SAYS = 1, /* how it goes, and text for the log if there is one */
	MW_OTLP_ASKS, /* for a record {"metrics":{}} */
};

/* Of one signal, since memweir-otlp began. Records: spans, data points, log records. */
struct mw_otlp_counts {
	__u64 sent; /* the collector took them */
	__u64 dropped; /* there was no room, or no more time at the end */
	__u64 refused; /* the collector will not have them: 4xx, 500, a partial success */
	__u64 waiting, waiting_bytes; /* now; also what is under way */
	__u64 requests, failures; /* attempts, and those that failed */
};

struct mw_otlp_report {
	__u32 kind; /* enum mw_otlp_report_kind */
	__s32 priority; /* of text, as syslog's */
	__u32 failing; /* the last attempt of some signal failed */
	__u32 reserved;
	__u64 taken; /* records that were read */
	__u64 unusable; /* records, figures and answers of the daemon that could not be read */
	struct mw_otlp_counts counts[MW_OTLP_SIGNALS];
	char text[MW_OTLP_TEXT]; /* a sentence; "": none. Made plain by whoever reads it */
};
_Static_assert(sizeof(struct mw_otlp_report) == 32 + MW_OTLP_SIGNALS * 56 + MW_OTLP_TEXT, "no padding");

#endif
