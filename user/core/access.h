/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who may do what with the daemon: one table, a right by a caller. Root may do everything. A member of the configured
 * group may run workers in selectable classes, sees and acts on its own, and only tightens. Pure.
 */
#ifndef MW_ACCESS_H
#define MW_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/error.h"

enum mw_right {
	MW_RIGHT_ROOT, /* what nobody has thought about: 0, so that a route that says nothing is root's */
	MW_RIGHT_HEALTH, /* the daemon's own counters */
	MW_RIGHT_CONFIG, /* classes and settings, to read */
	MW_RIGHT_LIST, /* ps, check, reports, events: what is another's is left out */
	MW_RIGHT_LOOK, /* documents of one worker */
	MW_RIGHT_RUN, /* a worker of one's own */
	MW_RIGHT_NEWS, /* run's own: the command has started, has ended */
	MW_RIGHT_TAKE_BACK, /* run's own: the command could not be started */
	MW_RIGHT_ATTACH,
	MW_RIGHT_DETACH, /* it takes limits away */
	MW_RIGHT_ACT, /* hibernate, freeze, thaw, kill */
	MW_RIGHT_TIGHTEN, /* set worker, to less than its class has */
	MW_RIGHT_SET, /* every other set, and --save */
	MW_RIGHT_RELOAD,
	MW_RIGHT_MAX,
};

enum mw_caller {
	MW_CALLER_ROOT,
	MW_CALLER_OWNER, /* a member, and the worker is its own, or there is none in question */
	MW_CALLER_OTHER, /* a member, and the worker is somebody else's */
	MW_CALLER_NOBODY, /* neither root nor a member */
	MW_CALLER_TCP, /* over TCP: whoever can connect; reads what root reads */
	MW_CALLER_MAX,
};

/* The user id nobody has: (uid_t)-1 over TCP, and the one that stands for all that have none here. */
#define MW_UID_OVERFLOW 65534

/* Over the unix socket. owner: of the worker in question; the caller's own uid when there is none. */
enum mw_caller mw_access_caller(uid_t uid, bool member, uid_t owner);
bool mw_access_allowed(enum mw_right right, enum mw_caller caller);

struct mw_access_words {
	const char *group; /* the configured one; "": none is */
	const char *worker; /* NULL: none in question */
	const char *what; /* "kill", as the caller asked for it; NULL: this */
	uid_t uid;
};
/* 0, or -EPERM with a sentence that names what is missing. */
int mw_access_check(enum mw_right right, enum mw_caller caller, const struct mw_access_words *words,
		    struct mw_error *err);

#endif
