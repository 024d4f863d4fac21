/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "util/cleanup.h"

#define NOBODY 65534 /* the kernel's own number for nobody it knows */

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH_ is this?"
#endif

/* Sanitizers map terabytes, and ask for much at the end: with them only the rights go. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static int drop_user(struct mw_error *err)
{
	const gid_t gid = NOBODY;
	const uid_t uid = NOBODY;

	if (geteuid() != 0)
		return 0; /* has no more than who asks */
	if (setgroups(0, NULL) || setresgid(gid, gid, gid))
		return mw_fail(err, -errno, "cannot leave the groups: %s", strerror(errno));
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
			return mw_fail(err, -errno, "cannot drop capability %d: %s", cap, strerror(errno));
	}
	/* From root to another: with it go the permitted, effective and ambient capabilities. */
	if (setresuid(uid, uid, uid))
		return mw_fail(err, -errno, "cannot become nobody: %s", strerror(errno));
	if (!setuid(0))
		return mw_fail(err, -EPERM, "root comes back");
	return 0;
}

static int limit(int what, rlim_t value)
{
	return setrlimit(what, &(struct rlimit){value, value}) ? -errno : 0;
}

static int set_limits(const struct mw_confinement *c, struct mw_error *err)
{
	struct itimerval timer = {.it_value = {c->timeout_ms / 1000, (c->timeout_ms % 1000) * 1000}};
	int r = 0;

	if (!SANITIZED)
		r = limit(RLIMIT_DATA, MW_CONFINE_MEMORY);
	if (!SANITIZED && !r)
		r = limit(RLIMIT_AS, c->maps_bytes ? c->maps_bytes : MW_CONFINE_MEMORY);
	r = r ? r : limit(RLIMIT_CPU, c->timeout_ms / 1000 + 1);
	r = r ? r : limit(RLIMIT_FSIZE, c->answer_bytes); /* should it go into a file */
	r = r ? r : limit(RLIMIT_CORE, 0);
	r = r ? r : limit(RLIMIT_NPROC, 0);
	r = r ? r : limit(RLIMIT_MSGQUEUE, 0);
	if (!r && setitimer(ITIMER_REAL, &timer, NULL))
		r = -errno;
	if (!r && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		r = -errno;
	return r ? mw_fail(err, r, "cannot set its own limits: %s", strerror(-r)) : 0;
}

#define LOAD(field)	  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_LOW(n)	  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n])) /* little endian */
#define SKIP_UNLESS(k, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, n)
#define SKIP_IF_SET(k, n) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, k, n, 0)
#define SAY(what)	  BPF_STMT(BPF_RET | BPF_K, what)
#define ALLOW(call)	  SKIP_UNLESS(__NR_##call, 1), SAY(SECCOMP_RET_ALLOW)
#define REFUSE(call)	  SKIP_UNLESS(__NR_##call, 1), SAY(SECCOMP_RET_ERRNO | ENOENT)

/*
 * Memory may be mapped, never to be executed; what is written goes to standard output. Any other call is the end, but
 * for a library that looks for files by name: it hears that there are none.
 */
static int filter_calls(bool fetches, struct mw_error *err)
{
	static const struct sock_filter any[] = {
		ALLOW(pread64),
		ALLOW(read),
		ALLOW(brk),
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(madvise),
		ALLOW(getrandom),
		ALLOW(exit_group),
		ALLOW(rt_sigreturn),
		ALLOW(restart_syscall),
		SKIP_UNLESS(__NR_mmap, 4),
		LOAD_LOW(2),
		SKIP_IF_SET(PROT_EXEC, 1),
		SAY(SECCOMP_RET_ALLOW),
		SAY(SECCOMP_RET_KILL_PROCESS),
		SKIP_UNLESS(__NR_write, 3),
		LOAD_LOW(0),
		SKIP_UNLESS(STDOUT_FILENO, 1),
		SAY(SECCOMP_RET_ALLOW),
		SAY(SECCOMP_RET_KILL_PROCESS),
	};
	static const struct sock_filter fetching[] = {
		ALLOW(sendmsg),	      ALLOW(recvmsg),	ALLOW(close),	    ALLOW(lseek),
		ALLOW(sysinfo), /* of qsort */
		ALLOW(clock_gettime), REFUSE(openat),	REFUSE(readlinkat), REFUSE(newfstatat),
#ifdef __NR_open
		REFUSE(open),	      REFUSE(readlink),
#endif
	};
	struct sock_filter code[ARRAY_SIZE(any) + ARRAY_SIZE(fetching) + 5] = {
		LOAD(arch),
		SKIP_UNLESS(THIS_ARCH, 1),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
		SAY(SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {5, code};

	if (SANITIZED)
		return 0;
	if (fetches) {
		memcpy(code + program.len, fetching, sizeof(fetching));
		program.len += ARRAY_SIZE(fetching);
	}
	memcpy(code + program.len, any, sizeof(any)); /* the number is overwritten there: last */
	program.len += ARRAY_SIZE(any);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		return mw_fail(err, -errno, "the kernel takes no filter of system calls: %s", strerror(errno));
	return 0;
}

void mw_expendable(void)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "1000", 4); /* never a reason not to go on */
}

int mw_confine_rights(struct mw_error *err)
{
	int r = drop_user(err);

	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		r = mw_fail(err, -errno, "no_new_privs: %s", strerror(errno));
	return r;
}

int mw_confine(const struct mw_confinement *c, struct mw_error *err)
{
	int r = mw_confine_rights(err);

	if (!r)
		r = set_limits(c, err);
	return r ? r : filter_calls(c->fetches, err);
}
