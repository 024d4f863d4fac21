/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The breaker's thread and its queues. Requests and reports travel through
 * rings with one writer and one reader each; the lock is for workers coming and going.
 *
 * The thread runs at nice -10, not under SCHED_FIFO: it is awake soon enough
 * for a sleep of 2 s, shares the processor if something makes it run in circles, and does not keep
 * the kernel's cgroup lock from those it would have preempted.
 */
#include "daemon/breaker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "core/cgroup.h"
#include "daemon/breaker_seat.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MW_BREAKER_RING 1024 /* a power of two */
#define STACK_SIZE	(128UL * 1024)
#define PASS_NS		(5 * MW_NS_PER_MS) /* the lock is given up after this long */
#define NICE		(-10)

static void wake(int fd)
{
	const __u64 one = 1;

	(void)!write(fd, &one, sizeof(one));
}

static void lost(struct mw_breaker *b)
{
	__atomic_fetch_add(&b->lost, 1, __ATOMIC_RELAXED);
}

/* ---- rings ---- */

bool mw_breaker_request(struct mw_breaker *b, const struct mw_breaker_request *r)
{
	__u32 tail = b->req_tail;

	if (tail - __atomic_load_n(&b->req_head, __ATOMIC_ACQUIRE) == MW_BREAKER_RING) {
		lost(b);
		return false;
	}
	b->requests[tail % MW_BREAKER_RING] = *r;
	__atomic_store_n(&b->req_tail, tail + 1, __ATOMIC_RELEASE);
	wake(b->wake_fd);
	return true;
}

