/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "symbols/remember_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/proc.h"
#include "symbols/cache.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define NAMES_BYTES (256UL << 10) /* of names that were found */
#define FILES_MAX   1024 /* parts of files whose build id is known; then it begins anew */
#define LONGEST_NS  (60 * MW_NS_PER_S)
#define ASK_MS	    4000

/* A part of a file that is mapped to be executed, and what memweir-symbols found in the file's head. */
struct part {
	UT_hash_handle hh;
	struct mw_part_key key;
	__u64 address;
	bool has_address;
	char build_id[MW_BUILD_ID];
};

struct process {
	UT_hash_handle hh;
	__u64 who; /* who_of */
	struct mw_modules modules;
	size_t bytes;
	__u64 first_ns, taken_ns;
};

struct mw_remembered {
	pthread_mutex_t lock; /* the two tables; never held while something is read */
	struct process *processes; /* who was not seen for longest first */
	struct part *parts;
	size_t bytes;
	pthread_mutex_t names_lock;
	struct mw_symbol_cache *names;
	char *program;
};

static void free_process(struct process *p)
{
	mw_modules_free(&p->modules);
	free(p);
}

static void drop(struct mw_remembered *r, struct process *p)
{
	HASH_DEL(r->processes, p);
	r->bytes -= p->bytes;
	free_process(p);
}

static void forget_parts(struct mw_remembered *r)
{
	struct part *p, *next;

	HASH_ITER (hh, r->parts, p, next) {
		HASH_DEL(r->parts, p);
		free(p);
	}
}

struct mw_remembered *mw_remembered_new(const char *program)
{
	struct mw_remembered *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	pthread_mutex_init(&r->names_lock, NULL);
	r->names = mw_symbol_cache_new(NAMES_BYTES);
	r->program = program ? strdup(program) : NULL;
	if (r->names && (r->program || !program))
		return r;
	mw_remembered_free(r);
	return NULL;
}

void mw_remembered_free(struct mw_remembered *r)
{
	if (!r)
		return;
	while (r->processes)
		drop(r, r->processes);
	forget_parts(r);
	mw_symbol_cache_free(r->names);
	pthread_mutex_destroy(&r->lock);
	pthread_mutex_destroy(&r->names_lock);
	free(r->program);
	free(r);
}

size_t mw_remembered_bytes(struct mw_remembered *r)
{
	size_t bytes;

	pthread_mutex_lock(&r->lock);
	bytes = r->bytes;
	pthread_mutex_unlock(&r->lock);
	return bytes;
}

/* ---- the tables, with the lock ---- */

/* Pids are given again, and both are remembered. Of the start the low half, which is all that is known of some. */
static __u64 who_of(pid_t pid, __u64 start_ticks)
{
	return (__u64)(__u32)pid << 32 | (__u32)start_ticks;
}

/* Of those who had that pid the one that was seen last. */
static struct process *last_of(const struct mw_remembered *r, pid_t pid)
{
	struct process *p, *next, *last = NULL;

	HASH_ITER (hh, r->processes, p, next)
		last = p->who >> 32 == (__u32)pid ? p : last;
	return last;
}

/* And it is the last that goes, now. start_ticks 0: not known. NULL also without memory. */
static struct process *find(struct mw_remembered *r, pid_t pid, __u64 start_ticks)
{
	const __u64 who = who_of(pid, start_ticks);
	struct process *p;

	HASH_FIND(hh, r->processes, &who, sizeof(who), p);
	if (!p && !start_ticks)
		p = last_of(r, pid);
	if (!p)
		return NULL;
	HASH_DEL(r->processes, p);
	HASH_ADD(hh, r->processes, who, sizeof(p->who), p);
	if (p->hh.tbl)
		return p;
	r->bytes -= p->bytes;
	free_process(p);
	return NULL;
}

static size_t bytes_of(const struct mw_modules *m)
{
	size_t bytes = sizeof(struct process) + m->n * sizeof(*m->at);

	for (size_t i = 0; i < m->n; i++)
		bytes += strlen(m->at[i].path) + 1;
	return bytes;
}

