/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "util/amount.h"
#include "util/cleanup.h"

#define PRESENT	   (1ULL << 63)
#define SWAPPED	   (1ULL << 62)
#define FRAME	   ((1ULL << 55) - 1)
#define WORD_BITS  64
#define WORD_BYTES 8

struct mw_life mw_pages_life(const struct mw_heap *now, const struct mw_heap *before, const struct mw_heap_site *site,
			     __u64 now_ns)
{
	const struct mw_heap_site *had = before ? mw_heap_find(before, site) : NULL;
	struct mw_life l = {.site = mw_heap_site_id(site), .had_bytes = had ? had->live_bytes : 0};
	double bytes = 0, age = 0;

	for (size_t i = 0; i < now->n_objects; i++) {
		const struct mw_heap_object *o = &now->objects[i];
		__u64 old = mw_less(now_ns, o->time_ns);

		if (o->site != l.site)
			continue;
		bytes += (double)o->weight;
		age += (double)o->weight * (double)old;
		l.oldest_ns = old > l.oldest_ns ? old : l.oldest_ns;
		if (had && o->time_ns <= before->taken_ns)
			l.kept_bytes += o->weight;
	}
	l.mean_age_ns = bytes > 0 ? (__u64)(age / bytes) : 0;
	if (l.kept_bytes > l.had_bytes)
		l.kept_bytes = l.had_bytes; /* some came while it was read */
	return l;
}

/* A page that lies in the object as a whole where there is one, else the one it begins on. */
static __u64 page_of(const struct mw_heap_object *o, __u64 page_bytes)
{
	__u64 first = (o->address + page_bytes - 1) / page_bytes * page_bytes;
	__u64 whole = o->address + o->size > first ? (o->address + o->size - first) / page_bytes : 0;

	/* Which of them goes by its address: objects of one size are not all asked at their beginning. */
	return whole ? first + o->address / 64 % whole * page_bytes : o->address / page_bytes * page_bytes;
}

void mw_pages_choose(const struct mw_heap *h, __u64 site, __u64 page_bytes, struct mw_pages *o)
{
	size_t all = 0, seen = 0, taken = 0;

	for (size_t i = 0; i < h->n_objects; i++)
		all += h->objects[i].site == site;
	for (size_t i = 0; i < h->n_objects && o->n < MW_PAGES_PAGES; i++) {
		const struct mw_heap_object *from = &h->objects[i];

		if (from->site != site)
			continue;
		if (seen++ * MW_PAGES_OF_SITE < taken * all || taken == MW_PAGES_OF_SITE)
			continue;
		taken++;
		o->pages[o->n++] = (struct mw_pages_page){.site = site,
							  .address = from->address,
							  .time_ns = from->time_ns,
							  .at = page_of(from, page_bytes),
							  .pid = from->pid};
	}
}

/* pagemap of one process after the other; pages of one process mostly follow each other. */
struct maps {
	const char *proc_root;
	pid_t pid;
	int fd;
};

static __u64 entry_of(struct maps *m, const struct mw_pages_page *p, __u64 page_bytes)
{
	char path[PATH_MAX];
	__u64 entry;

	if (m->pid != p->pid) {
		mw_close(&m->fd);
		snprintf(path, sizeof(path), "%.200s/%d/pagemap", m->proc_root, p->pid);
		m->fd = open(path, O_RDONLY | O_CLOEXEC);
		m->pid = p->pid;
	}
	if (m->fd < 0 ||
	    pread(m->fd, &entry, sizeof(entry), (off_t)(p->at / page_bytes * sizeof(entry))) != (ssize_t)sizeof(entry))
		return 0; /* gone, or past its address space */
	return entry;
}

