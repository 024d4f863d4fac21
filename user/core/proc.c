/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "util/cleanup.h"

#define STATUS_SIZE   8192 /* about 1.5 KB; Cpus_allowed grows with the machine */
#define MAX_ANCESTORS 1024 /* a chain of parents longer than this is no chain */

/* Read PROC/PID/file. Length or -errno; -ESRCH when the process is gone. A longer file is cut. */
static ssize_t read_proc(const char *proc_root, pid_t pid, const char *file, char *buf, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/%d/%s", proc_root, pid, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	n = mw_cgroup_read(AT_FDCWD, path, buf, size);
	if (n == -E2BIG)
		return (ssize_t)size - 1;
	return n == -ENOENT ? -ESRCH : n;
}

/* The line of hierarchy 0, "0::/path"; NULL without. */
static char *v2_line(char *buf)
{
	for (char *line = buf; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "0::/", 4))
			return line;
	}
	return NULL;
}

int mw_proc_cgroup(const char *proc_root, pid_t pid, char *ret_path, size_t size)
{
	static const char deleted[] = " (deleted)";
	char buf[2 * PATH_MAX], *line, *path;
	ssize_t n = read_proc(proc_root, pid, "cgroup", buf, sizeof(buf));
	size_t length;

	if (n < 0)
		return n;
	line = v2_line(buf);
	if (!line)
		return -ENOENT;
	path = line + 3;
	length = strcspn(path, "\n");
	path[length] = '\0';
	/* Only a process that has exited can stand in a removed cgroup; another one may bear the name now. */
	if (length >= sizeof(deleted) && !strcmp(path + length - (sizeof(deleted) - 1), deleted))
		return -ESRCH;
	if (length >= size)
		return -ENAMETOOLONG;
	memcpy(ret_path, path, length + 1);
	return 0;
}

int mw_proc_exe(const char *proc_root, pid_t pid, char *ret_path, size_t size)
{
	static const char deleted[] = " (deleted)"; /* replaced by an upgrade */
	char path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%d/exe", proc_root, (int)pid);
	n = readlink(path, ret_path, size - 1);
	if (n < 0 && errno != ENOENT)
		return -errno;
	ret_path[n > 0 ? n : 0] = '\0'; /* a kernel thread, or it is about to be gone */
	if (n > (ssize_t)sizeof(deleted) && !strcmp(ret_path + n - (sizeof(deleted) - 1), deleted))
		ret_path[n - (ssize_t)(sizeof(deleted) - 1)] = '\0';
	return 0;
}

void mw_proc_comm(const char *proc_root, pid_t pid, char *ret_comm, size_t size)
{
	char buf[64];

	if (!size)
		return;
	ret_comm[0] = '\0';
	if (read_proc(proc_root, pid, "comm", buf, sizeof(buf)) < 0)
		return;
	buf[strcspn(buf, "\n")] = '\0';
	snprintf(ret_comm, size, "%s", buf);
}

/* Where a field of a stat line begins; field 3 is the first after the command, which may hold anything. NULL without.
 */
static char *field_of(char *line, int field)
{
	char *at = strrchr(line, ')');

	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? at + 1 : NULL;
}

static int number_of(char *line, int field, __u64 *ret)
{
	char *at = field_of(line, field), *end;
	__u64 value;

	if (!at || *at < '0' || *at > '9')
		return -EBADMSG;
	errno = 0;
	value = strtoull(at, &end, 10);
	if (errno || (*end != ' ' && *end != '\n' && *end))
		return -EBADMSG;
	*ret = value;
	return 0;
}

static int stat_field(const char *proc_root, pid_t pid, int field, __u64 *ret)
{
	char buf[2048];
	ssize_t n = read_proc(proc_root, pid, "stat", buf, sizeof(buf));

	return n < 0 ? (int)n : number_of(buf, field, ret);
}

