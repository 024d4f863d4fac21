/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a recording holds, and writing one. */
#include "leak/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "leak/record_impl.h"
#include "util/cleanup.h"

#define FIELD(f)                                                                                                       \
	{                                                                                                              \
#f, offsetof(struct mw_usage, f)                                                                       \
	}
#define EVENT(n)                                                                                                       \
	{                                                                                                              \
		"events." #n, offsetof(struct mw_usage, events) + (n) * sizeof(__u64)                                  \
	}

const struct mw_record_field mw_record_fields[MW_RECORD_FIELDS] = {
	FIELD(current), FIELD(anon), FIELD(swapped), FIELD(file),
	FIELD(shmem),	FIELD(sock), FIELD(kernel),  FIELD(slab_reclaimable),
	FIELD(max),	FIELD(high), FIELD(low),     EVENT(0),
	EVENT(1),	EVENT(2),    EVENT(3),	     EVENT(4),
	EVENT(5),
};
_Static_assert(MW_MEMCG_EVENT_MAX == 6, "a row for every event");

__u64 *mw_record_field(struct mw_usage *u, size_t field)
{
	return (__u64 *)(void *)((char *)u + mw_record_fields[field].offset);
}

void mw_record_derive(struct mw_usage *u)
{
	__u64 bin = u->shmem + u->sock + u->kernel;

	u->heap = u->anon + u->swapped;
	u->bin = bin > u->slab_reclaimable ? bin - u->slab_reclaimable : 0;
}

