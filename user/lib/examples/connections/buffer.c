// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A message takes a buffer when its first byte is there and gives it back when it was answered; its answer takes
 * another until the other side has it. Reading leaves an eighth of the buffers alone: else all of them could hold
 * messages, and none would be left to answer one.
 */
#include "server.h"

#include <memweir/pool.h>

#include <stdlib.h>

static void unlink_conn(struct conn_head *head, struct conn *c)
{
	*(c->prev ? &c->prev->next : &head->first) = c->next;
	*(c->next ? &c->next->prev : &head->last) = c->prev;
	c->prev = c->next = NULL;
}

void list_move(struct server *s, struct conn *c, enum conn_list to)
{
	struct conn_head *head = &s->lists[to];

	if (c->list != LIST_NONE)
		unlink_conn(&s->lists[c->list], c);
	s->waiting -= c->list == LIST_WAIT_READ || c->list == LIST_WAIT_ANSWER;
	s->waiting += to == LIST_WAIT_READ || to == LIST_WAIT_ANSWER;
	c->list = to;
	if (to == LIST_NONE)
		return;
	c->prev = head->last;
	*(head->last ? &head->last->next : &head->first) = c;
	head->last = c;
	c->until_ms = s->now_ms + s->options.timeout_ms;
}

static int checkout(struct server *s, char **ret_buffer)
{
	void *buffer;

	if (memweir_pool_checkout(s->pool, 0, &buffer) < 0)
		return 0;
	*ret_buffer = buffer;
	return 1;
}

static int queue(struct server *s, struct conn *c, enum conn_list list)
{
	if (c->list != list) { /* who waits already keeps its place */
		s->waits++;
		list_move(s, c, list);
	}
	return 0;
}

int buffer_for_reading(struct server *s, struct conn *c)
{
	struct conn *first = s->lists[LIST_WAIT_READ].first;

	if (c->in)
		return 1;
	if (s->options.each) {
		c->in = malloc(s->buffer_bytes);
		return c->in != NULL;
	}
	/* Whoever comes now stands behind those who wait. */
	if ((first && first != c) || s->reading >= s->may_read || !checkout(s, &c->in))
		return queue(s, c, LIST_WAIT_READ);
	s->reading++;
	return 1;
}

int buffer_for_answer(struct server *s, struct conn *c)
{
	struct conn *first = s->lists[LIST_WAIT_ANSWER].first;

	if (c->out)
		return 1;
	if ((first && first != c) || !checkout(s, &c->out))
		return queue(s, c, LIST_WAIT_ANSWER);
	return 1;
}

void buffer_read_done(struct server *s, struct conn *c)
{
	c->in_bytes = c->in_used = 0;
	if (!c->in || (s->options.each && c->fd >= 0))
		return;
	if (s->options.each) {
		free(c->in);
	} else {
		memweir_pool_checkin(s->pool, c->in);
		s->reading--;
	}
	c->in = NULL;
}

void buffer_answer_done(struct server *s, struct conn *c)
{
	c->out_bytes = c->out_sent = 0;
	if (c->out)
		memweir_pool_checkin(s->pool, c->out);
	c->out = NULL;
}
