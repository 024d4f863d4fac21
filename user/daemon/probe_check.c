/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A child calls functions that keep values in registers, on the stack and below the stack pointer, where they may
 * (x86-64's red zone), bare and then with probes on them. It must live, compute the same, and be counted exactly.
 *
 * Seen: 6.18.15, 6.18.44, 7.0.13 and 7.1.13 replace a probed nop of five bytes by a call, which overwrites the red
 * zone. Other instructions are not replaced: what is probed decides, so each is tried for itself.
 */
#include "daemon/probe_check.h"

#include <errno.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/kernel_objects.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define ROUNDS	   1000
#define TIMEOUT_MS 20000 /* an emulated machine takes a second */

/* Each returns number + 1 where nothing was disturbed. "_at" is the probed instruction, in the middle of a leaf. */
__u64 mw_probe_check_plain(__u64 number);
__u64 mw_probe_check_nop(__u64 number);
extern const char mw_probe_check_plain_at[], mw_probe_check_nop_at[];

#if defined(__x86_64__)
/* Without moving the stack pointer: a leaf may use the 128 bytes below it. */
#define KEEPER(name, instruction)                                                                                      \
	asm(".pushsection .text\n.globl " name "\n.hidden " name "\n.globl " name "_at\n.hidden " name "_at\n"         \
	    ".type " name ", @function\n" name ":\n"                                                                   \
	    "	endbr64\n	mov %rdi, -8(%rsp)\n	mov %rdi, -64(%rsp)\n	mov %rdi, -120(%rsp)\n	mov %rdi, "                  \
	    "%rdx\n"                                                                                                   \
	    "	test %rdi, %rdi\n" name "_at:\n	" instruction "\n	mov %rdi, %rax\n"                                    \
	    "	cmp -8(%rsp), %rdx\n	jne 1f\n	cmp -64(%rsp), %rdx\n	jne 1f\n"                                            \
	    "	cmp -120(%rsp), %rdx\n	jne 1f\n	add $1, %rax\n	ret\n1:	xor %eax, %eax\n	ret\n"                           \
	    ".size " name ", .-" name "\n.popsection")
KEEPER("mw_probe_check_plain", "test %rdi, %rdi");
KEEPER("mw_probe_check_nop", ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00");
#define HAS_NOP true
#elif defined(__aarch64__)
#define KEEPER(name, instruction)                                                                                      \
	asm(".pushsection .text\n.globl " name "\n.hidden " name "\n.globl " name "_at\n.hidden " name "_at\n"         \
	    ".type " name ", %function\n" name ":\n"                                                                   \
	    "	bti c\n	mov x9, x0\n" name "_at:\n	" instruction "\n	cmp x9, x0\n	b.ne 1f\n"                      \
	    "	add x0, x0, #1\n	ret\n1:	mov x0, #0\n	ret\n.size " name ", .-" name "\n.popsection")
KEEPER("mw_probe_check_plain", "mov x1, x0");
KEEPER("mw_probe_check_nop", "nop");
#define HAS_NOP true
#else
#define HAS_NOP false
#endif

/* What the child writes when it is through. */
struct outcome {
	__u64 bare_ns, probed_ns; /* of ROUNDS pairs of malloc and free */
	__u32 wrong; /* results that were not as expected */
};

/* Where a function of this process is in its file. */
struct found {
	__u64 address;
	char path[256];
	__u64 offset;
};

static int find_in(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct found *f = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		__u64 start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD || f->address < start || f->address - start >= p->p_filesz)
			continue;
		f->offset = p->p_offset + (f->address - start);
		snprintf(f->path, sizeof(f->path), "%s", *info->dlpi_name ? info->dlpi_name : "/proc/self/exe");
		return 1;
	}
	return 0;
}

static int probe(struct mw_object_probes *probes, pid_t pid, const void *function, enum mw_allocator_fn fn,
		 struct mw_error *err)
{
	struct mw_allocator_place place = {.fn = fn};
	struct found f = {.address = (__u64)(unsigned long)function};