int mw_proc_thread(const char *proc_root, pid_t pid, char *ret_state, __u64 *ret_cpu_ns)
{
	char buf[2048], file[64], *state;
	long hz = sysconf(_SC_CLK_TCK);
	__u64 user, system;
	ssize_t n;
	int r;

	snprintf(file, sizeof(file), "task/%d/stat", pid);
	n = read_proc(proc_root, pid, file, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	state = field_of(buf, 3);
	r = number_of(buf, 14, &user);
	if (r == 0)
		r = number_of(buf, 15, &system);
	if (r < 0 || !state || hz <= 0)
		return -EBADMSG;
	*ret_state = *state;
	*ret_cpu_ns = (user + system) * (1000000000ULL / (__u64)hz);
	return 0;
}

int mw_proc_start_ticks(const char *proc_root, pid_t pid, __u64 *ret_ticks)
{
	return stat_field(proc_root, pid, 22, ret_ticks);
}

bool mw_proc_is(const char *proc_root, pid_t pid, __u64 start_ticks)
{
	__u64 now;

	return mw_proc_start_ticks(proc_root, pid, &now) == 0 && now == start_ticks;
}

bool mw_proc_same_start(__u64 a, __u64 b)
{
	return (__u32)a == (__u32)b;
}

bool mw_proc_began_after(__u64 start_ticks, __u64 time_ns, __u64 suspended_ns)
{
	long hz = sysconf(_SC_CLK_TCK);

	return hz > 0 && start_ticks > (time_ns + suspended_ns) / (1000000000ULL / (__u64)hz);
}

int mw_proc_ppid(const char *proc_root, pid_t pid, pid_t *ret_ppid)
{
	__u64 ppid;
	int r = stat_field(proc_root, pid, 4, &ppid);

	if (r)
		return r;
	if (ppid > INT_MAX)
		return -EBADMSG;
	*ret_ppid = (pid_t)ppid;
	return 0;
}

/* What follows "KEY:" and blanks in a text of lines; NULL without. */
static const char *line_of(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, " \t");
	}
	return NULL;
}

/* "Key:   123 kB" in bytes; 0 where the key is missing (kernel threads, zombies) or no number. */
static __u64 kilobytes(const char *buf, const char *key)
{
	const char *number = line_of(buf, key);
	__u64 value = number && *number >= '0' && *number <= '9' ? strtoull(number, NULL, 10) : 0;

	return value > (1ULL << 53) ? 0 : value * 1024;
}

static bool read_uids(const char *text, uid_t uids[4])
{
	const char *at = line_of(text, "Uid");
	char *end;

	for (int i = 0; at && i < 4; i++, at = end) {
		unsigned long v = strtoul(at, &end, 10);

		if (end == at || v > (uid_t)-1)
			return false;
		uids[i] = (uid_t)v;
	}
	return at;
}

int mw_proc_status(const char *proc_root, pid_t pid, struct mw_proc_status *ret_status)
{
	struct mw_proc_status s = {0};
	char buf[STATUS_SIZE];
	ssize_t n = read_proc(proc_root, pid, "status", buf, sizeof(buf));
	const char *state;

	if (n < 0)
		return (int)n;
	state = line_of(buf, "State");
	if (!read_uids(buf, s.uids) || !state)
		return -EBADMSG;
	s.ended = *state == 'Z' || *state == 'X';
	*ret_status = s;
	return 0;
}

bool mw_proc_dying(const char *proc_root, pid_t pid)
{
	const __u64 exiting = 0x4; /* PF_EXITING of the kernel's task flags, field 9 of stat */
	__u64 flags = 0;
	char buf[STATUS_SIZE];
	const char *pending;

	if (stat_field(proc_root, pid, 9, &flags) == -ESRCH || (flags & exiting))
		return true;
	if (read_proc(proc_root, pid, "status", buf, sizeof(buf)) < 0)
		return true;
	pending = line_of(buf, "SigPnd"); /* a thread's own: a fatal signal is put to each of them as SIGKILL */
	return pending && strtoull(pending, NULL, 16) & 1ULL << (SIGKILL - 1);
}