/* In place of what was known of it. Takes the modules. */
static int put(struct mw_remembered *r, struct mw_modules *m, __u64 now_ns)
{
	struct process *old = find(r, m->pid, m->start_ticks), *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->who = who_of(m->pid, m->start_ticks);
	p->first_ns = old ? old->first_ns : now_ns;
	p->taken_ns = now_ns;
	p->bytes = bytes_of(m);
	if (old)
		drop(r, old);
	HASH_ADD(hh, r->processes, who, sizeof(p->who), p);
	if (!p->hh.tbl) {
		free(p);
		return -ENOMEM;
	}
	p->modules = *m;
	*m = (struct mw_modules){0};
	r->bytes += p->bytes;
	while (r->bytes > MW_REMEMBERED_BYTES && r->processes && r->processes != p)
		drop(r, r->processes);
	return 0;
}

static void learn(struct mw_remembered *r, const struct mw_part_key *key, const struct mw_module *m)
{
	struct part *p;

	HASH_FIND(hh, r->parts, key, sizeof(*key), p);
	if (p)
		return;
	if (HASH_COUNT(r->parts) >= FILES_MAX)
		forget_parts(r);
	p = calloc(1, sizeof(*p));
	if (!p)
		return;
	p->key = *key;
	p->address = m->address;
	p->has_address = m->has_address;
	strcpy(p->build_id, m->build_id);
	HASH_ADD(hh, r->parts, key, sizeof(p->key), p);
	if (!p->hh.tbl)
		free(p);
}

static int copy_modules(struct mw_remembered *r, pid_t pid, __u64 start_ticks, struct mw_modules *ret)
{
	const struct process *p;
	int done = 0;

	pthread_mutex_lock(&r->lock);
	p = find(r, pid, start_ticks);
	*ret = (struct mw_modules){0};
	if (p) {
		*ret = p->modules;
		ret->at = NULL;
		ret->n = 0;
	}
	for (size_t i = 0; p && !done && i < p->modules.n; i++)
		done = mw_modules_add(ret, &p->modules.at[i], p->modules.at[i].path, strlen(p->modules.at[i].path));
	pthread_mutex_unlock(&r->lock);
	if (!p || done) {
		mw_modules_free(ret);
		return p ? done : -ESRCH;
	}
	return 0;
}

/* ---- a process ---- */

/* Build ids of files that others had mapped too. false: there are new ones. */
static bool fill_in(struct mw_remembered *r, int proc_fd, struct mw_modules *m)
{
	bool all = true;

	for (size_t i = 0; i < m->n; i++) {
		struct mw_part_key key;
		const struct part *p = NULL;

		if (mw_part_key(proc_fd, &m->at[i], &key)) {
			pthread_mutex_lock(&r->lock);
			HASH_FIND(hh, r->parts, &key, sizeof(key), p);
			if (p) {
				strcpy(m->at[i].build_id, p->build_id);
				m->at[i].address = p->address;
				m->at[i].has_address = p->has_address;
			}
			pthread_mutex_unlock(&r->lock);
		}
		all &= p != NULL;
	}
	return all;
}

/* Have it all read by memweir-symbols: files are the process's, and not ours to read. */
static void ask_modules(struct mw_remembered *r, int proc_fd, struct mw_modules *m)
{
	struct mw_modules found = {0};
	struct mw_error err = {0};
	int done = mw_modules_ask(m->pid, m->start_ticks, r->program, ASK_MS, &found, &err);

	for (size_t i = 0; !done && i < found.n; i++) {
		struct mw_part_key key;

		if (!found.at[i].inode || !mw_part_key(proc_fd, &found.at[i], &key))
			continue;
		pthread_mutex_lock(&r->lock);
		learn(r, &key, &found.at[i]);
		pthread_mutex_unlock(&r->lock);
	}
	mw_modules_free(&found);
	if (!done)
		fill_in(r, proc_fd, m);
}

static bool is_due(struct mw_remembered *r, pid_t pid, __u64 start_ticks, __u64 now_ns)
{
	const struct process *p;
	__u64 every;
	bool due;

	pthread_mutex_lock(&r->lock);
	p = find(r, pid, start_ticks);
	every = p ? p->taken_ns - p->first_ns : 0;
	due = !p || now_ns - p->taken_ns >= (every < LONGEST_NS ? every : LONGEST_NS);
	pthread_mutex_unlock(&r->lock);
	return due;
}

