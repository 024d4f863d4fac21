// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/meter.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "util/amount.h"
#include "util/cleanup.h"
#include "util/clock.h"

static void close_files(struct mw_meter *m)
{
	mw_close(&m->dir_fd);
	mw_close(&m->current_fd);
	mw_close(&m->swap_fd);
	mw_close(&m->stat_fd);
	mw_close(&m->max_fd);
	m->cgroup[0] = '\0';
}

void mw_meter_close(struct mw_meter *m)
{
	close_files(m);
}

static int open_in(int dir_fd, const char *file)
{
	return openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
}

/* From the beginning again: seq files of cgroups and /proc then look again. */
static ssize_t read_again(int fd, char *buf, size_t size)
{
	ssize_t n;

	do
		n = pread(fd, buf, size - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

static int number_again(int fd, __u64 *ret)
{
	char buf[32];
	ssize_t n = read_again(fd, buf, sizeof(buf));

	return n < 0 ? (int)n : mw_cgroup_parse_u64(buf, ret);
}

/* Pages of memory: the second number of statm. */
static int resident_again(int fd, __u64 *ret)
{
	char buf[128], *second;
	ssize_t n = read_again(fd, buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	second = strchr(buf, ' ');
	if (!second || second[1] < '0' || second[1] > '9')
		return -EBADMSG;
	*ret = strtoull(second + 1, NULL, 10) * (__u64)sysconf(_SC_PAGESIZE);
	return 0;
}

/* Is anybody but this process in the cgroup itself? */
static bool has_others(const struct mw_meter *m, int dir_fd)
{
	char buf[64], mine[16];
	ssize_t n = mw_cgroup_read(dir_fd, "cgroup.procs", buf, sizeof(buf));

	snprintf(mine, sizeof(mine), "%d\n", (int)m->pid);
	return n < 0 || strcmp(buf, mine) != 0;
}

/* PATH of the cgroup up levels above the one the process stands in; false: there is none. */
static bool path_above(const struct mw_meter *m, int up, char ret_path[PATH_MAX])
{
	char *slash;

	snprintf(ret_path, PATH_MAX, "%s", m->stands_in);
	for (int i = 0; i < up; i++) {
		slash = strrchr(ret_path, '/');
		if (!slash || slash == ret_path)
			return false;
		*slash = '\0';
	}
	return ret_path[0] == '/';
}

/* What a cgroup is read by. -ENOENT: it has no figures, as the root and where there is no memory controller. */
static int open_cgroup(struct mw_meter *m, const char *cgroup, bool whoever)
{
	_cleanup_close_ int dir_fd = -1, current_fd = -1, stat_fd = -1;
	char path[2 * PATH_MAX];
	bool others;

	snprintf(path, sizeof(path), "%s%s", m->mount, strcmp(cgroup, "/") ? cgroup : "");
	dir_fd = mw_cgroup_open(path);
	if (dir_fd < 0)
		return dir_fd;
	current_fd = open_in(dir_fd, "memory.current");
	stat_fd = open_in(dir_fd, "memory.stat");
	if (current_fd < 0 || stat_fd < 0)
		return -ENOENT;
	others = has_others(m, dir_fd);
	if (others && !whoever)
		return -EBUSY;
	m->shared = others;
	m->swap_fd = open_in(dir_fd, "memory.swap.current");
	m->max_fd = open_in(dir_fd, "memory.max");
	m->dir_fd = TAKE_FD(dir_fd);
	m->current_fd = TAKE_FD(current_fd);
	m->stat_fd = TAKE_FD(stat_fd);
	snprintf(m->cgroup, sizeof(m->cgroup), "%s", cgroup);
	return 0;
}

/* A limit stands there: whoever is in it, it is what the kernel will go by. */
static bool is_limited(const struct mw_meter *m)
{
	_cleanup_close_ int fd = -1;
	char path[2 * PATH_MAX];
	__u64 max;

	snprintf(path, sizeof(path), "%s%s", m->mount, m->stands_in);
	fd = mw_cgroup_open(path);
	return fd >= 0 && mw_cgroup_read_u64(fd, "memory.max", &max) == 0 && max != MW_UNLIMITED;
}

static int open_proc(struct mw_meter *m)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%d/statm", m->proc, (int)m->pid);
	m->current_fd = open(path, O_RDONLY | O_CLOEXEC);
	m->shared = false;
	return m->current_fd < 0 ? -errno : 0;
}

static int open_files(struct mw_meter *m)
{
	char cgroup[PATH_MAX];
	int r = -ENOENT;

	close_files(m);
	m->opened++;
	m->full = (struct mw_usage){0};
	m->pid = getpid();
	m->stands_in[0] = '\0';
	if (m->mount[0])
		mw_proc_cgroup(m->proc, m->pid, m->stands_in, sizeof(m->stands_in));
	if (path_above(m, m->up, cgroup))
		r = open_cgroup(m, cgroup, m->follow || is_limited(m));
	if (r < 0)
		r = open_proc(m);
	return r;
}

static int full_cgroup(struct mw_meter *m, struct mw_usage *ret_usage)
{
	struct mw_sample s = {.time_ns = mw_now_ns(), .max = MW_UNLIMITED, .high = MW_UNLIMITED};
	char buf[16384]; /* about 2 KB on 6.1, 3 KB on 7.3 */
	ssize_t n;
	int r = number_again(m->current_fd, &s.usage);

	if (r < 0)
		return r;
	n = read_again(m->stat_fd, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	mw_cgroup_parse_stat(buf, &s);
	if (m->swap_fd >= 0)
		number_again(m->swap_fd, &s.swap_usage);
	if (m->max_fd >= 0)
		number_again(m->max_fd, &s.max);
	mw_usage_from_sample(&s, ret_usage);
	return 0;
}

static int full_proc(struct mw_meter *m, struct mw_usage *ret_usage)
{
	struct mw_sample s = {.time_ns = mw_now_ns(), .max = MW_UNLIMITED, .high = MW_UNLIMITED};
	__u64 file;
	int r = resident_again(m->current_fd, &s.usage);

	if (r >= 0)
		r = mw_proc_memory(m->proc, m->pid, &s.anon, &s.swap_usage, &s.shmem, &file);
	if (r < 0)
		return r;
	s.file = file + s.shmem;
	mw_usage_from_sample(&s, ret_usage);
	return 0;
}

/* It stands where it stood, and is the process it was. */
static bool is_current(const struct mw_meter *m)
{
	char now[PATH_MAX];

	if (m->current_fd < 0 || getpid() != m->pid)
		return false;
	return !m->stands_in[0] ||
	       (mw_proc_cgroup(m->proc, m->pid, now, sizeof(now)) == 0 && strcmp(now, m->stands_in) == 0);
}

static int look(struct mw_meter *m, struct mw_usage *ret_usage)
{
	return m->dir_fd >= 0 ? full_cgroup(m, ret_usage) : full_proc(m, ret_usage);
}

int mw_meter_full(struct mw_meter *m)
{
	struct mw_usage u;
	int r = is_current(m) ? 0 : open_files(m);

	if (r >= 0)
		r = look(m, &u);
	if (r == -ENODEV) { /* the cgroup is gone: the process was moved out of it before */
		r = open_files(m);
		if (r >= 0)
			r = look(m, &u);
	}
	if (r < 0)
		return r;
	m->full = u;
	if (m->dir_fd >= 0)
		m->shared = has_others(m, m->dir_fd);
	return 0;
}

static __u64 used_of(const struct mw_usage *u)
{
	return u->heap + u->bin;
}

/* Swapped out and not yet seen so: only where something was swapped before is it looked at each time. */
static int quick(struct mw_meter *m, __u64 *ret_current, __u64 *ret_swapped)
{
	*ret_swapped = m->full.swapped;
	if (m->dir_fd < 0)
		return resident_again(m->current_fd, ret_current);
	if (m->full.swapped && m->swap_fd >= 0)
		number_again(m->swap_fd, ret_swapped);
	return number_again(m->current_fd, ret_current);
}

int mw_meter_quick(struct mw_meter *m, __u64 now_ns, struct mw_quick *ret_quick)
{
	__u64 current, swapped;
	int r;

	if (getpid() != m->pid || !m->full.time_ns || mw_less(now_ns, m->full.time_ns) >= MW_METER_STAT_NS ||
	    quick(m, &current, &swapped) < 0) {
		r = mw_meter_full(m);
		if (r < 0)
			return r;
		current = m->full.current;
		swapped = m->full.swapped;
	}
	ret_quick->current = current;
	ret_quick->used = used_of(&m->full) + mw_less(current, m->full.current) + mw_less(swapped, m->full.swapped);
	ret_quick->most = current + swapped > ret_quick->used ? current + swapped : ret_quick->used;
	return 0;
}

bool mw_meter_in_doubt(const struct mw_meter *m, __u64 now_ns)
{
	return mw_less(now_ns, m->full.time_ns) >= MW_METER_DOUBT_NS;
}

int mw_meter_used(struct mw_meter *m, __u64 limit, uint64_t *ret_used)
{
	__u64 now_ns = mw_now_ns();
	struct mw_quick q;
	int r = mw_meter_quick(m, now_ns, &q);

	if (r >= 0 && (q.used > limit || (q.most > limit && mw_meter_in_doubt(m, now_ns)))) {
		r = mw_meter_full(m);
		q.used = used_of(&m->full);
	}
	if (r >= 0)
		*ret_used = q.used;
	return r;
}

int mw_meter_reopen(struct mw_meter *m)
{
	int r = open_files(m);

	return r < 0 ? r : mw_meter_full(m);
}

int mw_meter_open(struct mw_meter *m, const char *root)
{
	int r;

	*m = (struct mw_meter){.dir_fd = -1, .current_fd = -1, .swap_fd = -1, .stat_fd = -1, .max_fd = -1};
	if (snprintf(m->proc, sizeof(m->proc), "%s/proc", root) >= PATH_MAX - 64)
		return -ENAMETOOLONG;
	if (mw_cgroup_mount(root, m->mount, sizeof(m->mount)) < 0)
		m->mount[0] = '\0';
	r = mw_meter_reopen(m);
	if (r < 0)
		mw_meter_close(m);
	return r;
}

int mw_meter_follow(struct mw_meter *m, int up)
{
	bool follow = m->follow;
	int before = m->up;

	m->follow = true;
	m->up = up;
	mw_meter_reopen(m);
	if (m->dir_fd >= 0)
		return 0;
	m->follow = follow;
	m->up = before;
	mw_meter_reopen(m);
	return -ENOENT;
}