int mw_proc_memory(const char *proc_root, pid_t pid, __u64 *ret_anon, __u64 *ret_swap, __u64 *ret_shmem,
		   __u64 *ret_file)
{
	char buf[STATUS_SIZE];
	ssize_t n = read_proc(proc_root, pid, "status", buf, sizeof(buf));

	if (n < 0)
		return n;
	*ret_anon = kilobytes(buf, "RssAnon");
	*ret_swap = kilobytes(buf, "VmSwap");
	*ret_shmem = kilobytes(buf, "RssShmem");
	*ret_file = kilobytes(buf, "RssFile");
	return 0;
}

int mw_proc_throttled(const char *proc_root, pid_t tid)
{
	char buf[128];
	ssize_t n = read_proc(proc_root, tid, "wchan", buf, sizeof(buf));

	/* mem_cgroup_handle_over_high; newer kernels: with two underscores before it */
	return n < 0 ? (int)n : strstr(buf, "mem_cgroup_handle_over_high") != NULL;
}

/* 1 when pid is ancestor or one of its descendants, 0 when not, -ESRCH when it has gone. */
static int descends(const char *proc_root, pid_t pid, pid_t ancestor)
{
	for (int i = 0; i < MAX_ANCESTORS && pid > 0; i++) {
		int r;

		if (pid == ancestor)
			return 1;
		r = mw_proc_ppid(proc_root, pid, &pid);
		if (r)
			return i ? 0 : r;
	}
	return 0;
}

bool mw_proc_tree_fills(const char *proc_root, pid_t pid, const pid_t *members, size_t n)
{
	bool self = false;

	for (size_t i = 0; i < n; i++) {
		int r = descends(proc_root, members[i], pid);

		if (r != 1 && r != -ESRCH)
			return false;
		self |= members[i] == pid;
	}
	return self;
}

/* The children of one thread, behind those that are there already. */
static ssize_t thread_children(const char *dir, const char *tid, pid_t *pids, size_t n, size_t found)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[PATH_MAX + 300];
	int child;

	snprintf(path, sizeof(path), "%s/%s/children", dir, tid);
	f = fopen(path, "re");
	while (f && found < n && fscanf(f, "%d", &child) == 1)
		pids[found++] = child;
	return (ssize_t)found;
}

ssize_t mw_proc_children(const char *proc_root, pid_t pid, pid_t *pids, size_t n)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;
	char dir[PATH_MAX], path[PATH_MAX + 64];
	ssize_t found = 0;

	if (snprintf(dir, sizeof(dir), "%s/%d/task", proc_root, pid) >= (int)sizeof(dir))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s/%d/children", dir, pid);
	d = opendir(dir);
	if (!d)
		return -ESRCH;
	if (access(path, F_OK) < 0)
		return access(dir, F_OK) < 0 ? -ESRCH : -EOPNOTSUPP;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			found = thread_children(dir, e->d_name, pids, n, (size_t)found);
	return found;
}

int mw_proc_swap(const char *proc_root, __u64 *ret_total, __u64 *ret_free)
{
	char buf[STATUS_SIZE], path[PATH_MAX];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/meminfo", proc_root) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	n = mw_cgroup_read(AT_FDCWD, path, buf, sizeof(buf));
	if (n < 0)
		return n;
	*ret_total = kilobytes(buf, "SwapTotal");
	*ret_free = kilobytes(buf, "SwapFree");
	return 0;
}

int mw_pidfd_pid(const char *proc_root, int pidfd, pid_t *ret_pid)
{
	char path[256], text[1024], *end;
	const char *at;
	ssize_t n;
	long pid;

	snprintf(path, sizeof(path), "%s/self/fdinfo/%d", proc_root, pidfd);
	n = mw_cgroup_read(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? -EBADF : (int)n;
	at = line_of(text, "Pid");
	if (!at)
		return -EBADF;
	pid = strtol(at, &end, 10);
	if (end == at)
		return -EBADF;
	if (pid <= 0)
		return -ESRCH;
	*ret_pid = (pid_t)pid;
	return 0;
}

bool mw_pidfd_lives(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}
