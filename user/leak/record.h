/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Recordings: every number the verdicts are made of, exact, so that they can be made again. A file is a header and
 * records of a few bytes each; numbers are differences to the worker's sample before, as bytes with seven bits each,
 * and so the same on every machine.
 *
 *   header   "\x89MWREC\r\n", version, byte order, number of fields; wall clock and CLOCK_MONOTONIC at its start;
 *            the monitor's settings
 *   worker   name, class and profile; again when these change
 *   sample   one look at a worker
 *   check    the daemon judged it: of which figure, and what it said
 *   ended    the worker has
 *   close    the recording ended in good order; nothing may follow
 *
 * A file that ends anywhere is good up to its last whole record.
 */
#ifndef MW_RECORD_H
#define MW_RECORD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/config.h"
#include "core/verdict.h"
#include "leak/trend.h"
#include "util/error.h"

#define MW_RECORD_VERSION  1
#define MW_RECORD_WORKERS  65536 /* of one file */
#define MW_RECORD_SIZE_MAX (1ULL << 30) /* of a file that is read, bytes */

/* What of a sample is kept, in this order; heap and bin follow from it. */
struct mw_record_field {
	const char *name; /* "anon" */
	size_t offset; /* in struct mw_usage, a __u64 */
};
#define MW_RECORD_PLAIN	 11
#define MW_RECORD_FIELDS (MW_RECORD_PLAIN + MW_MEMCG_EVENT_MAX)
extern const struct mw_record_field mw_record_fields[MW_RECORD_FIELDS];
__u64 *mw_record_field(struct mw_usage *u, size_t field); /* field < MW_RECORD_FIELDS */
void mw_record_derive(struct mw_usage *u); /* heap and bin from the rest */

/* A profile's numbers, in this order: as the file and the daemon's document have them. */
#define MW_RECORD_PROFILE 16
void mw_record_profile_out(const struct mw_profile *p, __u64 ret_values[MW_RECORD_PROFILE]);
/* -ERANGE: something that no profile has; err says what and what was expected. */
int mw_record_profile_in(const __u64 values[MW_RECORD_PROFILE], struct mw_profile *ret_profile, struct mw_error *err);

/* And the monitor's: check_interval, sample_interval, alert_threshold, max_history, method; the rest is the defaults'.
 */
#define MW_RECORD_MONITOR 5
void mw_record_monitor_out(const struct mw_monitor *m, __u64 ret_values[MW_RECORD_MONITOR]);
int mw_record_monitor_in(const __u64 values[MW_RECORD_MONITOR], struct mw_monitor *ret_monitor, struct mw_error *err);

struct mw_record_head {
	__u64 wall_ns, time_ns; /* CLOCK_REALTIME and CLOCK_MONOTONIC of one moment */
	struct mw_monitor monitor; /* its five */
};

struct mw_record_worker {
	char name[MW_NAME_SIZE], class_name[MW_NAME_SIZE]; /* class "": none, as of a foreign recording */
	struct mw_profile profile;
};

enum mw_record_kind {
	MW_RECORD_NONE, /* what is never written: a file's tail that was reserved and not filled */
	MW_RECORD_WORKER,
	MW_RECORD_SAMPLE,
	MW_RECORD_CHECK,
	MW_RECORD_ENDED,
	MW_RECORD_CLOSE,
	MW_RECORD_MAX,
};

struct mw_record_item {
	enum mw_record_kind kind;
	__u32 worker; /* 0.. in the order of their first record */
	__u64 time_ns; /* CLOCK_MONOTONIC of the machine it was recorded on */
	struct mw_record_worker about; /* of a worker */
	struct mw_usage usage; /* of a sample */
	__u64 used; /* of a check: heap + bin */
	enum mw_trend_verdict said; /* of a check: by the daemon */
};

/* Writing. The bytes gather in memory; whoever has them writes them where they belong. */
struct mw_record_writer {
	unsigned char *bytes;
	size_t size, room;
	__u64 time_ns, records; /* of the last record; so many were written */
	struct mw_usage *last; /* of each worker */
	__u32 n_workers, workers_room;
};
int mw_record_begin(struct mw_record_writer *w, const struct mw_record_head *head); /* -ENOMEM */
/*
 * A worker's first record (item->worker is the number of those before) or a later one. 0; -ENOMEM; -EINVAL for a
 * worker that was not told of. Whatever fails has written nothing.
 */
int mw_record_add(struct mw_record_writer *w, const struct mw_record_item *item);
/* What has gathered is where it belongs: the next records begin anew. */
void mw_record_flushed(struct mw_record_writer *w);
void mw_record_writer_free(struct mw_record_writer *w); /* idempotent */

/* Reading, of a recording or of a CSV (record_csv.c), whatever the bytes are. */
struct mw_record_reader {
	const char *name; /* the file's, for sentences; must outlive the reader */
	const unsigned char *bytes; /* the caller's, as long as the reader is in use */
	size_t size, at; /* at: where the next record begins */
	bool csv;
	bool closed; /* it ended in good order; always so of a CSV */
	bool cut; /* it ends within a record, which is left out */
	struct mw_record_head head;
	__u64 time_ns, records;
	struct mw_usage *last;
	__u32 n_workers, workers_room;
	__u64 line; /* of a CSV */
};
/* What it is, and its header. -EBADMSG: neither; err says file, offset (of a CSV: the line) and what was expected. */
int mw_record_open(const char *name, const void *bytes, size_t size, struct mw_record_reader *ret_reader,
		   struct mw_error *err);
/* 1: the next record; 0: that was all; -EBADMSG as above; -ENOMEM. */
int mw_record_next(struct mw_record_reader *r, struct mw_record_item *ret_item, struct mw_error *err);
void mw_record_reader_free(struct mw_record_reader *r); /* not the bytes; idempotent */
/* A whole file, for the above. The caller's (free). -EFBIG, -ENOMEM or the file's errno, with a sentence. */
int mw_record_load(const char *path, unsigned char **ret_bytes, size_t *ret_size, struct mw_error *err);

#endif
