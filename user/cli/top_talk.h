/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What top asks the daemon when, and where its answers go. */
#ifndef MW_TOP_TALK_H
#define MW_TOP_TALK_H

#include "cli/top_feed.h"
#include "cli/top_keys.h"
#include "cli/top_view.h"
#include "cli/verb.h"

#define MW_TOP_LOOKED_AT 64 /* rows from the top whose time to the limit is asked for */

struct mw_top_talk {
	const struct mw_cli *cli;
	struct mw_top model;
	struct mw_top_ui ui;
	struct mw_canvas canvas;
	struct mw_feed *feed;
	struct json_object *document, *marks; /* of the worker on the screen */
	char document_of[MW_NAME_SIZE];
	__u64 list_ms, health_ms, level_ms, report_ms, second_ms; /* when each was done last */
	__u64 one_id; /* asked for last among those without a name */
	bool listed; /* all of them, at least once */
	bool dirty, again;
	int signal; /* that ends it */
};

/* The feed, which calls for t from then on. -ENOMEM. */
int mw_top_talk_begin(struct mw_top_talk *t);
void mw_top_talk_end(struct mw_top_talk *t);

/* What is due: names, times to the limit, pasts, health, the documents of the worker on the screen. Call each second.
 */
void mw_top_talk_ask(struct mw_top_talk *t, __u64 now_ms);
/* At once: the documents of the worker on the screen; what ui says is to be done to one. */
void mw_top_talk_worker(struct mw_top_talk *t, __u64 now_ms);
void mw_top_talk_act(struct mw_top_talk *t, bool dry, __u64 now_ms);

#endif
