/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/open.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/proc.h"
#include "symbols/jit.h"
#include "symbols/open_in.h"
#include "util/cleanup.h"

#define MAPS_BYTES   (32U << 20) /* 65,530 mappings, as many as the kernel allows, are 8 MB */
#define STATUS_BYTES 65536
#define VDSO_BYTES   (256U << 10)
#define PIECE	     65536

/* All of a file of /proc, with a NUL behind it. */
static int read_at(int dir_fd, const char *name, size_t max, char **ret_text, size_t *ret_n)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t n = 0, room = 0;
	ssize_t r = 1;

	if (fd < 0)
		return -errno;
	while (r) {
		if (room - n < PIECE) {
			char *more = realloc(text, room + room / 2 + 2 * PIECE);

			if (!more)
				return -ENOMEM;
			text = more;
			room += room / 2 + 2 * PIECE;
		}
		r = read(fd, text + n, PIECE - 1);
		if (r < 0 && errno != EINTR)
			return -errno;
		n += r < 0 ? 0 : (size_t)r;
		if (n > max)
			return -EFBIG;
	}
	text[n] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_n = n;
	return 0;
}

/* What is mapped there, even where no name leads to it any more. */
static int open_mapping(int proc_fd, const struct mw_module *m)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	char name[64];

	snprintf(name, sizeof(name), "map_files/%llx-%llx", m->start, m->end);
	fd = openat(proc_fd, name, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : mw_open_for_good(fd, &st);
}

