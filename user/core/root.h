/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Where ROOT stands, the cgroup that all workers are below.
 *
 * Without systemd: /memweir. Under systemd: a transient scope with Delegate=memory beside the
 * service, memweir.slice/memweir-workers.scope. It cannot be the service's own cgroup: a service with
 * cgroups below its own cannot restart its main process (219/CGROUP; tests/vm/systemd_facts).
 * A scope lives as long as it has processes, so a small one, "memweir-hold", holds it
 * open in ROOT/daemon: not in ROOT, which could not pass the memory controller on otherwise. Workers outlive the
 * service's restart and stop, daemon-reload and daemon-reexec; stopping the scope, as a shutdown does, ends them.
 */
#ifndef MW_ROOT_H
#define MW_ROOT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

#define MW_ROOT_PLAIN  "memweir"
#define MW_ROOT_SLICE  "memweir.slice"
#define MW_ROOT_SCOPE  "memweir-workers.scope"
#define MW_ROOT_HOLDER "memweir-hold" /* comm of the holder */
#define MW_ROOT_LEAF   "daemon" /* below ROOT: the holder's place; no class may have this name */

/*
 * ROOT's path from the mount, without leading slash. configured: tree.root of the configuration, "" to choose.
 * Under systemd finds the scope, gives it a holder if it has none, or makes it. May block for some
 * seconds. -EINVAL for a configured path that is none; -ETIMEDOUT when PID 1 does not do it.
 */
int mw_root_find(const char *mount, const char *configured, char *ret_root, size_t size, struct mw_error *err);

/* The same without making anything: -ENOENT where no ROOT stands now. */
int mw_root_existing(const char *mount, const char *configured, char *ret_root, size_t size);

/* Let the holder go, for `daemon --unload`: the scope ends with its last process. 0 also when there is none. */
int mw_root_release(const char *mount, const char *root);

/* Is ROOT's own directory a systemd unit's, so that its limits are set through PID 1 (cgroup_setup.c does)? */
bool mw_root_is_unit(const char *root);
/*
 * What cgroup_setup.c calls for such a ROOT: its budget; its protection, with the slice's, without which it
 * would be inert. One thread calls this; each blocks for MW_SYSTEMD_TIMEOUT_S at most, no call when nothing changes.
 */
int mw_root_set_max(int root_fd, __u64 max, struct mw_error *err);
int mw_root_set_low(int root_fd, __u64 low, struct mw_error *err);

#endif
