/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What replay and calibrate share: by whose rules a recording is judged, and how it is told. */
#ifndef MW_CLI_REPLAY_H
#define MW_CLI_REPLAY_H

#include <json-c/json.h>

#include "cli/verb.h"
#include "leak/replay.h"

/* Other rules than the recording's own, as the command line gives them; NULL: not given. */
struct mw_other_rules {
	const char *set; /* "KEY=VALUE,..." of a class or of the monitor */
	const char *class_name, *config; /* a class of the host's configuration, or of this file */
	const char *method; /* "windows", "regression" */
};

/*
 * rules, which are the recording's, made into those. -EINVAL, -ENOENT and what the configuration's files fail with,
 * with a sentence.
 */
int mw_other_apply(const struct mw_other_rules *o, const struct mw_record_worker *about, struct mw_replay_rules *rules,
		   struct mw_error *err);

/* What happened to whom, in order of time. */
struct mw_told {
	__u32 worker;
	struct mw_replay_event event;
	struct mw_trend trend; /* event's own */
};
struct mw_tale {
	struct mw_told *told;
	size_t n, room;
	bool failed; /* no memory for all of it */
};

void mw_tale_add(struct mw_tale *t, __u32 worker, const struct mw_replay_event *e);
void mw_tale_free(struct mw_tale *t);
void mw_tale_print(const char *file, const struct mw_replay_run *run, const struct mw_tale *t);
struct json_object *mw_tale_json(const char *file, const struct mw_replay_run *run, const struct mw_tale *t);

#endif
