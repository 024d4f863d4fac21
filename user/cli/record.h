/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* From the daemon's documents (GET /v1/samples) to records. */
#ifndef MW_CLI_RECORD_H
#define MW_CLI_RECORD_H

#include <json-c/json.h>

#include "leak/record.h"

/* A worker under record. */
struct mw_recorded {
	__u64 id; /* of its cgroup */
	__u32 worker; /* in the file */
	__u64 profile[MW_RECORD_PROFILE];
	__u64 sample_ns, check_ns; /* the last recorded */
	bool wanted, seen;
};

struct mw_recording {
	struct mw_record_writer writer;
	struct mw_recorded *known;
	size_t n_known, room;
	size_t near; /* where the next one is looked for first: they come in the same order each time */
	char *const *names; /* whom to record; none: everybody */
	int n_names;
	__u32 n_workers;
	bool begun;
	__u64 samples;
	__u64 newest_ns, now_ns, interval_ns; /* of the document: the newest look, its own time, between two looks */
	bool strangers; /* it had workers of whom no profile was told: ask with profiles */
};

/* What is new in doc, into r->writer. -EPROTO: no such document, err says what was expected; -ENOMEM. */
int mw_recording_take(struct mw_recording *r, struct json_object *doc, struct mw_error *err);
int mw_recording_close(struct mw_recording *r, __u64 now_ns); /* -ENOMEM */
void mw_recording_free(struct mw_recording *r);

#endif
