// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Callbacks: who is told of what, and how one is taken away while it runs. */
#include "lib/guard_notes.h"

#include <errno.h>

#include "lib/guard_impl.h"

/* The guard whose callback this thread is in; one thread is in one of a guard at most. */
static _Thread_local const struct memweir_guard *inside;

bool mw_guard_in_callback(const struct memweir_guard *g)
{
	return inside == g;
}

/* Called, unless there is none or it runs already. With the lock held, which is let go of meanwhile. */
static int call(struct memweir_guard *g, enum memweir_event event, const struct memweir_notice *said)
{
	struct mw_guard_note *note = &g->notes[event];
	struct memweir_notice notice = *said;
	const struct memweir_guard *outer = inside;
	memweir_guard_fn fn = note->fn;
	void *arg = note->arg;

	if (!fn || note->running)
		return 0;
	notice.event = event;
	note->running = true;
	pthread_mutex_unlock(&g->notes_lock);
	inside = g;
	fn(g, &notice, arg);
	inside = outer;
	pthread_mutex_lock(&g->notes_lock);
	note->running = false;
	pthread_cond_broadcast(&g->notes_idle);
	return 1;
}

int mw_guard_tell(struct memweir_guard *g, enum memweir_event event, const char *what, double percent)
{
	const struct memweir_notice said = {.size = sizeof(said),
					    .reached = event,
					    .what = what ? what : "",
					    .percent = percent};
	int told = 0;

	pthread_mutex_lock(&g->notes_lock);
	for (int e = 0; e <= (int)event; e++)
		told += call(g, (enum memweir_event)e, &said);
	pthread_mutex_unlock(&g->notes_lock);
	return told;
}

int memweir_guard_on_level(struct memweir_guard *g, enum memweir_event event, memweir_guard_fn fn, void *arg)
{
	struct mw_guard_note *note;

	if ((unsigned int)event >= MEMWEIR_EVENT_MAX)
		return -EINVAL;
	note = &g->notes[event];
	pthread_mutex_lock(&g->notes_lock);
	note->fn = fn;
	note->arg = arg;
	while (note->running && !mw_guard_in_callback(g)) /* two callbacks could wait for each other */
		pthread_cond_wait(&g->notes_idle, &g->notes_lock);
	pthread_mutex_unlock(&g->notes_lock);
	return 0;
}

int memweir_guard_raise(struct memweir_guard *g, enum memweir_event event, const char *what)
{
	if ((unsigned int)event >= MEMWEIR_EVENT_MAX)
		return -EINVAL;
	return mw_guard_tell(g, event, what,
			     mw_guard_percent_of(atomic_load_explicit(&g->answer, memory_order_relaxed)));
}

void mw_lib_guard_exhausted(struct memweir_guard *guard, const char *what)
{
	if (guard)
		memweir_guard_raise(guard, MEMWEIR_EVENT_WARNING, what);
}
