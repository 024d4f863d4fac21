/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What is concluded of a death: what led to it, who killed it, who else was near and why not them, what would have
 * prevented it. Pure: what was recorded goes in, codes and sentences come out. Where something is not known, that is
 * what is said.
 */
#ifndef MW_POSTMORTEM_H
#define MW_POSTMORTEM_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/recorder.h"
#include "core/worker.h"
#include "report/incident.h"

#define MW_NEIGHBOURS 5 /* in one incident, the largest first */

struct mw_neighbour {
	char name[MW_NAME_SIZE], class_name[MW_NAME_SIZE];
	__u64 usage, charged; /* charged: heap + bin, what percent is of */
	__u64 max, high, low; /* as they stand; MW_UNLIMITED */
	__u64 max_bin, bin;
	__u64 grown, span_ns; /* of late */
	enum mw_level level;
	bool hibernated, idle; /* idle: it was said that it should hibernate */
};

/* All that a conclusion is drawn from. */
struct mw_scene {
	const struct mw_incident *inc;
	const struct mw_worker *w;
	const struct mw_usage *last; /* what was last seen */
	const struct mw_look *looks;
	__u32 n_looks;
	__u64 end_ns; /* CLOCK_MONOTONIC: it was dead, or acted on, at that time at the latest */
	enum mw_limit_of limit; /* whose memory ran out; NONE: that is not known, or none did */
	char limit_path[160]; /* of its cgroup, "" for the host */
	__u64 limit_bytes; /* MW_UNLIMITED: not known */
	struct mw_neighbour near[MW_NEIGHBOURS];
	__u32 n_near;
	__u64 host_bytes, swap_bytes; /* of the machine; 0: not known */
};

/* What an incident says beside what is known of its worker. Its scene's pointers are set when the document is made. */
struct mw_incident_more {
	struct mw_scene scene;
	__s64 offset_ns; /* wall - monotonic */
	char unwatched[200]; /* why nobody looked at the end; "": somebody did */
	const struct mw_mark *marks; /* oldest first */
	size_t n_marks;
};

enum mw_by {
	MW_BY_NONE, /* nobody: it ended, or was acted on */
	MW_BY_OWN_MAX,
	MW_BY_CLASS,
	MW_BY_TREE,
	MW_BY_ABOVE, /* another cgroup's memory.max */
	MW_BY_HOST,
	MW_BY_HOST_OR_ABOVE, /* not known which */
	MW_BY_SQUEEZE, /* memweir, policy strict */
	MW_BY_BIN,
	MW_BY_ADMIN,
	MW_BY_SIGNAL,
	MW_BY_UNSEEN, /* it ended while no daemon ran */
	MW_BY_MAX,
};
const char *mw_by_name(enum mw_by killer); /* "memory-max": part of the interface */

/* What led there. */
enum mw_led {
	MW_LED_UNKNOWN, /* too little was recorded */
	MW_LED_NOTHING, /* its memory has nothing to do with it */
	MW_LED_LEVEL, /* it stood about there for as long as was recorded */
	MW_LED_GROWTH, /* steadily */
	MW_LED_LEAK, /* the same, and the verdict was that it leaks */
	MW_LED_BURST,
	MW_LED_BIN, /* shmem, sockets, kernel memory */
	MW_LED_NEIGHBOUR, /* another one filled the limit they share */
	MW_LED_MAX,
};
const char *mw_led_name(enum mw_led led); /* "burst" */

struct mw_course {
	enum mw_led led;
	__u64 from, to; /* bytes of what counts: usage */
	__u64 span_ns; /* in this time */
	__u64 unseen; /* BURST: of this, what came between the last look and the end, at least; bytes */
	double rate; /* bytes a second; GROWTH, LEAK */
	const struct mw_neighbour *who; /* NEIGHBOUR */
};

enum mw_by mw_by_of(const struct mw_scene *s);
bool mw_scene_lives(const struct mw_scene *s); /* it was acted on, and goes on */
struct mw_course mw_course_of(const struct mw_scene *s);
/* "The kernel killed it at its own memory.max of 50.0 MB. It had grown 1.2 MB/s for 40 s: ..." */
const char *mw_cause_text(const struct mw_scene *s, char *buf, size_t size);
const char *mw_why_not_text(const struct mw_scene *s, const struct mw_neighbour *n, char *buf, size_t size);

enum mw_prevention_kind {
	MW_PREVENT_PROFILE, /* a setting of memweir */
	MW_PREVENT_LIMIT, /* what more or less memory would do */
	MW_PREVENT_FIX, /* in the program */
	MW_PREVENT_MAX,
};
const char *mw_prevention_name(enum mw_prevention_kind kind); /* "fix" */

struct mw_prevention {
	enum mw_prevention_kind kind;
	char text[400];
	char setting[160]; /* a command that does it; "": there is none */
};
#define MW_PREVENTIONS 4
/* What would have helped, the best first; count. Nothing where nothing would. */
size_t mw_prevent(const struct mw_scene *s, struct mw_prevention ret_list[MW_PREVENTIONS]);

struct mw_json_out;
/* Into an incident: recorder, timeline, cause, neighbours, prevention. s: with its pointers. */
void mw_json_story(struct mw_json_out *o, const struct mw_scene *s, const struct mw_incident_more *more);

/* The limit that would have held peak, with a quarter to spare, rounded to what people write. */
__u64 mw_limit_with_room(__u64 peak);

#endif