static __u64 bits_of(double value)
{
	__u64 bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static double double_of(__u64 bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

void mw_record_profile_out(const struct mw_profile *p, __u64 v[MW_RECORD_PROFILE])
{
	const __u64 values[MW_RECORD_PROFILE] = {
		p->max_heap,	  p->max_bin_heap,
		p->bin_follows,	  bits_of(p->hibernate_threshold),
		p->swap_max,	  p->low,
		p->oom_group,	  p->thp,
		p->policy,	  p->pause_budget_ns,
		p->pace,	  p->notify_grace_ns,
		p->freeze_max_ns, p->selectable,
		p->share,	  p->budget,
	};

	memcpy(v, values, sizeof(values));
}

int mw_record_profile_in(const __u64 v[MW_RECORD_PROFILE], struct mw_profile *ret_profile, struct mw_error *err)
{
	double threshold = double_of(v[3]);

	if (!(threshold >= 0.1 && threshold <= 1))
		return mw_fail(err, -ERANGE, "a hibernate_threshold of %g, expected 0.1 to 1", threshold);
	if (v[0] < 1 || v[7] >= MW_THP_MAX || v[8] >= MW_POLICY_MAX)
		return mw_fail(err, -ERANGE, "max_heap %llu, thp %llu, policy %llu, expected 1.., 0 to %d, 0 to %d",
			       v[0], v[7], v[8], MW_THP_MAX - 1, MW_POLICY_MAX - 1);
	*ret_profile = (struct mw_profile){
		.max_heap = v[0],
		.max_bin_heap = v[1],
		.bin_follows = v[2] != 0,
		.hibernate_threshold = threshold,
		.swap_max = v[4],
		.low = v[5],
		.oom_group = v[6] != 0,
		.thp = (enum mw_thp)v[7],
		.policy = (enum mw_policy)v[8],
		.pause_budget_ns = v[9],
		.pace = v[10] != 0,
		.notify_grace_ns = v[11],
		.freeze_max_ns = v[12],
		.selectable = v[13] != 0,
		.share = v[14] != 0,
		.budget = v[15],
	};
	return 0;
}

void mw_record_monitor_out(const struct mw_monitor *m, __u64 v[MW_RECORD_MONITOR])
{
	const __u64 values[MW_RECORD_MONITOR] = {
		m->check_interval_ns, m->sample_interval_ns, bits_of(m->alert_threshold), m->max_history, m->method,
	};

	memcpy(v, values, sizeof(values));
}

int mw_record_monitor_in(const __u64 v[MW_RECORD_MONITOR], struct mw_monitor *ret_monitor, struct mw_error *err)
{
	_cleanup_(mw_config_free) struct mw_config defaults = {0};
	double alert = double_of(v[2]);
	struct mw_monitor m;

	if (!v[0] || !v[1])
		return mw_fail(err, -ERANGE, "intervals longer than 0");
	if (!(alert >= 0.1 && alert <= 1))
		return mw_fail(err, -ERANGE, "an alert_threshold of 0.1 to 1");
	if (v[3] < 3 || v[3] > 1000)
		return mw_fail(err, -ERANGE, "a max_history of 3 to 1000");
	if (v[4] >= MW_METHOD_MAX)
		return mw_fail(err, -ERANGE, "a method that this version knows");
	if (mw_config_defaults(&defaults) < 0)
		return mw_fail(err, -ENOMEM, "memory");
	m = defaults.monitor;
	m.check_interval_ns = v[0];
	m.sample_interval_ns = v[1];
	m.alert_threshold = alert;
	m.max_history = (__u32)v[3];
	m.method = (enum mw_method)v[4];
	*ret_monitor = m;
	return 0;
}

int mw_record_room(struct mw_usage **last, __u32 n_workers, __u32 *room)
{
	__u32 more = *room ? 2 * *room : 16;
	struct mw_usage *grown;

	if (n_workers >= *room) {
		grown = reallocarray(*last, more, sizeof(**last));
		if (!grown)
			return -ENOMEM;
		*last = grown;
		*room = more;
	}
	(*last)[n_workers] = (struct mw_usage){0};
	return 0;
}

/* One record is put together here: at the longest, a worker with its names. */
struct draft {
	unsigned char bytes[512];
	size_t size;
};
_Static_assert(10 * (MW_RECORD_FIELDS + 4) < 512 && 10 * (MW_RECORD_PROFILE + 4) + 2 * MW_NAME_SIZE < 512,
	       "the longest record fits");

static void put_number(struct draft *d, __u64 value)
{
	for (; value >= MW_RECORD_MORE; value >>= 7)
		d->bytes[d->size++] = (unsigned char)(value | MW_RECORD_MORE);
	d->bytes[d->size++] = (unsigned char)value;
}

static void put_difference(struct draft *d, __u64 now, __u64 before)
{
	__u64 by = now - before;
	bool minus = by >> 63;
	unsigned char first = minus ? MW_RECORD_MINUS : 0;

	if (minus)
		by = -by;
	if (by && by % MW_RECORD_PAGE == 0) {
		first |= MW_RECORD_PAGES;
		by /= MW_RECORD_PAGE;
	}
	first |= by & 0x1f;
	if (by >> 5)
		first |= MW_RECORD_MORE;
	d->bytes[d->size++] = first;
	if (by >> 5)
		put_number(d, by >> 5);
}

static void put_text(struct draft *d, const char *text)
{
	size_t n = strnlen(text, MW_NAME_SIZE - 1);

	put_number(d, n);
	memcpy(d->bytes + d->size, text, n);
	d->size += n;
}

static int append(struct mw_record_writer *w, const struct draft *d)
{
	size_t room = w->room ? w->room : 4096;
	unsigned char *grown;

	while (room < w->size + d->size)
		room *= 2;
	if (room != w->room) {
		grown = realloc(w->bytes, room);
		if (!grown)
			return -ENOMEM;
		w->bytes = grown;
		w->room = room;
	}
	memcpy(w->bytes + w->size, d->bytes, d->size);
	w->size += d->size;
	return 0;
}

int mw_record_begin(struct mw_record_writer *w, const struct mw_record_head *head)
{
	struct draft d = {.size = MW_RECORD_MAGIC_SIZE};
	const __u64 numbers[] = {MW_RECORD_FIELDS, MW_RECORD_PROFILE, head->wall_ns, head->time_ns};
	__u64 monitor[MW_RECORD_MONITOR];
	*w = (struct mw_record_writer){.time_ns = head->time_ns};
	memcpy(d.bytes, MW_RECORD_MAGIC, MW_RECORD_MAGIC_SIZE);
	d.bytes[d.size++] = MW_RECORD_VERSION;
	d.bytes[d.size++] = 0;
	d.bytes[d.size++] = MW_RECORD_ORDER & 0xff;
	d.bytes[d.size++] = MW_RECORD_ORDER >> 8;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		put_number(&d, numbers[i]);
	mw_record_monitor_out(&head->monitor, monitor);
	for (size_t i = 0; i < MW_RECORD_MONITOR; i++)
		put_number(&d, monitor[i]);
	return append(w, &d);
}

static void put_worker(struct draft *d, const struct mw_record_worker *about)
{
	__u64 profile[MW_RECORD_PROFILE];

	put_text(d, about->name);
	put_text(d, about->class_name);
	mw_record_profile_out(&about->profile, profile);
	for (size_t i = 0; i < MW_RECORD_PROFILE; i++)
		put_number(d, profile[i]);
}

/* Which fields have changed, and by how much. */
static void put_sample(struct draft *d, struct mw_usage *now, struct mw_usage *before)
{
	__u64 changed = 0;

	for (size_t i = 0; i < MW_RECORD_FIELDS; i++)
		if (*mw_record_field(now, i) != *mw_record_field(before, i))
			changed |= 1ULL << i;
	put_number(d, changed);
	for (size_t i = 0; i < MW_RECORD_FIELDS; i++)
		if (changed & 1ULL << i)
			put_difference(d, *mw_record_field(now, i), *mw_record_field(before, i));
}

static void put_check(struct draft *d, const struct mw_record_item *item, const struct mw_usage *before)
{
	put_difference(d, item->used, before->heap + before->bin);
	put_number(d, item->said);
}

int mw_record_add(struct mw_record_writer *w, const struct mw_record_item *item)
{
	bool adds = item->kind == MW_RECORD_WORKER && item->worker == w->n_workers;
	struct mw_usage now = item->usage;
	struct draft d = {0};
	int r;

	if (item->kind <= MW_RECORD_NONE || item->kind >= MW_RECORD_MAX || item->worker >= MW_RECORD_WORKERS)
		return -EINVAL;
	if (item->kind != MW_RECORD_CLOSE && item->worker >= w->n_workers && !adds)
		return -EINVAL;
	r = adds ? mw_record_room(&w->last, w->n_workers, &w->workers_room) : 0;
	if (r < 0)
		return r;
	put_number(&d, (__u64)item->worker << 3 | item->kind);
	put_difference(&d, item->time_ns, w->time_ns);
	if (item->kind == MW_RECORD_WORKER)
		put_worker(&d, &item->about);
	else if (item->kind == MW_RECORD_SAMPLE)
		put_sample(&d, &now, &w->last[item->worker]);
	else if (item->kind == MW_RECORD_CHECK)
		put_check(&d, item, &w->last[item->worker]);
	else if (item->kind == MW_RECORD_CLOSE)
		put_number(&d, w->records);
	r = append(w, &d);
	if (r < 0)
		return r;
	w->n_workers += adds;
	w->time_ns = item->time_ns;
	w->records++;
	if (item->kind == MW_RECORD_SAMPLE) {
		mw_record_derive(&now);
		w->last[item->worker] = now;
	}
	return 0;
}

void mw_record_flushed(struct mw_record_writer *w)
{
	w->size = 0;
}

void mw_record_writer_free(struct mw_record_writer *w)
{
	free(w->bytes);
	free(w->last);
	*w = (struct mw_record_writer){0};
}
