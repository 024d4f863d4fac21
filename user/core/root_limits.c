/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Limits of ROOT itself where it is a systemd scope: PID 1 takes back what others write there, so it is asked to. */
#include "core/root.h"

#include <fcntl.h>

#include "core/cgroup.h"
#include "core/cgroup_limits.h"
#include "core/systemd.h"
#include "util/cleanup.h"

/* A property of a unit of ours, and what was last asked of PID 1, which writes the file a moment after its answer. */
struct unit_property {
	const char *unit, *property, *file;
	bool asked;
	__u64 value;
};
static struct unit_property scope_max = {MW_ROOT_SCOPE, "MemoryMax", "memory.max", false, 0};
static struct unit_property scope_low = {MW_ROOT_SCOPE, "MemoryLow", "memory.low", false, 0};
static struct unit_property slice_low = {MW_ROOT_SLICE, "MemoryLow", "memory.low", false, 0};

static int change(int dir_fd, struct unit_property *p, __u64 want, struct mw_error *err)
{
	struct mw_unit_value value = {p->property, want};
	bool other = p->asked && p->value != want;
	__u64 now;
	int r;

	/* The sum of the protection is set with every worker: no call when there is nothing to change. */
	if (!other && dir_fd >= 0 && !mw_cgroup_read_u64(dir_fd, p->file, &now) && now == mw_limit_rounded(want))
		return 0;
	r = mw_systemd_set(p->unit, &value, 1, err);
	if (!r) {
		p->asked = true;
		p->value = want;
	}
	return r;
}

int mw_root_set_max(int root_fd, __u64 max, struct mw_error *err)
{
	return change(root_fd, &scope_max, max, err);
}

/*
 * What stands on the slice is an administrator's unless we have put it there, now or as an earlier daemon: then it
 * equals the scope's. More than is needed is never taken away.
 */
static bool slice_is_enough(int slice_fd, int root_fd, __u64 low)
{
	__u64 slice, scope;

	if (slice_fd < 0 || mw_cgroup_read_u64(slice_fd, "memory.low", &slice) ||
	    mw_cgroup_read_u64(root_fd, "memory.low", &scope))
		return false;
	if (slice == scope || (slice_low.asked && slice == mw_limit_rounded(slice_low.value)))
		return false;
	return slice >= mw_limit_rounded(low);
}

int mw_root_set_low(int root_fd, __u64 low, struct mw_error *err)
{
	_cleanup_close_ int slice_fd = openat(root_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = slice_is_enough(slice_fd, root_fd, low) ? 0 : change(slice_fd, &slice_low, low, err);

	return r ? r : change(root_fd, &scope_low, low, err);
}