/* By its path. It may be another file by now: of the living the inode says, of the dead the build id will. */
static int open_path(const struct mw_opened *o, const struct mw_module *m, bool dead)
{
	struct stat st;
	int fd;

	if (m->path[0] != '/' || (dead && !*m->build_id))
		return -ENOENT;
	fd = mw_open_in_root(o, m->path, 0, &st);
	if (fd >= 0 && !dead && st.st_ino != m->inode) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

/* The kernel's own pages in the process: copied, there is no file. */
static int copy_vdso(int proc_fd, const struct mw_module *m, struct mw_object *object)
{
	_cleanup_close_ int fd = openat(proc_fd, "mem", O_RDONLY | O_CLOEXEC);
	size_t n = m->end - m->start;
	_cleanup_free_ char *bytes = NULL;

	if (fd < 0)
		return -errno;
	if (n > VDSO_BYTES)
		return -EFBIG;
	bytes = malloc(n);
	if (!bytes)
		return -ENOMEM;
	if (pread(fd, bytes, n, (off_t)m->start) != (ssize_t)n)
		return -EIO;
	object->bytes = TAKE_PTR(bytes);
	object->size = n;
	return -ENODATA; /* no file */
}

static void open_object(const struct mw_opened *o, int proc_fd, bool dead, const struct mw_module *m,
			struct mw_object *object)
{
	int fd = -ENOENT;

	if (!m->inode)
		fd = copy_vdso(proc_fd, m, object);
	else if (!dead)
		fd = open_mapping(proc_fd, m);
	/* Not everybody may use map_files, not even root in a container. */
	if (m->inode && (dead || fd == -EPERM || fd == -EACCES))
		fd = open_path(o, m, dead);
	object->fd = fd < 0 ? -1 : fd;
	object->why = fd < 0 ? fd : 0;
}

static bool same_file(const struct mw_module *a, const struct mw_module *b)
{
	return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       !strcmp(a->path, b->path) && (a->inode || a == b);
}

/* Or as good as one; of the dead nothing is left of the kernel's own pages. */
static bool is_file(const struct mw_module *m, bool dead)
{
	return m->inode || (!dead && !strcmp(m->path, "[vdso]"));
}

static void want(const struct mw_modules *m, __u64 address, bool *wanted)
{
	const struct mw_module *in = mw_modules_find(m, address);

	if (in)
		wanted[in - m->at] = true;
}

/* Addresses that are asked about; and whatever in a stack may be one, since its callers are among these. */
static void want_all(const struct mw_question *q, const struct mw_modules *m, bool *wanted)
{
	__u64 word;

	for (size_t i = 0; i < q->n; i++)
		want(m, q->addresses[i].pc - q->addresses[i].is_return, wanted);
	for (size_t i = 0; i < q->n_stacks; i++) {
		const struct mw_stack *s = &q->stacks[i];

		want(m, s->pc, wanted);
		for (size_t at = -s->from % sizeof(word); at + sizeof(word) <= s->n; at += sizeof(word)) {
			memcpy(&word, s->bytes + at, sizeof(word));
			want(m, word - 1, wanted);
		}
		for (size_t at = 0; at < MW_STACK_REGISTERS; at++)
			want(m, s->registers[at] - 1, wanted); /* of a processor that keeps the caller in one */
	}
}

/* An index for each module that an address is in, and one for all mappings of a file. */
static int open_objects(const struct mw_question *q, int proc_fd, struct mw_opened *o)
{
	const struct mw_modules *m = o->modules;
	_cleanup_free_ bool *wanted = calloc(m->n + 1, sizeof(*wanted));

	o->object_of = calloc(m->n + 1, sizeof(*o->object_of));
	o->objects = calloc(MW_OBJECTS_MAX, sizeof(*o->objects));
	if (!wanted || !o->object_of || !o->objects)
		return -ENOMEM;
	want_all(q, m, wanted);
	for (size_t i = 0; i < m->n; i++) {
		size_t before = 0;

		o->object_of[i] = -1;
		if ((!wanted[i] && !q->list) || !is_file(&m->at[i], q->dead))
			continue;
		while (before < i && (o->object_of[before] < 0 || !same_file(&m->at[before], &m->at[i])))
			before++;
		if (before < i) {
			o->object_of[i] = o->object_of[before];
		} else if (o->n_objects < MW_OBJECTS_MAX) {
			open_object(o, proc_fd, q->dead, &m->at[i], &o->objects[o->n_objects]);
			o->object_of[i] = (int)o->n_objects++;
		}
	}
	return 0;
}

/* Its own, of nobody else, and not for everybody to write: a list says what its writer likes. */
static void open_jit(struct mw_opened *o, __u64 pid)
{
	struct stat st;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "tmp/perf-%llu.map", pid);
	fd = mw_open_in_root(o, path, O_NOFOLLOW, &st);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return;
	if (fd < 0)
		snprintf(o->jit_problem, sizeof(o->jit_problem), "/%s: %s", path,
			 fd == -EINVAL ? "not a regular file" : strerror(-fd));
	else if (st.st_uid != o->modules->uid)
		snprintf(o->jit_problem, sizeof(o->jit_problem), "/%s: it is user %u's, expected %u", path, st.st_uid,
			 o->modules->uid);
	else if (st.st_mode & S_IWOTH)
		snprintf(o->jit_problem, sizeof(o->jit_problem), "/%s: everybody may write it", path);
	else if (st.st_size > MW_JIT_BYTES)
		snprintf(o->jit_problem, sizeof(o->jit_problem), "/%s: %lld bytes, expected at most %u", path,
			 (long long)st.st_size, MW_JIT_BYTES);
	else
		o->jit_fd = TAKE_FD(fd);
	if (fd >= 0)
		close(fd);
}

static int not_there(const struct mw_question *q, int r, struct mw_error *err)
{
	if (r == -ENOENT || r == -ESRCH)
		return mw_fail(err, -ESRCH, "process %d has ended", q->pid);
	if (r == -EPERM)
		r = -EACCES;
	return mw_fail(err, r, "process %d: %s", q->pid, strerror(-r));
}

/*
 * Is it the one that was meant? Its folder is held already: should this be about another process of that number, then
 * nothing opens in there.
 */
