// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Which thread has what of which pool. A thread is a member of each pool it has lent from; when it
 * ends, what it still has goes back. Nothing here goes by thread ids, which are used again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pool_cache.h"

#define RECENT 8 /* pools whose member is found without a lock */

struct mw_pool_thread {
	struct mw_pool_member *members;
	int rounds; /* of destructors that have seen it */
};

static pthread_mutex_t registry; /* over all lists of members of threads */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int init_error;
static _Atomic uint64_t generation = 1, ids;
static _Thread_local struct {
	uint64_t pool_id;
	struct mw_pool_member *member;
} recent[RECENT];

uint64_t mw_pool_generation(void)
{
	return atomic_load_explicit(&generation, memory_order_relaxed);
}

uint64_t mw_pool_next_id(void)
{
	return atomic_fetch_add(&ids, 1) + 1;
}

/* With registry held: what the thread had goes back, it is no member any more. */
static void leave(struct mw_pool_member *member)
{
	struct memweir_pool *pool = member->pool;
	uint32_t slot;

	pthread_mutex_lock(&pool->lock);
	slot = mw_pool_cache_drain(pool, member);
	if (slot != MW_SLOT_NONE)
		mw_pool_put(pool, slot);
	while ((slot = mw_slots_pop(pool->slots, &member->owned)) != MW_SLOT_NONE) {
		pool->reclaimed++;
		mw_pool_put(pool, slot);
	}
	for (struct mw_pool_member **p = &pool->members; *p; p = &(*p)->next_of_pool)
		if (*p == member) {
			*p = member->next_of_pool;
			break;
		}
	pool->loans += member->loans;
	pthread_mutex_unlock(&pool->lock);
	free(member);
}

/* Destructors of other keys, in the first round, may still give buffers back themselves. */
static void thread_ends(void *arg)
{
	struct mw_pool_thread *self = arg;
	struct mw_pool_member *next;

	if (!self->rounds++) {
		pthread_setspecific(key, self);
		return;
	}
	pthread_mutex_lock(&registry);
	for (struct mw_pool_member *m = self->members; m; m = next) {
		next = m->next_of_thread;
		leave(m);
	}
	pthread_mutex_unlock(&registry);
	for (size_t i = 0; i < RECENT; i++)
		recent[i].pool_id = 0;
	free(self);
}

static void before_fork(void)
{
	pthread_mutex_lock(&registry);
}

static void in_parent(void)
{
	pthread_mutex_unlock(&registry);
}

/* The pools stay the parent's; locks in them may be held by threads that are not here. */
static void in_child(void)
{
	struct mw_pool_thread *self = pthread_getspecific(key);

	atomic_fetch_add(&generation, 1);
	if (self)
		self->members = NULL;
	pthread_mutex_unlock(&registry);
}

static void init(void)
{
	int r = pthread_mutex_init(&registry, NULL);

	if (!r)
		r = pthread_key_create(&key, thread_ends);
	if (!r)
		r = pthread_atfork(before_fork, in_parent, in_child);
	init_error = -r;
}

int mw_pool_threads_init(void)
{
	pthread_once(&once, init);
	return init_error;
}

static struct mw_pool_thread *this_thread(void)
{
	struct mw_pool_thread *self = pthread_getspecific(key);

	if (self)
		return self;
	self = calloc(1, sizeof(*self));
	if (self && pthread_setspecific(key, self)) {
		free(self);
		return NULL;
	}
	return self;
}

static struct mw_pool_member *member_new(struct memweir_pool *pool, struct mw_pool_thread *self)
{
	struct mw_pool_member *m = aligned_alloc(MW_CACHE_LINE, sizeof(*m));

	if (!m)
		return NULL;
	memset(m, 0, sizeof(*m));
	m->pool = pool;
	m->thread = self;
	m->owned = MW_SLOT_LIST_EMPTY;
	m->next_of_thread = self->members;
	self->members = m;
	pthread_mutex_lock(&pool->lock);
	m->next_of_pool = pool->members;
	pool->members = m;
	pthread_mutex_unlock(&pool->lock);
	return m;
}

static struct mw_pool_member *find_or_new(struct memweir_pool *pool)
{
	struct mw_pool_thread *self = this_thread();
	struct mw_pool_member *m;

	if (!self)
		return NULL;
	pthread_mutex_lock(&registry);
	for (m = self->members; m && m->pool != pool; m = m->next_of_thread)
		;
	if (!m)
		m = member_new(pool, self);
	pthread_mutex_unlock(&registry);
	return m;
}

int mw_pool_member_get(struct memweir_pool *pool, struct mw_pool_member **ret_member)
{
	size_t i = pool->id % RECENT;
	struct mw_pool_member *m;

	if (pool->generation != mw_pool_generation())
		return -ECHILD;
	if (recent[i].pool_id != pool->id) {
		m = find_or_new(pool);
		if (!m)
			return -ENOMEM;
		recent[i].pool_id = pool->id;
		recent[i].member = m;
	}
	*ret_member = recent[i].member;
	return 0;
}

struct mw_pool_member *mw_pool_member_known(const struct memweir_pool *pool)
{
	size_t i = pool->id % RECENT;

	return recent[i].pool_id == pool->id ? recent[i].member : NULL;
}

void mw_pool_members_free(struct memweir_pool *pool)
{
	bool ours = pool->generation == mw_pool_generation(); /* in a child the threads are not there */
	struct mw_pool_member *next;

	pthread_mutex_lock(&registry);
	for (struct mw_pool_member *m = pool->members; m; m = next) {
		struct mw_pool_member **p = ours ? &m->thread->members : NULL;

		next = m->next_of_pool;
		while (p && *p != m)
			p = &(*p)->next_of_thread;
		if (p)
			*p = m->next_of_thread;
		free(m);
	}
	pthread_mutex_unlock(&registry);
}