static int read_process(struct mw_remembered *r, pid_t pid, __u64 now_ns)
{
	struct mw_modules m = {.pid = pid};
	_cleanup_close_ int proc_fd = -1;
	bool asked = false;
	char path[32];
	int done;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	done = proc_fd < 0 ? -ESRCH : mw_proc_start_ticks("/proc", pid, &m.start_ticks);
	done = done < 0 ? done : mw_modules_take(proc_fd, &m);
	asked = done >= 0 && !fill_in(r, proc_fd, &m);
	if (asked)
		ask_modules(r, proc_fd, &m); /* without build ids there are modules and offsets, and no names */
	if (done >= 0) {
		pthread_mutex_lock(&r->lock);
		done = put(r, &m, now_ns);
		pthread_mutex_unlock(&r->lock);
	}
	mw_modules_free(&m);
	if (done < 0)
		return done;
	return asked ? 2 : 1;
}

int mw_remember(struct mw_remembered *r, pid_t pid, __u64 now_ns)
{
	__u64 start_ticks;
	int done = mw_proc_start_ticks("/proc", pid, &start_ticks);

	if (done < 0)
		return done;
	return is_due(r, pid, start_ticks, now_ns) ? read_process(r, pid, now_ns) : 0;
}

/* ---- names ---- */

static int ask_cached(struct mw_remembered *r, const struct mw_modules *m, const struct mw_symbols_question *q,
		      struct mw_symbols *ret_symbols, struct mw_error *err)
{
	int done;

	pthread_mutex_lock(&r->names_lock);
	done = mw_symbols_ask_cached(r->names, m, q, ret_symbols, err);
	pthread_mutex_unlock(&r->names_lock);
	return done;
}

/* Of one that lives: what it has mapped now is read first, so that what is known of it holds. */
static int ask_living(struct mw_remembered *r, struct mw_symbols_question *q, struct mw_symbols *ret_symbols,
		      struct mw_error *err)
{
	struct mw_modules m = {0};
	int done = read_process(r, q->pid, mw_now_ns());

	if (done >= 0)
		done = copy_modules(r, q->pid, q->start_ticks, &m);
	if (done >= 0)
		done = ask_cached(r, &m, q, ret_symbols, err);
	else
		done = mw_symbols_ask(q, ret_symbols, err);
	mw_modules_free(&m);
	return done;
}

/* Of one that has ended, from what was remembered of it. q->modules is that, q->pid somebody beside it. */
static int ask_dead(struct mw_remembered *r, struct mw_symbols_question *q, struct mw_symbols *ret_symbols,
		    struct mw_error *err)
{
	int done = ask_cached(r, q->modules, q, ret_symbols, err);

	if (done != -ESRCH || !q->pid)
		return done;
	q->pid = 0; /* that one has ended too */
	return ask_cached(r, q->modules, q, ret_symbols, err);
}

int mw_remembered_ask(struct mw_remembered *r, const struct mw_symbols_question *q, pid_t root_pid, bool *ret_ended,
		      struct mw_symbols *ret_symbols, struct mw_error *err)
{
	struct mw_symbols_question own = *q;
	struct mw_modules m = {0};
	__u64 ticks = 0;
	int done = mw_proc_start_ticks("/proc", q->pid, &ticks);
	bool other = done >= 0 && q->start_ticks && !mw_proc_same_start(ticks, q->start_ticks);

	own.program = r->program;
	if (done >= 0 && !other) {
		own.start_ticks = ticks;
		done = ask_living(r, &own, ret_symbols, err);
	}
	if (done != -ESRCH && !other)
		return done;
	*ret_ended = true;
	done = copy_modules(r, q->pid, own.start_ticks, &m);
	if (done < 0)
		return mw_fail(err, done, "process %d has ended%s, and nobody looked at it before", q->pid,
			       other ? ", its pid is another one's now" : "");
	own.start_ticks = 0;
	own.modules = &m;
	own.pid = root_pid;
	done = ask_dead(r, &own, ret_symbols, err);
	mw_modules_free(&m);
	return done;
}
