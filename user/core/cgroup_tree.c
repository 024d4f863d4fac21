/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who is in a cgroup and below it. Runs on the way from event to action, so
 * nothing here allocates: directories are read through a buffer on the stack.
 */
#include "core/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "core/proc.h"
#include "util/cleanup.h"

#define MAX_DEPTH   24 /* below the worker; containers in containers stay under ten */
#define KILL_ROUNDS 16

typedef int (*id_fn)(pid_t id, void *arg);
typedef int (*dir_fn)(int dir_fd, const char *name, void *arg);

static bool gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

struct id_parser {
	__u64 value;
	bool digits;
};

static int end_of_id(struct id_parser *p, id_fn fn, void *arg)
{
	pid_t id = (pid_t)p->value;
	bool call = p->digits && id > 0;

	*p = (struct id_parser){0};
	return call ? fn(id, arg) : 0;
}

static int feed(struct id_parser *p, const char *buf, size_t n, id_fn fn, void *arg)
{
	for (size_t i = 0; i < n; i++) {
		int r = 0;

		if (buf[i] == '\n')
			r = end_of_id(p, fn, arg);
		else if (buf[i] < '0' || buf[i] > '9')
			return -EBADMSG;
		else {
			p->digits = true;
			p->value = p->value * 10 + (buf[i] - '0');
			if (p->value > INT_MAX)
				return -EBADMSG;
		}
		if (r)
			return r;
	}
	return 0;
}

/* Call fn for each number of a file with one a line; stops at the first that is not 0 and returns it. */
static int each_id(int dir_fd, const char *file, id_fn fn, void *arg)
{
	_cleanup_close_ int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct id_parser parser = {0};
	char buf[2048];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf)))) {
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = feed(&parser, buf, n, fn, arg);
		if (r)
			return r;
	}
	return end_of_id(&parser, fn, arg);
}

static int visit_child(int dir_fd, const struct dirent64 *d, dir_fn fn, void *arg)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (d->d_name[0] == '.' || (d->d_type != DT_DIR && d->d_type != DT_UNKNOWN))
		return 0;
	fd = openat(dir_fd, d->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ENODEV ? 0 : -errno;
	r = fn(fd, d->d_name, arg);
	return gone(r) ? 0 : r; /* it vanished under our eyes: nothing to see there */
}

/* Call fn for each directory in a directory. */
static int each_child(int dir_fd, dir_fn fn, void *arg)
{
	_cleanup_close_ int fd = -1;
	char buf[1024] __attribute__((aligned(__alignof__(struct dirent64))));
	struct stat st;
	ssize_t n;

	/* The common case, a leaf, costs one call: kernfs counts subdirectories in the link count. */
	if (!fstat(dir_fd, &st) && st.st_nlink == 2)
		return 0;
	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = getdents64(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const void *)(buf + at);
			int r = visit_child(dir_fd, d, fn, arg);

			if (r)
				return r;
			at += d->d_reclen;
		}
	}
	return n < 0 ? -errno : 0;
}

struct walk {
	dir_fn fn;
	void *arg;
	int depth;
};

static int walk_child(int dir_fd, const char *name, void *arg)
{
	struct walk *w = arg;
	struct walk below = {w->fn, w->arg, w->depth + 1};
	int r = w->fn(dir_fd, name, w->arg);

	if (r)
		return r;
	if (below.depth > MAX_DEPTH)
		return -ELOOP;
	return each_child(dir_fd, walk_child, &below);
}

/* Call fn for every directory below, parents first. */
static int each_below(int dir_fd, dir_fn fn, void *arg)
{
	struct walk w = {fn, arg, 0};

	return each_child(dir_fd, walk_child, &w);
}

struct members {
	const char *file;
	id_fn fn;
	void *arg;
};

static int members_of(int dir_fd, const char *name, void *arg)
{
	const struct members *m = arg;
	int r = each_id(dir_fd, m->file, m->fn, m->arg);

	(void)name;
	/* In a threaded cgroup cgroup.procs cannot be read: its processes stand in the domain above. */
	return r == -EOPNOTSUPP ? 0 : r;
}

static int each_member(int dir_fd, const char *file, bool deep, id_fn fn, void *arg)
{
	struct members m = {file, fn, arg};
	int r = each_id(dir_fd, file, fn, arg);

	if (r || !deep)
		return r;
	return each_below(dir_fd, members_of, &m);
}

struct id_array {
	pid_t *ids;
	size_t n, found;
};

static int keep_id(pid_t id, void *arg)
{
	struct id_array *a = arg;

	if (a->found < a->n)
		a->ids[a->found] = id;
	a->found++;
	return 0;
}