static bool next_request(struct mw_breaker *b, struct mw_breaker_request *ret)
{
	__u32 head = b->req_head;

	if (head == __atomic_load_n(&b->req_tail, __ATOMIC_ACQUIRE))
		return false;
	*ret = b->requests[head % MW_BREAKER_RING];
	__atomic_store_n(&b->req_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

/* With the lock: the thread's, and the loop's when it takes a worker away. */
void mw_breaker_tell(struct mw_breaker *b, const struct mw_breaker_report *r)
{
	__u32 tail = b->rep_tail;

	if (tail - __atomic_load_n(&b->rep_head, __ATOMIC_ACQUIRE) == MW_BREAKER_RING) {
		lost(b);
		return;
	}
	b->reports[tail % MW_BREAKER_RING] = *r;
	__atomic_store_n(&b->rep_tail, tail + 1, __ATOMIC_RELEASE);
	wake(b->report_fd);
}

bool mw_breaker_next(struct mw_breaker *b, struct mw_breaker_report *ret_report)
{
	__u32 head = b->rep_head;
	__u64 count;

	/* Emptied before the look: what comes after it makes it readable again. */
	(void)!read(b->report_fd, &count, sizeof(count));
	if (head == __atomic_load_n(&b->rep_tail, __ATOMIC_ACQUIRE))
		return false;
	*ret_report = b->reports[head % MW_BREAKER_RING];
	__atomic_store_n(&b->rep_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

/* ---- the thread's work, with the lock ---- */

static void follow(struct mw_breaker *b, struct mw_seat *s, pid_t tid, __u64 time_ns, __u64 now_ns)
{
	if (s->held) /* the thaw at its end wakes who sleeps */
		return;
	if (!s->active)
		b->active[b->n_active++] = s->slot;
	mw_seat_begin(s, tid, time_ns, now_ns);
}

/* Lift, without anything to follow. */
static void serve_near(struct mw_breaker *b, struct mw_seat *s, const struct mw_breaker_request *q)
{
	struct mw_breaker_report r;
	bool known = s->active;

	if (!known)
		mw_seat_begin(s, 0, q->time_ns, q->time_ns);
	if (mw_seat_lift(s, &b->env) == -ENODEV) {
		s->active = known;
		mw_breaker_release(b, s);
	} else if (!known && mw_seat_end(s, b->env.dry_run, mw_now_ns(), &r)) {
		mw_breaker_tell(b, &r);
	}
}

static void serve(struct mw_breaker *b, const struct mw_breaker_request *q)
{
	struct mw_seat *s = &b->seats[q->slot];

	if (!q->cgroup_id || s->cgroup_id != q->cgroup_id)
		return; /* another worker's slot by now */
	if (q->until_ns) {
		mw_breaker_freeze_begin(b, s, q);
		return;
	}
	if (!q->tid) {
		serve_near(b, s, q);
		return;
	}
	follow(b, s, q->tid, q->time_ns, mw_now_ns());
	if (mw_seat_lift(s, &b->env) == -ENODEV)
		mw_breaker_release(b, s);
}

static void on_above(struct mw_breaker *b, __u32 index)
{
	struct mw_above *a = &b->above[index];
	__u64 now = mw_now_ns();
	char buf[512];

	if (!a->refs || a->events < 0)
		return;
	(void)!pread(a->events, buf, sizeof(buf), 0);
	if (!mw_above_over(a))
		return;
	for (__u32 slot = 0; slot < b->max_workers; slot++) {
		struct mw_seat *s = &b->seats[slot];

		for (unsigned i = 0; s->cgroup_id && i < s->n_above; i++)
			if (s->above[i] == index)
				follow(b, s, 0, now, now);
	}
}

static void on_seat(struct mw_breaker *b, __u32 slot)
{
	struct mw_seat *s = &b->seats[slot];
	__u64 now = mw_now_ns();
	char buf[512];

	if (!s->cgroup_id || s->events < 0)
		return;
	if (pread(s->events, buf, sizeof(buf), 0) < 0 && errno == ENODEV)
		mw_breaker_release(b, s);
	else
		follow(b, s, 0, now, now);
}

/* A step of everyone who is due, within PASS_NS. */
static void step_all(struct mw_breaker *b)
{
	__u64 begin = mw_now_ns(), now = begin;

	for (__u32 n = b->n_active; n && b->n_active && now - begin < PASS_NS; n--, now = mw_now_ns()) {
		struct mw_seat *s = &b->seats[b->active[++b->turn % b->n_active]];
		int r;

		if (now < s->next_ns)
			continue;
		r = mw_seat_step(s, &b->env, now);
		if (r < 0)
			mw_breaker_release(b, s);
		else if (!r)
			mw_breaker_end(b, s);
	}
}

/* Milliseconds until somebody is due; as long as the last pass took, so that half of a processor is the most we use. */
static int timeout_ms(const struct mw_breaker *b, __u64 pass_ns)
{
	__u64 now = mw_now_ns(), held = mw_breaker_freeze_next(b);
	__u64 wait = held > now ? held - now : 0;

	for (__u32 i = 0; i < b->n_active; i++) {
		__u64 next = b->seats[b->active[i]].next_ns;
		__u64 left = next > now ? next - now : 0;

		wait = left < wait ? left : wait;
	}
	if (!b->n_active && !b->n_held)
		return -1;
	wait = wait > pass_ns ? wait : pass_ns;
	return (int)((wait + MW_NS_PER_MS - 1) / MW_NS_PER_MS);
}

static int pass(struct mw_breaker *b, const struct epoll_event *events, int n)
{
	__u64 begin = mw_now_ns();
	struct mw_breaker_request q;
	int ms;

	pthread_mutex_lock(&b->lock);
	while (next_request(b, &q))
		serve(b, &q);
	for (int i = 0; i < n; i++) {
		__u32 index = (__u32)events[i].data.u64;

		if (events[i].data.u64 >> 32 == MW_BREAKER_ON_SEAT)
			on_seat(b, index);
		else if (events[i].data.u64 >> 32 == MW_BREAKER_ON_ABOVE)
			on_above(b, index);
	}
	mw_breaker_freeze_step_all(b);
	step_all(b);
	ms = timeout_ms(b, mw_now_ns() - begin);
	pthread_mutex_unlock(&b->lock);
	return ms;
}

static void *run(void *arg)
{
	struct mw_breaker *b = arg;
	struct epoll_event events[32];
	int ms = -1;

	prctl(PR_SET_NAME, "mw-breaker");
	setpriority(PRIO_PROCESS, 0, NICE); /* of this thread; refused without CAP_SYS_NICE: then as we are */
	while (!__atomic_load_n(&b->stop, __ATOMIC_ACQUIRE)) {
		int n = epoll_wait(b->epoll_fd, events, ARRAY_SIZE(events), ms);
		__u64 count;

		(void)!read(b->wake_fd, &count, sizeof(count));
		ms = pass(b, events, n > 0 ? n : 0);
	}
	return NULL;
}

/* ---- the loop's side ---- */

static int start_thread(struct mw_breaker *b)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&b->thread, &attr, run, b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

static void discard(struct mw_breaker **bp)
{
	struct mw_breaker *b = *bp;

	if (!b)
		return;
	mw_close(&b->epoll_fd);
	mw_close(&b->wake_fd);
	mw_close(&b->report_fd);
	mw_close(&b->touch_fd);
	free(b->proc_root);
	free(b->active);
	free(b->held);
	free(b->seats);
	free(b);
}

int mw_breaker_new(const struct mw_breaker_options *opts, struct mw_breaker **ret_breaker, struct mw_error *err)
{
	_cleanup_(discard) struct mw_breaker *b = calloc(1, sizeof(*b));
	struct epoll_event wakes = {EPOLLIN, {.u64 = (__u64)MW_BREAKER_ON_WAKE << 32}};
	int r;

	if (!b)
		return mw_fail(err, -ENOMEM, "breaker: no memory");
	b->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	b->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->report_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->touch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	b->proc_root = strdup(opts->proc_root);
	b->active = calloc(opts->max_workers, sizeof(*b->active));
	b->held = calloc(opts->max_workers, sizeof(*b->held));
	b->seats = calloc(opts->max_workers, sizeof(*b->seats)); /* pages are touched as workers come */
	if (!b->proc_root || !b->active || !b->held || !b->seats)
		return mw_fail(err, -ENOMEM, "breaker: no memory for %u workers", opts->max_workers);
	if (b->epoll_fd < 0 || b->wake_fd < 0 || b->report_fd < 0 ||
	    epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, b->wake_fd, &wakes))
		return mw_fail(err, -errno, "breaker: no descriptors: %s", strerror(errno));
	b->max_workers = opts->max_workers;
	b->poll_events = opts->poll_events;
	b->env = (struct mw_seat_env){b->proc_root, opts->table, b->above, opts->dry_run};
	pthread_mutex_init(&b->lock, NULL);
	r = start_thread(b);
	if (r)
		return mw_fail(err, r, "breaker: no thread: %s", strerror(-r));
	*ret_breaker = TAKE_PTR(b);
	return 0;
}

void mw_breaker_free(struct mw_breaker *b)
{
	if (!b)
		return;
	__atomic_store_n(&b->stop, true, __ATOMIC_RELEASE);
	wake(b->wake_fd);
	pthread_join(b->thread, NULL); /* a pulse ends with its 0 before the thread looks at stop */
	for (__u32 i = 0; i < b->max_workers; i++)
		if (b->seats[i].cgroup_id)
			mw_breaker_release(b, &b->seats[i]);
	pthread_mutex_destroy(&b->lock);
	discard(&b);
}

static void ask(struct mw_breaker *b, __u32 slot, pid_t tid, __u64 time_ns)
{
	struct mw_breaker_request q = {.slot = slot, .tid = tid, .time_ns = time_ns};

	if (slot >= b->max_workers)
		return;
	q.cgroup_id = __atomic_load_n(&b->seats[slot].cgroup_id, __ATOMIC_ACQUIRE);
	if (q.cgroup_id)
		mw_breaker_request(b, &q);
}

void mw_breaker_throttle(struct mw_breaker *b, __u32 slot, pid_t tid, __u64 time_ns)
{
	ask(b, slot, tid, time_ns);
}

void mw_breaker_near(struct mw_breaker *b, __u32 slot, __u64 time_ns)
{
	ask(b, slot, 0, time_ns);
}

int mw_breaker_fd(const struct mw_breaker *b)
{
	return b->report_fd;
}

__u64 mw_breaker_lost(const struct mw_breaker *b)
{
	return __atomic_load_n(&b->lost, __ATOMIC_RELAXED);
}
