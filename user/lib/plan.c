// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <memweir/plan.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/sized.h"

/* A plan that takes 95.2 % is a good one; the kernel charges a page and a batch of 64 pages a processor early, and
 * what is planned is known to a per cent or two. */
#define WARN_SHARE 0.97

static uint64_t in_flight(const struct memweir_plan_options *o, uint64_t connections)
{
	double active = (double)connections * o->active_share;
	uint64_t n = o->active_share < 1 && active < (double)connections ? (uint64_t)active : connections;

	if (!o->buffer_bytes)
		return 0;
	if (o->active_share < 1 && (double)n < active)
		n++;
	return o->pool_buffers && n > o->pool_buffers ? o->pool_buffers : n;
}

/* False: more than there is room for. */
static bool sum(const struct memweir_plan_options *o, uint64_t connections, struct memweir_plan_result *p)
{
	p->connections = connections;
	p->buffers = in_flight(o, connections);
	return !__builtin_mul_overflow(connections, o->each_bytes, &p->idle_bytes) &&
	       !__builtin_mul_overflow(connections, o->socket_bytes, &p->sockets_bytes) &&
	       !__builtin_mul_overflow(p->buffers, o->buffer_bytes, &p->buffers_bytes) &&
	       !__builtin_add_overflow(o->fixed_bytes, p->idle_bytes, &p->total_bytes) &&
	       !__builtin_add_overflow(p->total_bytes, p->sockets_bytes, &p->total_bytes) &&
	       !__builtin_add_overflow(p->total_bytes, p->buffers_bytes, &p->total_bytes);
}

static bool fits(const struct memweir_plan_options *o, uint64_t connections)
{
	struct memweir_plan_result p = {0};

	return sum(o, connections, &p) && p.total_bytes <= o->budget_bytes;
}

static uint64_t most(const struct memweir_plan_options *o)
{
	uint64_t low = 0, high = UINT64_MAX;

	if (fits(o, high))
		return high;
	while (low + 1 < high) {
		uint64_t middle = low + (high - low) / 2;

		*(fits(o, middle) ? &low : &high) = middle;
	}
	return low;
}

static int options_in(const struct memweir_plan_options *from, struct memweir_plan_options *o)
{
	int r = mw_sized_in(o, sizeof(*o), from);

	if (r < 0)
		return r;
	/* Written so that what is no number is refused. */
	if (!o->budget_bytes || !(o->active_share >= 0 && o->active_share <= 1) ||
	    !(o->warn_share >= 0 && o->warn_share <= 1))
		return -EINVAL;
	o->active_share = o->active_share > 0 ? o->active_share : 1;
	o->warn_share = o->warn_share > 0 ? o->warn_share : WARN_SHARE;
	return 0;
}

int memweir_plan(const struct memweir_plan_options *options, struct memweir_plan_result *ret_result)
{
	struct memweir_plan_result p = {.size = sizeof(p)};
	struct memweir_plan_options o;
	int r;

	r = options_in(options, &o);
	if (r < 0)
		return r;
	if (!sum(&o, o.connections, &p))
		return -EOVERFLOW;
	p.budget_bytes = o.budget_bytes;
	p.connections_fit = most(&o);
	if (p.total_bytes > o.budget_bytes)
		p.verdict = MEMWEIR_PLAN_TOO_MUCH;
	else if ((double)p.total_bytes >= o.warn_share * (double)o.budget_bytes)
		p.verdict = MEMWEIR_PLAN_WARNING;
	return mw_sized_out(ret_result, &p, sizeof(p));
}

/* Per mille, rounded down where it fits and up where it does not. */
static uint64_t per_mille(const struct memweir_plan_result *p)
{
	unsigned __int128 thousand = (unsigned __int128)p->total_bytes * 1000;

	if (p->verdict == MEMWEIR_PLAN_TOO_MUCH)
		thousand += p->budget_bytes - 1;
	return (uint64_t)(thousand / p->budget_bytes);
}

