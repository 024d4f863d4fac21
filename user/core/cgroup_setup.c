/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * libcgroup 2.0.2 makes, changes, fills and removes; what it says is then checked
 * against the files, because it returns 0 for a populated cgroup it did not remove and for a
 * value it could not write. A struct is made anew for each call: modify writes every value in it.
 */
#include "core/cgroup_setup.h"

#include <fcntl.h>
#include <libcgroup.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "core/cgroup.h"
#include "core/cgroup_limits.h"
#include "core/proc.h"
#include "core/root.h"
#include "util/cleanup.h"
#include "util/trim.h"

/* What libcgroup said last, for the sentence of the caller's error. One thread calls this. */
static char last_said[256];

static void listen_to_libcgroup(void *userdata, int level, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
static void listen_to_libcgroup(void *userdata, int level, const char *fmt, va_list ap)
{
	(void)userdata;
	(void)level;
	vsnprintf(last_said, sizeof(last_said), fmt, ap);
	last_said[strcspn(last_said, "\n")] = '\0';
}

static void free_cgroup(struct cgroup **cg)
{
	if (*cg)
		cgroup_free(cg);
}
#define _cleanup_cgroup_ _cleanup_(free_cgroup)

/* libcgroup's code (positive from 50000) as -errno. */
static int code_of(int ecg)
{
	switch (ecg) {
	case 0:
		return 0;
	case ECGOTHER:
		return cgroup_get_last_errno() ? -cgroup_get_last_errno() : -EIO;
	case ECGROUPNOTEXIST:
	case ECGROUPVALUENOTEXIST: /* open() of the file failed, its errno is lost */
		return -ENOENT;
	case ECGROUPNOTOWNER:
	case ECGROUPNOTALLOWED:
		return -EPERM;
	case ECGNONEMPTY:
		return -EBUSY;
	case ECGROUPNOTMOUNTED:
	case ECGROUPSUBSYSNOTMOUNTED:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

static int fail_ecg(struct mw_error *err, int ecg, const char *what, const char *path)
{
	int code = code_of(ecg);
	const char *why = ecg == ECGOTHER ? strerror(-code) : cgroup_strerror(ecg);

	return mw_fail(err, code, "cannot %s cgroup %s: %s%s%s", what, path, why, last_said[0] ? "; " : "", last_said);
}

int mw_setup_init(struct mw_error *err)
{
	int ecg;

	/* Before cgroup_init, which otherwise installs a logger that prints to stdout. */
	cgroup_set_logger(listen_to_libcgroup, CGROUP_LOG_WARNING, NULL);
	ecg = cgroup_init();
	if (ecg)
		return mw_fail(err, code_of(ecg), "libcgroup cannot start: %s", cgroup_strerror(ecg));
	mw_trim_zeros("libcgroup.so"); /* its table of mounts has room for 2 MB of names, and it clears all of it */
	return 0;
}

/* On a hybrid host libcgroup would write to the v1 memory controller: that is not ours to use. */
static int check_mount(const char *mount, struct mw_error *err)
{
	_cleanup_free_ char *point = NULL;
	int ecg = cgroup_get_subsys_mount_point("memory", &point);

	if (ecg)
		return mw_fail(err, -EOPNOTSUPP, "no memory controller: %s", cgroup_strerror(ecg));
	if (strcmp(point, mount) != 0)
		return mw_fail(err, -EOPNOTSUPP, "the memory controller is at %s, not on cgroup v2 at %s", point,
			       mount);
	return 0;
}

static int open_cgroup(const char *mount, const char *path)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s/%s", mount, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	return mw_cgroup_open(full);
}

static int new_cgroup(const char *path, const struct mw_limit_file *settings, size_t n, struct cgroup **ret_cg)
{
	_cleanup_cgroup_ struct cgroup *cg = cgroup_new_cgroup(path);
	struct cgroup_controller *memory = cg ? cgroup_add_controller(cg, "memory") : NULL;

	last_said[0] = '\0';
	if (!memory)
		return ECGROUPNOTALLOWED;
	for (size_t i = 0; i < n; i++) {
		int ecg;

		if (settings[i].value == MW_UNLIMITED)
			ecg = cgroup_add_value_string(memory, settings[i].file, "max");
		else
			ecg = cgroup_add_value_uint64(memory, settings[i].file, settings[i].value);
		if (ecg)
			return ecg;
	}
	*ret_cg = TAKE_PTR(cg);
	return 0;
}

/* Write settings into a cgroup that is there. */
static int change(int dir_fd, const char *path, const struct mw_limit_file *settings, size_t n, struct mw_error *err)
{
	_cleanup_cgroup_ struct cgroup *cg = NULL;
	int ecg = new_cgroup(path, settings, n, &cg);

	if (!ecg)
		ecg = cgroup_modify_cgroup(cg);
	if (ecg)
		return fail_ecg(err, ecg, "set limits of", path);
	return mw_limit_verify(dir_fd, path, settings, n, err);
}

/* Make the directory; libcgroup enables memory in every ancestor but the cgroup root's. Existing is fine. */
static int make(const char *path, struct mw_error *err)
{
	_cleanup_cgroup_ struct cgroup *cg = NULL;
	int ecg = new_cgroup(path, NULL, 0, &cg);

	if (!ecg)
		ecg = cgroup_create_cgroup(cg, 1);
	if (!ecg)
		return 0;
	if (code_of(ecg) == -EBUSY)
		return mw_fail(err, -EBUSY,
			       "cannot make cgroup %s: a cgroup above it has processes of its own, so that the kernel "
			       "does not let it pass the memory controller on",
			       path);
	return fail_ecg(err, ecg, "make", path);
}

static int enable_memory(int dir_fd, const char *path, struct mw_error *err)
{
	int r = mw_cgroup_write(dir_fd, "cgroup.subtree_control", "+memory");

	if (r == -EBUSY)
		return mw_fail(err, r,
			       "cgroup %s has processes of its own, so that the kernel does not let it pass the memory "
			       "controller on: move them into a cgroup below it",
			       path);
	if (r)
		return mw_fail(err, r, "cannot enable the memory controller below cgroup %s: %s", path, strerror(-r));
	return 0;
}

/* +memory in the cgroup root itself, which libcgroup leaves out. */
static int enable_at_mount(const char *mount, struct mw_error *err)
{
	_cleanup_close_ int fd = mw_cgroup_open(mount);

	if (fd < 0)
		return mw_fail(err, fd, "cannot open %s: %s", mount, strerror(-fd));
	if (!mw_cgroup_has_memory(fd))
		return mw_fail(err, -EOPNOTSUPP, "no memory controller on cgroup v2 at %s", mount);
	return enable_memory(fd, "/", err);
}

int mw_setup_root(const char *mount, const char *root, __u64 budget, struct mw_error *err)
{
	_cleanup_close_ int fd = -1;
	struct mw_limit_file setting = {"memory.max", budget};
	int r = check_mount(mount, err);

	if (!r)
		r = enable_at_mount(mount, err);
	if (!r)
		r = make(root, err);
	if (r)
		return r;
	fd = open_cgroup(mount, root);
	if (fd < 0)
		return mw_fail(err, fd, "cannot open cgroup %s: %s", root, strerror(-fd));
	r = enable_memory(fd, root, err);
	if (r)
		return r;
	if (mw_root_is_unit(root))
		return mw_root_set_max(fd, budget, err);
	return change(fd, root, &setting, 1, err);
}

/* What stands on ROOT/CLASS: the budget, and the profile when its workers share it. */
static struct mw_limits class_limits(const struct mw_profile *p)
{
	struct mw_limits l = {MW_UNLIMITED, MW_UNLIMITED, 0, MW_UNLIMITED, false};

	if (p->share && p->policy != MW_POLICY_OBSERVE)
		l = mw_profile_limits(p);
	if (p->budget < l.max)
		l.max = p->budget;
	return l;
}

int mw_setup_class(const char *mount, const char *root, const struct mw_class *cls, struct mw_error *err)
{
	_cleanup_close_ int fd = -1;
	struct mw_limits limits = class_limits(&cls->profile);
	struct mw_limit_file settings[MW_LIMIT_FILES];
	char path[PATH_MAX];
	__u64 low;
	int r;

	if (snprintf(path, sizeof(path), "%s/%s", root, cls->name) >= (int)sizeof(path))
		return mw_fail(err, -ENAMETOOLONG, "the path of cgroup %s/%s is too long", root, cls->name);
	r = check_mount(mount, err);
	if (!r)
		r = make(path, err);
	if (r)
		return r;
	fd = open_cgroup(mount, path);
	if (fd < 0)
		return mw_fail(err, fd, "cannot open cgroup %s: %s", path, strerror(-fd));
	r = enable_memory(fd, path, err);
	if (r)
		return r;
	/* The protection of its workers together, mw_setup_low's, stays as it is. */
	if (!cls->profile.share && !mw_cgroup_read_u64(fd, "memory.low", &low))
		limits.low = low;
	return change(fd, path, settings, mw_limit_files(fd, &limits, settings), err);
}

static int remove_dir(const char *mount, const char *path)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s/%s", mount, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	return rmdir(full) < 0 ? -errno : 0;
}

static int check_memory(int dir_fd, const char *path, struct mw_error *err)
{
	if (faccessat(dir_fd, "memory.max", F_OK, 0))
		return mw_fail(err, -EOPNOTSUPP, "cgroup %s has no memory controller", path);
	return 0;
}

/* Not through libcgroup, which reads /proc/mounts before each value: the worker waits for these. */
static int limit_new(int dir_fd, const char *path, const struct mw_limits *limits, struct mw_error *err)
{
	struct mw_limit_file settings[MW_LIMIT_FILES];
	int r = check_memory(dir_fd, path, err);

	if (r || !limits)
		return r;
	return mw_limit_put(dir_fd, path, settings, mw_limit_files(dir_fd, limits, settings), err);
}

int mw_setup_worker(const char *mount, const char *path, const struct mw_limits *limits, int *ret_fd,
		    struct mw_error *err)
{
	_cleanup_close_ int fd = open_cgroup(mount, path);
	int r;

	if (fd >= 0)
		return mw_fail(err, -EEXIST, "cgroup %s exists", path);
	r = check_mount(mount, err);
	if (r)
		return r;
	r = make(path, err);
	if (!r) {
		fd = open_cgroup(mount, path);
		r = fd < 0 ? mw_fail(err, fd, "cannot open cgroup %s: %s", path, strerror(-fd))
			   : limit_new(fd, path, limits, err);
	}
	if (r) {
		remove_dir(mount, path); /* libcgroup leaves what it made before it failed */
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mw_setup_attach(const char *mount, const char *path, pid_t pid, struct mw_error *err)
{
	_cleanup_cgroup_ struct cgroup *cg = NULL;
	_cleanup_close_ int fd = open_cgroup(mount, path);
	struct mw_proc_status now;
	int ecg, r;

	if (fd < 0)
		return mw_fail(err, fd, "cannot open cgroup %s: %s", path, strerror(-fd));
	ecg = new_cgroup(path, NULL, 0, &cg);
	if (!ecg)
		ecg = cgroup_attach_task_pid(cg, pid);
	r = code_of(ecg);
	if (r == -ESRCH)
		return mw_fail(err, r, "process %d is gone", pid);
	if (r)
		return mw_fail(err, r, "cannot move process %d into cgroup %s: %s", pid, path,
			       last_said[0] ? last_said : strerror(-r));
	r = mw_cgroup_has_pid(fd, pid);
	if (r == 1)
		return 0;
	if (mw_proc_status("/proc", pid, &now) < 0 || now.ended)
		return mw_fail(err, -ESRCH, "process %d is gone", pid);
	return mw_fail(err, r ? r : -EIO, "process %d is not in cgroup %s after it was moved there", pid, path);
}

int mw_setup_remove(const char *mount, const char *path, struct mw_error *err)
{
	_cleanup_cgroup_ struct cgroup *cg = NULL;
	_cleanup_close_ int fd = open_cgroup(mount, path);
	int ecg;

	/* Most have nothing below them, and then this is all: libcgroup walks the tree and asks for processes first. */
	if (remove_dir(mount, path) == 0 || fd == -ENOENT)
		return 0;
	if (fd < 0)
		return mw_fail(err, fd, "cannot open cgroup %s: %s", path, strerror(-fd));
	if (mw_cgroup_populated(fd) == 1)
		return mw_fail(err, -EBUSY, "cgroup %s still has processes", path);
	mw_cgroup_remove_below(fd);
	ecg = new_cgroup(path, NULL, 0, &cg);
	if (!ecg)
		ecg = cgroup_delete_cgroup_ext(cg, CGFLAG_DELETE_EMPTY_ONLY);
	if (ecg)
		return fail_ecg(err, ecg, "remove", path);
	mw_close(&fd);
	fd = open_cgroup(mount, path);
	if (fd >= 0)
		return mw_fail(err, -EBUSY, "cgroup %s was not removed: it has processes or cgroups below it", path);
	return 0;
}

int mw_setup_low(const char *mount, const char *path, __u64 low, struct mw_error *err)
{
	_cleanup_close_ int fd = open_cgroup(mount, path);
	struct mw_limit_file setting = {"memory.low", low};

	if (fd < 0)
		return mw_fail(err, fd, "cannot open cgroup %s: %s", path, strerror(-fd));
	if (mw_root_is_unit(path))
		return mw_root_set_low(fd, low, err);
	return change(fd, path, &setting, 1, err);
}
