/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/kinds.h"

#include <stdio.h>
#include <string.h>

#include "util/amount.h"
#include "util/size.h"

#define LEAST	(1 << 20) /* below that a growth is nobody's */
#define ASIDE	0.1 /* a kind with less of the growth is not named */
#define KIB_MAX 0xffffffffULL

static const struct {
	const char *name, *means;
} kinds[] = {
	[MW_KIND_HEAP] = {"heap", "anonymous memory, what is swapped out with it"},
	[MW_KIND_SHMEM] = {"shmem", "files in tmpfs, memfd or shared memory"},
	[MW_KIND_KERNEL] = {"kernel memory", "open files, pipes, unix sockets, threads, page tables"},
	[MW_KIND_SOCK] = {"socket buffers", "TCP data that nobody has taken yet"},
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == MW_KIND_MAX, "a name for every kind");

const char *mw_kind_name(enum mw_kind kind)
{
	return (unsigned int)kind < MW_KIND_MAX ? kinds[kind].name : "unknown";
}

static __u32 kib(__u64 bytes)
{
	return bytes >> 10 < KIB_MAX ? (__u32)(bytes >> 10) : (__u32)KIB_MAX;
}

struct mw_kinds mw_kinds_of(const struct mw_usage *u)
{
	return (struct mw_kinds){.time_ns = u->time_ns,
				 .kib = {
					 [MW_KIND_HEAP] = kib(u->heap),
					 [MW_KIND_SHMEM] = kib(u->shmem),
					 [MW_KIND_KERNEL] = kib(mw_less(u->kernel, u->slab_reclaimable)),
					 [MW_KIND_SOCK] = kib(u->sock),
				 }};
}

/* Every second one goes, the oldest stays. */
static void thin(struct mw_kinds_past *past)
{
	for (__u32 i = 0; 2 * i < past->n; i++)
		past->kept[i] = past->kept[2 * i];
	past->n = (past->n + 1) / 2;
	past->every_ns *= 2;
}

void mw_kinds_note(struct mw_kinds_past *past, const struct mw_kinds *reading)
{
	if (!past->every_ns)
		past->every_ns = MW_KINDS_EVERY_NS;
	if (past->n && reading->time_ns < past->kept[past->n - 1].time_ns + past->every_ns)
		return;
	if (past->n == MW_KINDS_KEPT)
		thin(past);
	past->kept[past->n++] = *reading;
}

void mw_kinds_onset(struct mw_kinds_past *past, __u64 onset_ns)
{
	if (!onset_ns || !past->onset_ns || onset_ns < past->onset_ns)
		past->onset_ns = onset_ns;
}

const struct mw_kinds *mw_kinds_before(const struct mw_kinds_past *past)
{
	const struct mw_kinds *found = past->n && past->onset_ns ? &past->kept[0] : NULL;

	for (__u32 i = 1; found && i < past->n && past->kept[i].time_ns <= past->onset_ns; i++)
		found = &past->kept[i];
	return found;
}

struct mw_kinds_grown mw_kinds_compare(const struct mw_kinds *before, const struct mw_kinds *now)
{
	struct mw_kinds_grown g = {.span_ns = mw_less(now->time_ns, before->time_ns)};

	for (int i = 0; i < MW_KIND_MAX; i++) {
		g.bytes[i] = ((__s64)now->kib[i] - (__s64)before->kib[i]) * 1024;
		if (g.bytes[i] > 0)
			g.total += (__u64)g.bytes[i];
		if (g.bytes[i] > g.bytes[g.most])
			g.most = (enum mw_kind)i;
	}
	return g;
}

/* The kinds with a share of it, the largest first and with what it stands for. */
const char *mw_kinds_say(const struct mw_kinds_grown *g, char *buf, size_t size)
{
	char total[24], span[24], bytes[24];
	int n;

	buf[0] = '\0';
	if (g->total < LEAST)
		return buf;
	n = snprintf(buf, size, "grew by %s in %s: %s %s (%s)", mw_size_format(g->total, total, sizeof(total)),
		     mw_duration_format(g->span_ns, span, sizeof(span)),
		     mw_size_format((__u64)g->bytes[g->most], bytes, sizeof(bytes)), kinds[g->most].name,
		     kinds[g->most].means);
	for (int i = 0; i < MW_KIND_MAX && n > 0 && (size_t)n < size; i++)
		if (i != (int)g->most && (double)g->bytes[i] >= ASIDE * (double)g->total)
			n += snprintf(buf + n, size - (size_t)n, ", %s %s",
				      mw_size_format((__u64)g->bytes[i], bytes, sizeof(bytes)), kinds[i].name);
	return buf;
}