static const struct unit {
	const char *name;
	uint64_t bytes;
} units[] = {{"TB", 1000000000000ULL}, {"GB", 1000000000ULL}, {"MB", 1000000ULL}, {"KB", 1000ULL}, {"B", 1}};

/*
 * "3 GB", "1.5 GB", "512 MB": the largest unit there is one of, no decimal where there need be none. What misses the
 * next tenth by less than a thousandth of the unit has been rounded to pages by the kernel.
 */
static void say_budget(uint64_t bytes, char *buf, size_t size)
{
	const struct unit *u = units;
	uint64_t tenths;

	while (u->bytes > 1 && bytes <= u->bytes - u->bytes / 1000)
		u++;
	tenths = u->bytes > 1 ? bytes / (u->bytes / 10) : bytes * 10;
	if (u->bytes > 1 && bytes % (u->bytes / 10) > u->bytes / 10 - u->bytes / 1000)
		tenths++;
	if (tenths % 10)
		snprintf(buf, size, "%llu.%llu %s", (unsigned long long)(tenths / 10),
			 (unsigned long long)(tenths % 10), u->name);
	else
		snprintf(buf, size, "%llu %s", (unsigned long long)(tenths / 10), u->name);
}

/* "2856 MB": whole, in a unit of which there are at least ten, and of a total of GBs in MB. */
static void say_total(uint64_t bytes, char *buf, size_t size)
{
	const struct unit *u = units + 2;
	uint64_t whole;

	while (u->bytes > 1 && bytes < 10 * u->bytes)
		u++;
	whole = bytes / u->bytes + (bytes % u->bytes >= u->bytes - u->bytes / 2 && u->bytes > 1);
	snprintf(buf, size, "%llu %s", (unsigned long long)whole, u->name);
}

int memweir_plan_text(const struct memweir_plan_result *result, char *buf, size_t size)
{
	static const char *const words[] = {"OK", "warning", "exceeded"};
	char total[32], budget[32], rest[64] = "", text[MEMWEIR_PLAN_TEXT];
	struct memweir_plan_result p;
	uint64_t share;
	int n, r;

	r = mw_sized_in(&p, sizeof(p), result);
	if (r < 0)
		return r;
	if (!p.budget_bytes || (unsigned int)p.verdict > MEMWEIR_PLAN_TOO_MUCH)
		return -EINVAL;
	say_total(p.total_bytes, total, sizeof(total));
	say_budget(p.budget_bytes, budget, sizeof(budget));
	if (p.verdict == MEMWEIR_PLAN_TOO_MUCH)
		snprintf(rest, sizeof(rest), ", %llu connection%s", (unsigned long long)p.connections_fit,
			 p.connections_fit == 1 ? " fits" : "s fit");
	share = per_mille(&p);
	n = snprintf(text, sizeof(text), "Memory %s: %s of %s (%llu.%llu %%)%s", words[p.verdict], total, budget,
		     (unsigned long long)(share / 10), (unsigned long long)(share % 10), rest);
	if ((size_t)n >= size)
		return -ENOBUFS;
	memcpy(buf, text, (size_t)n + 1);
	return n;
}

static uint64_t share_of(uint64_t bytes, uint64_t connections)
{
	return bytes / connections + (bytes % connections != 0);
}

int memweir_plan_live(const struct memweir_plan_seen *seen, struct memweir_plan_options *options)
{
	struct memweir_plan_options o = {0};
	struct memweir_plan_seen s = {0};
	uint64_t memory;
	int r;

	if (!seen || !options)
		return -EINVAL;
	r = mw_sized_in(&s, sizeof(s), seen);
	if (r == 0)
		r = mw_sized_in(&o, sizeof(o), options);
	if (r < 0)
		return r;
	if (!s.connections)
		return -ENODATA;
	memory = s.memory_bytes > o.fixed_bytes ? s.memory_bytes - o.fixed_bytes : 0;
	o.each_bytes = share_of(memory, s.connections);
	o.socket_bytes = share_of(s.socket_bytes, s.connections);
	return mw_sized_out(options, &o, sizeof(o));
}