static int check_start(const struct mw_question *q, __u64 *ret_ticks, struct mw_error *err)
{
	__u64 ticks;
	int r = mw_proc_start_ticks("/proc", q->pid, &ticks);

	if (r < 0)
		return not_there(q, r, err);
	if (q->start_ticks && q->start_ticks != ticks)
		return mw_fail(err, -ESRCH, "process %d is another one now (started at tick %llu, expected %llu)",
			       q->pid, ticks, q->start_ticks);
	*ret_ticks = ticks;
	return 0;
}

static int read_process(const struct mw_question *q, int proc_fd, __u64 *ret_inner_pid, struct mw_opened *o,
			struct mw_error *err)
{
	_cleanup_free_ char *status = NULL, *maps = NULL;
	__u64 uid, gid;
	size_t n = 0;
	int r = read_at(proc_fd, "status", STATUS_BYTES, &status, &n);

	if (r < 0)
		return not_there(q, r, err);
	if (!mw_status_last(status, "Uid:", &uid) || !mw_status_last(status, "Gid:", &gid))
		return not_there(q, -EBADMSG, err);
	if (!mw_status_last(status, "NSpid:", ret_inner_pid))
		*ret_inner_pid = (__u64)q->pid;
	o->own.uid = (uid_t)uid;
	o->own.gid = (gid_t)gid;
	o->own.pid = q->pid;
	r = read_at(proc_fd, "maps", MAPS_BYTES, &maps, &n);
	if (r < 0)
		return not_there(q, r, err);
	r = mw_modules_read_maps(&o->own, maps, n, err);
	if (!r && !n)
		return mw_fail(err, -ESRCH, "process %d has no memory: it has ended, or is the kernel's", q->pid);
	return r;
}

static void allow_many_files(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l) && l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max < 2 * MW_OBJECTS_MAX ? l.rlim_max : 2 * MW_OBJECTS_MAX;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int open_living(const struct mw_question *q, struct mw_opened *o, struct mw_error *err)
{
	_cleanup_close_ int proc_fd = -1;
	__u64 inner_pid = 0, ticks = 0;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/%d", q->pid);
	proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = proc_fd < 0 ? not_there(q, -errno, err) : check_start(q, &ticks, err);
	if (r < 0)
		return r;
	o->own.start_ticks = ticks;
	o->root_fd = openat(proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (o->root_fd < 0)
		return not_there(q, -errno, err);
	if (q->dead)
		return open_objects(q, -1, o);
	o->modules = &o->own;
	r = read_process(q, proc_fd, &inner_pid, o, err);
	if (r < 0)
		return r;
	r = open_objects(q, proc_fd, o);
	if (!r && !q->list)
		open_jit(o, inner_pid);
	return r;
}

int mw_open_all(const struct mw_question *q, struct mw_opened *ret, struct mw_error *err)
{
	struct mw_opened o = {.modules = &q->modules, .root_fd = -1, .host_fd = -1, .jit_fd = -1};
	int r = 0;

	allow_many_files();
	if (!geteuid() && setgroups(0, NULL)) /* what our groups may read is nothing to a process's user */
		return mw_fail(err, -errno, "cannot leave the groups: %s", strerror(errno));
	o.host_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (o.host_fd < 0)
		return mw_fail(err, -errno, "/: %s", strerror(errno));
	if (q->pid) {
		r = open_living(q, &o, err);
	} else {
		o.root_fd = fcntl(o.host_fd, F_DUPFD_CLOEXEC, 0);
		r = o.root_fd < 0 ? -errno : open_objects(q, -1, &o);
	}
	if (r < 0) {
		mw_opened_free(&o);
		return r;
	}
	*ret = o;
	if (!q->dead)
		ret->modules = &ret->own;
	return 0;
}

void mw_opened_free(struct mw_opened *o)
{
	for (size_t i = 0; i < o->n_objects; i++) {
		mw_close(&o->objects[i].fd);
		free(o->objects[i].bytes);
	}
	free(o->objects);
	free(o->object_of);
	mw_modules_free(&o->own);
	mw_close(&o->root_fd);
	mw_close(&o->host_fd);
	mw_close(&o->jit_fd);
}
