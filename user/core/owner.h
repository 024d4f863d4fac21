/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Who owns a cgroup decides how it is written. Judged from its path and from the mark systemd leaves on delegated
 * units. */
#ifndef MW_OWNER_H
#define MW_OWNER_H

#include <stdbool.h>
#include <stddef.h>

enum mw_owner {
	MW_OWNER_OWN, /* below our ROOT: written through libcgroup and directly */
	MW_OWNER_SYSTEMD, /* a unit's: PID 1 reverts raw writes */
	MW_OWNER_FOREIGN, /* another manager's: never written, memory.reclaim only */
	MW_OWNER_MAX,
};
const char *mw_owner_name(enum mw_owner owner); /* "own" */

struct mw_owner_info {
	enum mw_owner owner;
	char unit[256]; /* the systemd unit it is or stands below, "docker-….scope"; "" outside of any */
	bool below; /* it stands below that unit and is not the unit's own cgroup */
	bool delegated; /* below a unit with Delegate=yes: PID 1 does not write here, the unit's own manager may */
	bool payload; /* of those: where crun keeps a container's processes, SCOPE/container; nobody writes there */
	const char *manager; /* "systemd", "docker", "podman", "containerd", "cri-o", "kubelet", "lxc"; "" unknown;
				static text */
};

/* Whether a cgroup (path from the mount, no leading slash) bears systemd's mark of delegation. */
typedef bool (*mw_delegated_fn)(const char *cgroup, void *arg);

/*
 * The decision alone. root: our ROOT (path from the mount), "" for none. cgroup with or without leading
 * slash. -EINVAL for a path with "..", -ENAMETOOLONG.
 */
int mw_owner_judge(const char *root, const char *cgroup, mw_delegated_fn delegated, void *arg,
		   struct mw_owner_info *ret_info);
/* The same with the marks (trusted.delegate, user.delegate) of the tree at mount. */
int mw_owner_of(const char *mount, const char *root, const char *cgroup, struct mw_owner_info *ret_info);

/*
 * How limits get into a cgroup somebody wants guarded: OWN, written directly: what an administrator made, what a
 * container engine made without systemd, crun's payload; SYSTEMD, through PID 1; FOREIGN, not at all: the kubelet's,
 * and what is below another's delegated unit.
 */
enum mw_owner mw_owner_writer(const struct mw_owner_info *info);

/*
 * Why limits are not written into cgroup directly, in one sentence that names the unit and what to do; "" for our
 * own. Returns buf.
 */
const char *mw_owner_say(const struct mw_owner_info *info, const char *cgroup, char *buf, size_t size);

#endif
