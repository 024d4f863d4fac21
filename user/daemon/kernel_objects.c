/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/kernel_objects.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/kernel_walk.h"
#include "heap/chance.h"
#include "leak/objects.h"
#include "objects.skel.h"
#include "util/cleanup.h"

#define UPROBE_PMU "/sys/bus/event_source/devices/uprobe/type"
#define LINKS_MAX  512

struct mw_object_probes {
	struct objects *skel;
	pthread_mutex_t lock; /* everything below, and the maps against a change of mean */
	struct bpf_link *links[LINKS_MAX];
	unsigned n_links, n_arguments;
	struct mw_otel_arguments arguments[MW_OTEL_PLACES]; /* as the map has them */
	__u64 random;
};

static void set_table(struct objects *skel)
{
	for (int i = 0; i <= 256; i++)
		skel->rodata->mw_log2[i] = (__u32)lround(65536 * log2(1 + i / 256.0));
}

int mw_object_probes_open(__u64 mean_bytes, struct mw_object_probes **ret_probes, struct mw_error *err)
{
	struct mw_object_probes *p;
	int r;

	/* libbpf would go through tracefs instead, and what stands there stays when we die. */
	if (access(UPROBE_PMU, F_OK) < 0)
		return mw_fail(err, -EOPNOTSUPP, "the kernel has no uprobe events (CONFIG_UPROBE_EVENTS): no %s",
			       UPROBE_PMU);
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	p->skel = objects__open();
	r = p->skel ? 0 : -errno;
	if (!r) {
		set_table(p->skel);
		p->skel->bss->mean_bytes = mean_bytes;
		bpf_map__set_max_entries(p->skel->maps.object_live, MW_OBJECTS_KEPT);
		r = objects__load(p->skel);
	}
	if (r) {
		mw_object_probes_close(p);
		return mw_fail(err, r == -ENOMEM ? r : -EOPNOTSUPP, "the kernel does not load the probes' program: %s",
			       strerror(-r));
	}
	p->random = (__u64)(unsigned long)p ^ (__u64)getpid() << 32;
	*ret_probes = p;
	return 0;
}

static void detach(struct mw_object_probes *p)
{
	while (p->n_links)
		bpf_link__destroy(p->links[--p->n_links]);
	p->n_arguments = 0;
}

void mw_object_probes_close(struct mw_object_probes *p)
{
	if (!p)
		return;
	detach(p);
	objects__destroy(p->skel);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Its arguments into the table; the cookie says where. */
static int put_arguments(struct mw_object_probes *p, const struct mw_allocator_place *place, __u64 *cookie,
			 struct mw_error *err)
{
	struct mw_otel_arguments a = {0};
	__u32 at = 0;
	int r = mw_otel_arguments_parse(place->arguments, place->fn == MW_FN_OTEL_ALLOC ? 3 : 1, &a);

	if (r)
		return mw_fail(err, r, "%s: its arguments are not understood: \"%s\"", mw_allocator_name(place->fn),
			       place->arguments);
	while (at < p->n_arguments && memcmp(&p->arguments[at], &a, sizeof(a)) != 0)
		at++; /* the same probe of another process has the same ones */
	if (at == MW_OTEL_PLACES)
		return mw_fail(err, -ENOSPC, "more than %d static probes", MW_OTEL_PLACES);
	r = bpf_map__update_elem(p->skel->maps.object_arguments, &at, sizeof(at), &a, sizeof(a), BPF_ANY);
	if (r)
		return mw_fail(err, r, "arguments of a static probe: %s", strerror(-r));
	p->arguments[at] = a;
	p->n_arguments += at == p->n_arguments;
	*cookie |= (__u64)at << 8;
	return 0;
}

static int attach_one(struct mw_object_probes *p, struct bpf_program *program, pid_t pid, const char *path,
		      const struct mw_allocator_place *place, __u64 cookie, struct mw_error *err)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookie, .ref_ctr_offset = place->semaphore,
		    .retprobe = program == p->skel->progs.object_leave);
	struct bpf_link *link;

	if (p->n_links == LINKS_MAX)
		return mw_fail(err, -ENOSPC, "more than %d probes", LINKS_MAX);
	link = bpf_program__attach_uprobe_opts(program, pid, path, place->offset, &opts);
	if (!link)
		return mw_fail(err, -errno, "%s in process %d: %s", mw_allocator_name(place->fn), pid, strerror(errno));
	p->links[p->n_links++] = link;
	return 0;
}