static int open_idle(const char *sys_root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.200s/kernel/mm/page_idle/bitmap", sys_root);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Zeros in what is written change nothing. */
static bool set_idle(int fd, __u64 frame)
{
	__u64 word = 1ULL << frame % WORD_BITS;

	return pwrite(fd, &word, sizeof(word), (off_t)(frame / WORD_BITS * WORD_BYTES)) == (ssize_t)sizeof(word);
}

static bool is_idle(int fd, __u64 frame)
{
	__u64 word;

	return pread(fd, &word, sizeof(word), (off_t)(frame / WORD_BITS * WORD_BYTES)) == (ssize_t)sizeof(word) &&
	       (word >> frame % WORD_BITS & 1);
}

void mw_pages_mark(const char *proc_root, const char *sys_root, __u64 page_bytes, __u64 now_ns, struct mw_pages *o)
{
	struct maps maps = {.proc_root = proc_root, .fd = -1};
	_cleanup_close_ int idle = open_idle(sys_root);
	__u32 n = 0;

	for (__u32 i = 0; i < o->n; i++) {
		struct mw_pages_page p = o->pages[i];
		__u64 entry = entry_of(&maps, &p, page_bytes);

		if (!(entry & (PRESENT | SWAPPED)))
			continue; /* allocated, and never touched at all */
		p.frame = entry & PRESENT ? entry & FRAME : 0;
		/* A page that takes no mark (in no list of reclaim, or a part of a huge one) would look used. */
		if (entry & PRESENT && idle >= 0 && !(p.frame && set_idle(idle, p.frame) && is_idle(idle, p.frame)))
			continue;
		o->pages[n++] = p;
	}
	mw_close(&maps.fd);
	o->n = n;
	o->marked = idle >= 0;
	o->since_ns = now_ns;
}

/* The same object is there still. */
static bool lives(const struct mw_heap *now, const struct mw_pages_page *p)
{
	for (size_t i = 0; i < now->n_objects; i++) {
		const struct mw_heap_object *o = &now->objects[i];

		if (o->address == p->address && o->time_ns == p->time_ns && o->pid == p->pid)
			return true;
	}
	return false;
}

static void count(struct mw_life *l, const struct mw_pages_page *p, __u64 entry, int idle)
{
	__u64 frame = entry & FRAME;

	if (entry & PRESENT) {
		if (idle >= 0 && p->frame && frame != p->frame)
			return; /* it was moved, and its mark stayed behind */
		l->pages++;
		l->untouched += idle >= 0 && p->frame && is_idle(idle, frame); /* back from swap: touched */
	} else if (entry & SWAPPED) {
		l->pages++;
		l->untouched++;
		l->swapped++;
	}
}

static struct mw_life *of_site(struct mw_life *all, size_t n, __u64 site)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].site == site)
			return &all[i];
	return NULL;
}

static void repeat(struct mw_life *l, const struct mw_life *last)
{
	l->touched_known = last->touched_known;
	l->span_ns = last->span_ns;
	l->pages = last->pages;
	l->untouched = last->untouched;
	l->swapped = last->swapped;
}

bool mw_pages_look(const char *proc_root, const char *sys_root, __u64 page_bytes, __u64 now_ns, struct mw_pages *o,
		   const struct mw_heap *now, struct mw_life *all, size_t n)
{
	struct maps maps = {.proc_root = proc_root, .fd = -1};
	_cleanup_close_ int idle = o->marked ? open_idle(sys_root) : -1;
	bool due = o->since_ns && mw_less(now_ns, o->since_ns) >= MW_PAGES_SPAN_MIN;

	for (size_t i = 0; !due && i < n; i++) {
		const struct mw_life *last = of_site(o->last, MW_PAGES_SITES, all[i].site);

		if (last)
			repeat(&all[i], last);
	}
	for (__u32 i = 0; due && i < o->n; i++) {
		const struct mw_pages_page *p = &o->pages[i];
		struct mw_life *l = of_site(all, n, p->site);

		if (!l || !lives(now, p))
			continue;
		count(l, p, entry_of(&maps, p, page_bytes), idle);
		l->span_ns = now_ns - o->since_ns;
		l->touched_known = idle >= 0;
	}
	mw_close(&maps.fd);
	for (size_t i = 0; due && i < n && i < MW_PAGES_SITES; i++)
		o->last[i] = all[i];
	return due;
}