ssize_t mw_cgroup_pids(int dir_fd, bool deep, pid_t *pids, size_t n)
{
	struct id_array a = {pids, n, 0};
	int r = each_member(dir_fd, "cgroup.procs", deep, keep_id, &a);

	return r ? r : (ssize_t)a.found;
}

static int same_id(pid_t id, void *arg)
{
	return id == *(pid_t *)arg;
}

int mw_cgroup_has_pid(int dir_fd, pid_t pid)
{
	return each_id(dir_fd, "cgroup.procs", same_id, &pid);
}

struct cgroup_ids {
	__u64 *ids;
	size_t n, found;
};

static int keep_cgroup_id(int dir_fd, const char *name, void *arg)
{
	struct cgroup_ids *a = arg;

	(void)name;
	if (a->found < a->n)
		a->ids[a->found] = mw_cgroup_id(dir_fd);
	a->found++;
	return 0;
}

ssize_t mw_cgroup_descendants(int dir_fd, __u64 *ids, size_t n)
{
	struct cgroup_ids a = {ids, n, 0};
	int r = each_below(dir_fd, keep_cgroup_id, &a);

	return r ? r : (ssize_t)a.found;
}

struct removal {
	int parent_fd, first;
};

static int remove_child(int dir_fd, const char *name, void *arg)
{
	struct removal *above = arg, here = {dir_fd, 0};

	each_child(dir_fd, remove_child, &here);
	if (unlinkat(above->parent_fd, name, AT_REMOVEDIR) && errno != ENOENT && !above->first)
		above->first = -errno;
	return 0;
}

int mw_cgroup_remove_below(int dir_fd)
{
	struct removal here = {dir_fd, 0};
	int r = each_child(dir_fd, remove_child, &here);

	return r ? r : here.first;
}

struct listing {
	struct mw_cgroup_entry *entries;
	size_t n, found;
	const char *class_name;
};

static int list_worker(int dir_fd, const char *name, void *arg)
{
	struct listing *l = arg;

	if (strlen(name) >= MW_NAME_SIZE)
		return 0;
	if (l->found < l->n) {
		struct mw_cgroup_entry *e = &l->entries[l->found];

		*e = (struct mw_cgroup_entry){.id = mw_cgroup_id(dir_fd)};
		memcpy(e->class_name, l->class_name, strlen(l->class_name));
		memcpy(e->name, name, strlen(name));
	}
	l->found++;
	return 0;
}

static int list_class(int dir_fd, const char *name, void *arg)
{
	struct listing *l = arg;

	if (!strcmp(name, "daemon") || strlen(name) >= MW_NAME_SIZE)
		return 0;
	l->class_name = name;
	return each_child(dir_fd, list_worker, l);
}

ssize_t mw_cgroup_list(int root_fd, struct mw_cgroup_entry *entries, size_t n)
{
	struct listing l = {entries, n, 0, ""};
	int r = each_child(root_fd, list_class, &l);

	return r ? r : (ssize_t)l.found;
}

struct throttled {
	const char *proc_root;
	struct id_array tids;
};

static int check_throttled(pid_t tid, void *arg)
{
	struct throttled *t = arg;

	if (mw_proc_throttled(t->proc_root, tid) == 1)
		keep_id(tid, &t->tids);
	return 0; /* a thread that is gone does not sleep */
}

ssize_t mw_cgroup_throttled(const char *proc_root, int dir_fd, pid_t *tids, size_t n)
{
	struct throttled t = {proc_root, {tids, n, 0}};
	int r = each_member(dir_fd, "cgroup.threads", true, check_throttled, &t);

	return r ? r : (ssize_t)t.tids.found;
}

static int kill_one(pid_t pid, void *arg)
{
	*(bool *)arg = true;
	return kill(pid, SIGKILL) && errno != ESRCH ? -errno : 0;
}

/* Before 5.14 (no cgroup.kill): members may fork while we go through them, so until a round finds nobody. */
static int kill_members(int dir_fd)
{
	for (int i = 0; i < KILL_ROUNDS; i++) {
		bool any = false;
		int r = each_member(dir_fd, "cgroup.procs", true, kill_one, &any);

		if (r || !any)
			return r;
	}
	return 0; /* all were signalled; who is still listed is dying */
}

int mw_cgroup_kill(int dir_fd)
{
	int r = mw_cgroup_write(dir_fd, "cgroup.kill", "1");

	return r == -ENOENT ? kill_members(dir_fd) : r;
}