	if (!dl_iterate_phdr(find_in, &f))
		return mw_fail(err, -ENOENT, "a function of our own is in no file");
	memcpy(place.code, function, sizeof(place.code));
	place.offset = f.offset + mw_probe_check_skip(place.code);
	return mw_object_probes_attach(probes, pid, f.path, &place, err);
}

/* ---- the child ---- */

static __u64 pairs(struct outcome *o)
{
	__u64 began = mw_now_ns();

	for (unsigned i = 0; i < ROUNDS; i++) {
		volatile char *p = malloc(100 + i % 8);

		o->wrong += !p;
		if (p)
			*p = (char)i;
		free((void *)p);
	}
	return mw_now_ns() - began;
}

static void keepers(struct outcome *o, __u64 (*function)(__u64))
{
	for (__u64 i = 1; i <= ROUNDS; i++)
		o->wrong += function(i * 0x9e3779b97f4a7c15ULL) != i * 0x9e3779b97f4a7c15ULL + 1;
}

#if defined(__x86_64__)
/*
 * A return probe is a system call of its own since 6.11 (335, and 336 a probe at a call), which not every kernel hides
 * from filters: a worker whose filter does not know it would be killed. So our child has such a filter.
 */
static void forbid(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 335, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 336, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(rules), rules};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
static void forbid(void)
{
}
#endif

static void behave(int fd, bool nop)
{
	struct outcome o = {0};
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTRAP, SIG_DFL);
	forbid();
	if (nop)
		keepers(&o, mw_probe_check_nop);
	else
		keepers(&o, mw_probe_check_plain);
	o.bare_ns = pairs(&o);
	if (write(fd, "r", 1) != 1 || read(fd, &go, 1) != 1)
		_exit(1);
	if (nop) {
		keepers(&o, mw_probe_check_nop);
	} else {
		keepers(&o, mw_probe_check_plain);
		o.probed_ns = pairs(&o);
	}
	_exit(write(fd, &o, sizeof(o)) == sizeof(o) ? 0 : 1);
}

/* ---- who watches it ---- */

static int await(int fd, void *buf, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int r = poll(&p, 1, TIMEOUT_MS);

	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	return read(fd, buf, size) == (ssize_t)size ? 0 : -EPIPE;
}

static int attach(struct mw_object_probes *probes, pid_t pid, bool nop, struct mw_error *err)
{
	int r;

	if (nop)
		return probe(probes, pid, mw_probe_check_nop_at, MW_FN_FREE, err);
	r = probe(probes, pid, mw_probe_check_plain_at, MW_FN_MUNMAP, err);
	if (!r)
		r = probe(probes, pid, (const void *)malloc, MW_FN_MALLOC, err);
	return r ? r : probe(probes, pid, (const void *)free, MW_FN_FREE, err);
}

static int counted(struct mw_object_probes *probes, bool nop, struct mw_error *err)
{
	struct mw_object_counts c;
	__u64 free_calls, mallocs = nop ? 0 : ROUNDS, keeper;

	mw_object_probes_counts(probes, &c);
	free_calls = c.calls[MW_FN_FREE];
	keeper = nop ? ROUNDS : c.calls[MW_FN_MUNMAP];
	if (c.calls[MW_FN_MALLOC] != mallocs || c.returns[MW_FN_MALLOC] != mallocs || free_calls != ROUNDS ||
	    keeper != ROUNDS)
		return mw_fail(err, -EBADMSG, "of %d calls each were counted %llu, %llu, %llu, and %llu returns",
			       ROUNDS, c.calls[MW_FN_MALLOC], free_calls, keeper, c.returns[MW_FN_MALLOC]);
	return 0;
}

