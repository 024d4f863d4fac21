/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The flight recorder: the last 60 s of every worker (core/track.h), and marks of what happened, in one file that is
 * mapped: on a tmpfs it outlives the daemon, not the boot. The next daemon goes on in it. Bounded: 2,560 bytes for each
 * worker there may be (of which only those that are there take memory) and 640 KiB of marks.
 */
#ifndef MW_RECORDER_H
#define MW_RECORDER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/track.h"
#include "util/error.h"

#define MW_RECORDER_FILE  "recorder"
#define MW_RECORDER_ASIDE "recorder.aside" /* one that could not be read */

#define MW_MARK_TYPE 24
#define MW_MARK_TEXT 200

/* What happened: a pause, a lift, a change of a limit, a kill. */
struct mw_mark {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 cgroup_id; /* whom to */
	__u64 value; /* of a pause: ns */
	__u32 count; /* pauses of one worker within a second are one mark */
	__u32 reserved;
	char type[MW_MARK_TYPE]; /* the event's name: "lifted" */
	char text[MW_MARK_TEXT]; /* cut at the end where it was longer */
};
_Static_assert(sizeof(struct mw_mark) == 256, "the layout is that of the file");

struct mw_recorder;

/*
 * The file in dir_fd, made when it is missing; one of an earlier daemon of this boot is taken up. What cannot be read
 * is set aside, and where there can be no file the recording is kept in memory alone: said in note, which is empty
 * where all is well. boot_id: of /proc/sys/kernel/random/boot_id. -ENOMEM.
 */
int mw_recorder_open(int dir_fd, const char *boot_id, __u32 max_workers, __u64 now_ns, struct mw_recorder **ret_rec,
		     struct mw_error *note);
void mw_recorder_close(struct mw_recorder *rec); /* the file stays; NULL-safe */
void mw_recorder_remove(int dir_fd); /* it, and what was set aside */

/*
 * The track of a worker: what an earlier daemon began, or a new one. NULL: no room or no memory for it, counted. It is
 * valid until mw_recorder_end.
 */
struct mw_track *mw_recorder_begin(struct mw_recorder *rec, __u64 cgroup_id, const char *name);
void mw_recorder_end(struct mw_recorder *rec, struct mw_track *t); /* NULL-safe */
/* One that was left and nobody has begun again. NULL: there is none. */
const struct mw_track *mw_recorder_left(const struct mw_recorder *rec, __u64 cgroup_id);
/* Everybody is taken up: what is still left is let go. Count. */
__u32 mw_recorder_sweep(struct mw_recorder *rec);

/* A look at everybody is done; and when the last one of the daemon before was, 0: there was none. */
void mw_recorder_looked(struct mw_recorder *rec, __u64 now_ns);
__u64 mw_recorder_looked_before(const struct mw_recorder *rec);

/* rec NULL: nothing. Without room the oldest mark goes; one of the last minute that does is counted. */
void mw_recorder_mark(struct mw_recorder *rec, __u64 cgroup_id, const char *type, __u64 value, __u64 now_ns,
		      const char *text);
/* A pause; t may be NULL. */
void mw_recorder_pause(struct mw_recorder *rec, struct mw_track *t, __u64 duration_ns, __u64 now_ns, const char *text);
/* Of one worker since then, the oldest first; of more than room the newest. */
size_t mw_recorder_marks(const struct mw_recorder *rec, __u64 cgroup_id, __u64 since_ns, struct mw_mark *ret_marks,
			 size_t room);

__u64 mw_recorder_lost(const struct mw_recorder *rec); /* workers without a track, marks that came too fast */
size_t mw_recorder_bytes(const struct mw_recorder *rec); /* of the file as it was given memory */

#endif