int mw_object_probes_attach(struct mw_object_probes *p, pid_t pid, const char *path,
			    const struct mw_allocator_place *place, struct mw_error *err)
{
	__u64 cookie = place->fn;
	int r = 0;

	pthread_mutex_lock(&p->lock);
	if (*place->arguments)
		r = put_arguments(p, place, &cookie, err);
	if (!r && place->fn < MW_FN_RETURNS) /* first: a call that begins before it has none */
		r = attach_one(p, p->skel->progs.object_leave, pid, path, place, cookie, err);
	if (!r)
		r = attach_one(p, p->skel->progs.object_enter, pid, path, place, cookie, err);
	pthread_mutex_unlock(&p->lock);
	return r;
}

static void clear(struct bpf_map *map, size_t key_size)
{
	char key[sizeof(struct mw_object_key)];

	while (bpf_map__get_next_key(map, NULL, key, key_size) == 0 && bpf_map__delete_elem(map, key, key_size, 0) == 0)
		;
}

void mw_object_probes_detach(struct mw_object_probes *p)
{
	pthread_mutex_lock(&p->lock);
	detach(p);
	clear(p->skel->maps.object_pending, sizeof(__u64)); /* whoever was inside has no return now */
	pthread_mutex_unlock(&p->lock);
}

unsigned mw_object_probes_attached(struct mw_object_probes *p)
{
	unsigned n;

	pthread_mutex_lock(&p->lock);
	n = p->n_links;
	pthread_mutex_unlock(&p->lock);
	return n;
}

void mw_object_probes_counts(const struct mw_object_probes *p, struct mw_object_counts *ret_counts)
{
	const __u64 *from = (const __u64 *)&p->skel->bss->counts;
	__u64 *to = (__u64 *)ret_counts;

	_Static_assert(sizeof(p->skel->bss->counts) == sizeof(*ret_counts), "the program's own");
	for (size_t i = 0; i < sizeof(*ret_counts) / sizeof(__u64); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

__u64 mw_object_calls(const struct mw_object_counts *c)
{
	__u64 n = 0;

	for (unsigned fn = 0; fn < MW_FN_MAX; fn++)
		n += c->calls[fn];
	return n;
}

struct walking {
	int (*fn)(const struct mw_object_key *key, struct mw_heap_record *record, void *arg);
	void *arg;
};

/* Those that are written to the end. */
static int walk_one(const void *key, void *value, void *arg)
{
	const struct walking *w = arg;
	struct mw_heap_record *record = value;

	return record->seq == 2 ? w->fn(key, record, w->arg) : 0;
}

static int walk(struct bpf_map *map, int (*fn)(const struct mw_object_key *, struct mw_heap_record *, void *),
		void *arg)
{
	struct walking w = {fn, arg};

	return mw_map_walk(bpf_map__fd(map), sizeof(struct mw_object_key), sizeof(struct mw_heap_record), walk_one, &w);
}

struct each {
	mw_object_fn fn;
	void *arg;
};

static int each(const struct mw_object_key *key, struct mw_heap_record *r, void *arg)
{
	const struct each *e = arg;

	mw_object_weigh(r);
	return e->fn((pid_t)key->pid, r, e->arg);
}

int mw_object_probes_each(struct mw_object_probes *p, mw_object_fn fn, void *arg)
{
	struct each e = {fn, arg};
	int r;

	pthread_mutex_lock(&p->lock);
	r = walk(p->skel->maps.object_live, each, &e);
	pthread_mutex_unlock(&p->lock);
	return r;
}

struct thinning {
	struct mw_object_probes *p;
	__u64 mean_bytes;
};

/* What was freed a moment ago does not come back. */
static int thin_one(const struct mw_object_key *key, struct mw_heap_record *r, void *arg)
{
	const struct thinning *t = arg;
	struct bpf_map *map = t->p->skel->maps.object_live;

	bool lives = kill((pid_t)key->pid, 0) == 0 || errno != ESRCH;

	if (lives && mw_object_stays(r, t->mean_bytes, &t->p->random))
		(void)bpf_map__update_elem(map, key, sizeof(*key), r, sizeof(*r), BPF_EXIST);
	else
		(void)bpf_map__delete_elem(map, key, sizeof(*key), 0);
	return 0;
}

int mw_object_probes_thin(struct mw_object_probes *p, __u64 mean_bytes)
{
	struct thinning t = {p, mean_bytes};
	int r;

	pthread_mutex_lock(&p->lock);
	p->skel->bss->mean_bytes = mean_bytes;
	r = walk(p->skel->maps.object_live, thin_one, &t);
	pthread_mutex_unlock(&p->lock);
	return r;
}

void mw_object_probes_forget(struct mw_object_probes *p)
{
	pthread_mutex_lock(&p->lock);
	clear(p->skel->maps.object_live, sizeof(struct mw_object_key));
	pthread_mutex_unlock(&p->lock);
}
