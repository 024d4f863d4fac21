/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The keeper's beginning: table, locks, signals; the daemon's start; taking over one that runs. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "core/keeper_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* ---- starting ---- */

static void become_daemon(const struct keeper *k, int sock)
{
	const int fds[] = {sock, k->table_fd, k->program_fd};
	char text[64];

	setpgid(0, 0); /* a terminal's Ctrl-C comes to us, and from us to it, once */
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &k->old_mask, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fcntl(fds[i], F_SETFD, 0);
	snprintf(text, sizeof(text), "%d,%d,%d", fds[0], fds[1], fds[2]);
	setenv(MW_KEEPER_ENV, text, 1);
	if (k->worked)
		setenv(MW_KEEPER_RESTARTED_ENV, "1", 1);
	else
		unsetenv(MW_KEEPER_RESTARTED_ENV);
	unsetenv("WATCHDOG_PID"); /* the watchdog is ours */
	unsetenv("WATCHDOG_USEC");
	execv(k->opts.daemon_path, k->opts.argv);
	_exit(errno == ENOENT ? 127 : 126);
}

int mw_keeper_start(struct keeper *k)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	k->beat = k->silence_ns = k->late_ns = k->kill_at_ns = 0;
	k->hung = k->terminating = false;
	k->tick_ns = mw_now_ns();
	k->next_ns = ~0ULL;
	mw_keeper_look_soon(k);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		become_daemon(k, theirs);
	k->pid = pid;
	k->child = true;
	k->pidfd = pidfd_open(pid, 0);
	if (k->pidfd < 0) {
		int saved = errno;

		kill(pid, SIGKILL); /* not reaped yet: the pid is still its own */
		waitpid(pid, NULL, 0);
		k->pid = 0;
		return -saved;
	}
	k->sock = TAKE_FD(ours);
	return 0;
}

/* ---- setting up ---- */

static void protect_self(const struct keeper *k)
{
	struct rlimit files = {k->hold.n_slots + 64, k->hold.n_slots + 64}, now;
	int fd;

	prctl(PR_SET_NAME, "memweir-keeper");
	/* Each of these may be refused without root: the keeper then works without it. */
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	if (!getrlimit(RLIMIT_NOFILE, &now) && now.rlim_cur < files.rlim_cur) {
		if (files.rlim_max < now.rlim_max)
			files.rlim_max = now.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files)) {
			now.rlim_cur = now.rlim_max;
			setrlimit(RLIMIT_NOFILE, &now);
		}
	}
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "-900", 4);
		close(fd);
	}
}

static int open_events(struct keeper *k)
{
	const char *watchdog = getenv("WATCHDOG_USEC");
	sigset_t set;

	if (watchdog)
		k->watchdog_ns = strtoull(watchdog, NULL, 10) * 1000;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &k->old_mask);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored by whoever started us, the exit status would be lost */
	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	k->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (k->signal_fd < 0 || k->timer_fd < 0)
		return -errno;
	k->tick_ns = mw_now_ns();
	k->next_ns = ~0ULL;
	mw_keeper_look_soon(k);
	return 0;
}

/* A table of n_slots: made, sealed, mapped. table_fd >= 0: an existing one. */
static int open_table(struct keeper *k, __u32 n_slots)
{
	unsigned long size = mw_keeper_table_size(n_slots);
	void *table;

	if (k->table_fd < 0) {
		k->table_fd = memfd_create("memweir-keeper", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (k->table_fd < 0 || ftruncate(k->table_fd, (off_t)size))
			return -errno;
		/* so that no sick daemon can shrink it under us */
		fcntl(k->table_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	}
	table = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, k->table_fd, 0);
	if (table == MAP_FAILED)
		return -errno;
	k->hold.table = table;
	k->hold.n_slots = n_slots;
	k->hold.table->n_slots = n_slots;
	k->hold.held = calloc(n_slots, sizeof(*k->hold.held));
	return k->hold.held ? 0 : -ENOMEM;
}

static void keeper_close(struct keeper *k)
{
	if (k->hold.held)
		mw_keeper_hold_clear(&k->hold);
	free(k->hold.held);
	if (k->hold.table)
		munmap(k->hold.table, mw_keeper_table_size(k->hold.n_slots));
	mw_close(&k->table_fd);
	mw_close(&k->program_fd);
	mw_close(&k->signal_fd);
	mw_close(&k->timer_fd);
	mw_close(&k->sock);
	mw_close(&k->pidfd);
}

#define NO_DESCRIPTORS .table_fd = -1, .program_fd = -1, .signal_fd = -1, .timer_fd = -1, .sock = -1, .pidfd = -1

int mw_keeper_run(const struct mw_keeper_options *opts)
{
	_cleanup_(keeper_close) struct keeper k = {NO_DESCRIPTORS, .opts = *opts};
	int r = open_table(&k, opts->n_slots ?: MW_KEEPER_MAX_SLOTS);

	if (!r) {
		protect_self(&k);
		k.program_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		r = open_events(&k);
	}
	if (r) {
		mw_keeper_say(&k, "the keeper cannot start: %s", strerror(-r));
		return 1;
	}
	return mw_keeper_loop(&k);
}

/* Take over descriptors, table and daemon. pidfd stays -1 when it died before we could. */
static int adopt(struct keeper *k, int pid)
{
	int fds[3], r = mw_keeper_parse_env(fds);
	off_t size;

	if (r)
		return r;
	unsetenv(MW_KEEPER_ENV);
	k->sock = fds[0];
	k->table_fd = fds[1];
	k->program_fd = fds[2];
	size = lseek(k->table_fd, 0, SEEK_END);
	if (size < (off_t)mw_keeper_table_size(1))
		return -EINVAL;
	r = open_table(k,
		       (__u32)((size - (off_t)sizeof(struct mw_keeper_table)) / (off_t)sizeof(struct mw_keeper_slot)));
	if (r)
		return r;
	protect_self(k);
	r = open_events(k);
	k->pidfd = pidfd_open(pid, 0);
	/* It is our parent: as long as that is so, the number is its own. */
	if (k->pidfd >= 0 && getppid() != pid)
		mw_close(&k->pidfd);
	k->pid = pid;
	k->beat = mw_keeper_load(&k->hold.table->heartbeat_ns);
	k->worked = true;
	return r;
}

int mw_keeper_adopt(int pid, char *const *daemon, mw_keeper_say_fn say_fn)
{
	_cleanup_(keeper_close) struct keeper k = {NO_DESCRIPTORS, .opts.say = say_fn};
	int r = adopt(&k, pid);

	k.opts.daemon_path = daemon[0];
	k.opts.argv = daemon + 1;
	if (k.hold.held && k.pidfd < 0)
		mw_keeper_bury(&k); /* dead already; what it passed on waits in the socket */
	if (r) {
		mw_keeper_say(&k, "daemon %d cannot be adopted: %s", pid, strerror(-r));
		return 1;
	}
	if (k.pid)
		mw_keeper_notify("MAINPID=%d\nSTATUS=Guarding, daemon %d adopted", getpid(), pid);
	else if (k.exited)
		return k.status;
	else
		mw_keeper_say(&k, "the daemon died before it was adopted: another one starts");
	return mw_keeper_loop(&k);
}
