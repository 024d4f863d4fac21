/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Users who are not root, as the configuration means it: the group that may use the daemon's socket ([tree] group), and
 * what its members may run there. Whether that works is judged without looking anywhere; mw_group_find alone does.
 */
#ifndef MW_MEMBERS_H
#define MW_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/config.h"

/* What the user database says of a group. */
struct mw_group_seen {
	bool known; /* it can be used: it is there, or it is a number */
	bool named; /* it is there */
	gid_t gid; /* where known */
	size_t members; /* whom it names, and whose own group it is */
};
/* The number of a group given by name or number; false: there is no such name. May wait, as mw_group_find. */
bool mw_group_id(const char *group, gid_t *ret_gid);
/* By name or number. May wait for a directory service: not for an event loop. */
struct mw_group_seen mw_group_find(const char *group);
/* A group's name, or its number where it has none. Returns buf. */
const char *mw_group_name(gid_t gid, char *buf, size_t size);

struct mw_socket_seen {
	const char *path;
	bool up; /* somebody listens there; the rest is known */
	gid_t gid;
	char group[64]; /* its name */
	unsigned int mode, dir_mode; /* permissions, of the directory it is in too */
	gid_t dir_gid;
};

enum mw_members_about {
	MW_MEMBERS_GROUP, /* is it there, and who is in it */
	MW_MEMBERS_SOCKET, /* may they use the socket */
	MW_MEMBERS_WORKERS, /* is there anything they may run */
	MW_MEMBERS_MAX,
};
struct mw_members_word {
	const char *name; /* "group" */
	bool have;
	char found[300];
	const char *lost, *how;
};
/* False: nothing to say, with no group or no daemon. */
bool mw_members_say(enum mw_members_about about, const struct mw_config *cfg, const struct mw_group_seen *group,
		    const struct mw_socket_seen *sock, struct mw_members_word *ret_word);

#endif
