/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/access.h"

#include <errno.h>

#include "util/cleanup.h"

#define ROOT  (1U << MW_CALLER_ROOT)
#define OWNER (1U << MW_CALLER_OWNER)
#define TCP   (1U << MW_CALLER_TCP)

static const unsigned int table[] = {
	[MW_RIGHT_ROOT] = ROOT,
	[MW_RIGHT_HEALTH] = ROOT | OWNER | TCP,
	[MW_RIGHT_CONFIG] = ROOT | OWNER | TCP,
	[MW_RIGHT_LIST] = ROOT | OWNER | TCP,
	[MW_RIGHT_LOOK] = ROOT | OWNER | TCP,
	[MW_RIGHT_RUN] = ROOT | OWNER,
	[MW_RIGHT_NEWS] = ROOT | OWNER,
	[MW_RIGHT_TAKE_BACK] = ROOT | OWNER,
	[MW_RIGHT_ATTACH] = ROOT,
	[MW_RIGHT_DETACH] = ROOT,
	[MW_RIGHT_ACT] = ROOT | OWNER,
	[MW_RIGHT_TIGHTEN] = ROOT | OWNER,
	[MW_RIGHT_SET] = ROOT,
	[MW_RIGHT_RELOAD] = ROOT,
};
_Static_assert(ARRAY_SIZE(table) == MW_RIGHT_MAX, "a row for every right");

enum mw_caller mw_access_caller(uid_t uid, bool member, uid_t owner)
{
	if (uid == 0)
		return MW_CALLER_ROOT;
	if (!member || uid == (uid_t)-1 || uid == MW_UID_OVERFLOW)
		return MW_CALLER_NOBODY;
	return uid == owner ? MW_CALLER_OWNER : MW_CALLER_OTHER;
}

bool mw_access_allowed(enum mw_right right, enum mw_caller caller)
{
	return (unsigned int)right < MW_RIGHT_MAX && (unsigned int)caller < MW_CALLER_MAX &&
	       (table[right] & (1U << caller));
}

int mw_access_check(enum mw_right right, enum mw_caller caller, const struct mw_access_words *words,
		    struct mw_error *err)
{
	const char *what = words->what ? words->what : "this";

	if (mw_access_allowed(right, caller))
		return 0;
	if (caller == MW_CALLER_TCP)
		return mw_fail(err, -EPERM, "%s: over TCP there is only reading: use the unix socket", what);
	if (caller == MW_CALLER_NOBODY && !words->group[0])
		return mw_fail(err, -EPERM,
			       "only root may talk to memweir: no group is configured ([tree] group in memweir.conf)");
	if (caller == MW_CALLER_NOBODY)
		return mw_fail(err, -EPERM, "uid %u is not in group %s: only root and its members may talk to memweir",
			       (unsigned int)words->uid, words->group);
	if (caller == MW_CALLER_OTHER && mw_access_allowed(right, MW_CALLER_OWNER))
		return mw_fail(err, -EPERM, "%s: worker %s is another user's: only root and its owner may", what,
			       words->worker ? words->worker : "?");
	return mw_fail(err, -EPERM,
		       "%s: only root may; members of %s run workers, look at and act on their own, and tighten them",
		       what, words->group);
}