static int watch(struct mw_object_probes *probes, pid_t pid, int fd, bool nop, struct outcome *o, struct mw_error *err)
{
	char ready;
	int r = await(fd, &ready, 1), status;

	r = r ? mw_fail(err, r, "our child does not begin: %s", strerror(-r)) : attach(probes, pid, nop, err);
	if (!r && write(fd, "g", 1) != 1)
		r = mw_fail(err, -errno, "our child has gone: %s", strerror(errno));
	if (!r) {
		r = await(fd, o, sizeof(*o));
		if (r == -ETIMEDOUT)
			mw_fail(err, r, "our child hangs once it is probed");
	}
	if (r)
		kill(pid, SIGKILL); /* our child, and not waited for: it is this one */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r == -EPIPE && WIFSIGNALED(status))
		return mw_fail(err, r, "our child dies of signal %d once it is probed", WTERMSIG(status));
	if (r)
		return err->text[0] ? r : mw_fail(err, r, "our child says nothing: %s", strerror(-r));
	if (o->wrong)
		return mw_fail(err, -EBADMSG, "%s%u of %d results of our child are wrong once it is probed",
			       nop ? "the kernel overwrites what stands below the stack pointer: " : "", o->wrong,
			       ROUNDS);
	return counted(probes, nop, err);
}

static int try(bool nop, struct outcome *o, struct mw_error *err)
{
	struct mw_object_probes *probes = NULL;
	int fds[2], r = mw_object_probes_open(MW_HEAP_MEAN_DEFAULT, &probes, err);
	pid_t pid;

	if (r)
		return r;
	r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
	if (r) {
		mw_object_probes_close(probes);
		return mw_fail(err, r, "a pair of sockets: %s", strerror(-r));
	}
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDIN_FILENO);
		close_range(3, ~0U, 0); /* it holds on to nothing of ours */
		behave(STDIN_FILENO, nop);
	}
	close(fds[1]);
	r = pid < 0 ? mw_fail(err, -errno, "fork: %s", strerror(errno)) : watch(probes, pid, fds[0], nop, o, err);
	close(fds[0]);
	mw_object_probes_close(probes);
	return r;
}

void mw_probe_check_run(struct mw_probe_check *ret_check)
{
	struct mw_error err = {""};
	struct outcome o = {0};
	int r;

	*ret_check = (struct mw_probe_check){0};
	if (!HAS_NOP) {
		snprintf(ret_check->why, sizeof(ret_check->why), "not known how to try it out on this machine");
		return;
	}
	r = try(false, &o, &err);
	if (r) {
		ret_check->again = r == -ENOMEM || r == -EAGAIN || r == -EMFILE || r == -ENFILE;
		snprintf(ret_check->why, sizeof(ret_check->why), "%.190s", err.text);
		return;
	}
	ret_check->ok = true;
	ret_check->bare_ns = o.bare_ns / ROUNDS / 2;
	ret_check->call_ns = o.probed_ns / ROUNDS / 2;
	err = (struct mw_error){""};
	ret_check->nop_ok = try(true, &o, &err) == 0;
	if (!ret_check->nop_ok)
		snprintf(ret_check->nop_why, sizeof(ret_check->nop_why), "%.190s", err.text);
}

unsigned mw_probe_check_skip(const __u8 code[MW_ALLOCATOR_CODE])
{
	unsigned n = 0;
#if defined(__x86_64__)
	static const __u8 endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa}, test_rdi[] = {0x48, 0x85, 0xff};
	const __u8 *next;

	if (memcmp(code, endbr64, sizeof(endbr64)) == 0)
		n += sizeof(endbr64);
	next = code + n + sizeof(test_rdi);
	/* je and jne, short and long */
	if (memcmp(code + n, test_rdi, sizeof(test_rdi)) == 0 &&
	    ((next[0] & 0xfe) == 0x74 || (next[0] == 0x0f && (next[1] & 0xfe) == 0x84)))
		n += sizeof(test_rdi);
#else
	(void)code;
#endif
	return n;
}

const char *mw_probe_check_forbids(const struct mw_probe_check *c, const __u8 code[MW_ALLOCATOR_CODE])
{
	static const __u8 nop[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};

	if (!c->ok)
		return c->why;
#if defined(__x86_64__)
	return !c->nop_ok && memcmp(code + mw_probe_check_skip(code), nop, sizeof(nop)) == 0 ? c->nop_why : NULL;
#else
	(void)code, (void)nop;
	return c->nop_ok ? NULL : c->nop_why;
#endif
}
