/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Inside of a look at sites: what takes them from a source, names their code and says them. */
#ifndef MW_DAEMON_SITES_IMPL_H
#define MW_DAEMON_SITES_IMPL_H

#include <json-c/json.h>

#include "daemon/objects.h"
#include "daemon/sites.h"
#include "report/json_out.h"
#include "symbols/ask.h"

#define MW_SITES_SHOWN	 32 /* kept; reports as text show the first few */
#define MW_SITES_BYTES	 65536 /* of JSON at most; an incident has room for four times that */
#define MW_SITES_SAMPLES 10 /* fewer say nothing */
#define MW_SITES_WHY	 160

/* One of those that are shown. */
struct mw_site_found {
	const char *kind; /* "heap", "mapping", "probed", "otel_memory", "growth" */
	pid_t pid;
	__u64 start_ticks; /* of the process that had pid then, its low 32 bits at least; 0: not known */
	char comm[MW_COMM_SIZE];
	bool ended; /* pid is of the past */
	char why[MW_SITES_WHY]; /* its code has no names; "": it has */
	__u64 bytes, grown;
	__u64 objects; /* 0: not known */
	__u32 samples; /* 0: of the kernel's, which counts charges */
	__u32 unwound; /* copies of stacks it is known by; 0: by the kernel's own walk, or by the sampler's */
	__u64 watched_ns, watched_of_ns; /* of objects watched from outside; else 0 */
	unsigned n_frames;
	struct mw_address frames[MW_STACK_DEPTH];
	const struct mw_heap_site *from; /* in look's now; NULL: not of a sampler */
	struct mw_life life;
	struct json_object *named; /* array of frames, while the list is made */
};

struct mw_site_list {
	struct mw_site_found at[MW_SITES_SHOWN];
	size_t n;
	__u64 total; /* what the shares are of */
	__u64 held; /* what the bytes of all sites sum to, those left out with them */
	bool heap;
};

/* The sites of a reading that grew most, in the order they are in; of all it holds, where nothing grew. */
void mw_sites_take_heap(const struct mw_heap *h, struct mw_site_list *out);
/* What was allocated while it was watched from outside, and is kept. -ENODATA: nothing, or too little. */
int mw_sites_take_objects(const struct mw_sites_look *look, struct mw_site_list *out);
/* What the kernel side saw of who touches new memory. -ENODATA: nothing; -errno of its maps. */
int mw_sites_take_growth(struct mw_kernel *k, __u64 cgroup_id, struct mw_site_list *out);
/* The same by stacks that were copied and unwound. -ENODATA: too few. */
int mw_sites_take_stacks(struct mw_sites_look *look, struct mw_site_list *out);
/*
 * Name the frames of all sites of a process that have no names yet, with one question; which process: the one of
 * all->at[first]. Of one nothing is known of: addresses, and why.
 */
void mw_sites_name(const struct mw_sites_look *look, struct mw_site_list *all, size_t first);
/* The member of a site's object that says why there are none. */
void mw_sites_put_why(struct mw_json_out *o, const struct mw_site_found *s);
/* To the end of an array; takes item. false: no memory, and item is gone. */
bool mw_sites_add(struct json_object *list, struct json_object *item);
/* How old what the sites of a sampler hold is, and whether it is touched; and begin to look at that. */
void mw_sites_age(struct mw_site_list *all, struct mw_sites_look *look);
/* The members of a site's object that say so. */
void mw_sites_put_life(struct mw_json_out *o, const struct mw_site_found *s);
/* look's account, once the list is made. */
void mw_sites_account(const struct mw_site_list *all, struct mw_sites_look *look);
/* What runtimes say of their scripts: an array, often empty. top: a sentence about whoever grew most, or untouched. */
struct json_object *mw_sites_lines(const struct mw_sites_look *look, char top[MW_SITES_TOP]);
/* look's list, lines and top. Takes the named frames, and lines. -ENOMEM. */
int mw_sites_say(struct mw_site_list *all, struct json_object *lines, struct mw_sites_look *look);

#endif
