/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Who asks, and whether that one may: the kernel's word on the connection, put to core/access.c. */
#include <errno.h>

#include "daemon/serve.h"
#include "report/json.h"
#include "util/clock.h"

#define USERS_ACTIONS 2 /* of three threads */
#define USERS_SETS    10 /* a second */

uid_t mw_serve_reader(const struct mw_request *r)
{
	return mw_request_over_tcp(r) ? 0 : mw_request_peer(r).uid;
}

bool mw_serve_may(struct mw_guard *g, struct mw_request *r, enum mw_right right, const char *what,
		  const struct mw_worker *w)
{
	const struct mw_peer peer = mw_request_peer(r);
	/* Asked each time: the groups are those of the connection, and do not change. */
	bool member = peer.uid && g->member_gid != (gid_t)-1 && mw_request_in_group(r, g->member_gid);
	const struct mw_access_words words = {
		.group = g->member_gid == (gid_t)-1 ? "" : g->cfg.tree.group,
		.worker = w ? w->name : NULL,
		.what = what,
		.uid = peer.uid,
	};
	struct mw_error err = {0};
	enum mw_caller caller =
		mw_request_over_tcp(r) ? MW_CALLER_TCP : mw_access_caller(peer.uid, member, w ? w->uid : peer.uid);
	int rc = mw_access_check(right, caller, &words, &err);

	if (rc < 0)
		mw_serve_error(r, rc, err.text);
	return rc >= 0;
}

int mw_serve_room_to_act(const struct mw_guard *g, uid_t uid, struct mw_error *err)
{
	unsigned int all = 0, mine = 0;
	const struct mw_worker *w;

	for (w = g->workers.by_id; w && uid; w = w->by_id.next) {
		all += w->busy && w->acted_by_user;
		mine += w->busy && w->acted_by_user && w->uid == uid;
	}
	if (mine)
		return mw_fail(err, -EAGAIN, "an action on another worker of yours is under way: try again");
	return all < USERS_ACTIONS ? 0 : mw_fail(err, -EAGAIN, "actions of other users are under way: try again");
}

int mw_serve_room_to_set(struct mw_guard *g, struct mw_error *err)
{
	__u64 now_ns = mw_now_ns();

	if (now_ns - g->sets_window_ns > MW_NS_PER_S) {
		g->sets_window_ns = now_ns;
		g->sets_in_window = 0;
	}
	return g->sets_in_window++ < USERS_SETS
		       ? 0
		       : mw_fail(err, -EAGAIN, "%d settings were changed by users within this second: try again",
				 USERS_SETS);
}

struct json_object *mw_serve_mine(struct json_object *list, uid_t reader, size_t most)
{
	struct json_object *mine = json_object_new_array();
	size_t n = json_object_array_length(list);

	for (size_t i = 0; mine && i < n && json_object_array_length(mine) < most; i++) {
		struct json_object *doc = json_object_array_get_idx(list, i);

		if (mw_json_is_for(doc, reader))
			json_object_array_add(mine, json_object_get(doc));
	}
	json_object_put(list);
	return mine;
}
