/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/proc.h"
#include "daemon/sites.h"
#include "leak/runtime.h"
#include "report/json_out.h"
#include "symbols/ask.h"
#include "util/cleanup.h"
#include "util/size.h"

#define SHOWN	    5 /* sites */
#define LEAST_SHARE 0.05 /* of a site that is shown */
#define FRAMES	    16 /* of each, inlined ones counted */
#define SAMPLES	    10 /* fewer say nothing */
#define ASK_MS	    8000

/* One of those that are shown. */
struct site {
	const char *kind; /* "heap", "mapping", "growth" */
	pid_t pid;
	char comm[MW_COMM_SIZE];
	__u64 bytes, grown;
	__u32 samples; /* 0: of the kernel's, which counts charges */
	unsigned n_frames;
	struct mw_address frames[MW_STACK_DEPTH];
	struct json_object *named; /* array of frames, while the list is made */
};

struct sites {
	struct site at[SHOWN];
	size_t n;
	__u64 total; /* what the shares are of */
	bool heap;
};

/* ---- what there is ---- */

static __u64 grown(const struct mw_heap_site *s, bool compared)
{
	if (!compared)
		return s->live_bytes;
	return s->grown_bytes > 0 ? (__u64)s->grown_bytes : 0;
}

static void take_heap(const struct mw_heap *h, bool compared, struct sites *out)
{
	out->heap = true;
	for (size_t i = 0; i < h->n_sites; i++)
		out->total += grown(&h->sites[i], compared);
	for (size_t i = 0; i < h->n_sites && out->n < SHOWN; i++) {
		const struct mw_heap_site *from = &h->sites[i];
		struct site *s = &out->at[out->n];

		if ((double)grown(from, compared) < LEAST_SHARE * (double)out->total || !from->n_frames)
			continue;
		*s = (struct site){.kind = from->kind == MW_HEAP_OBJECT ? "heap" : "mapping",
				   .pid = from->pid,
				   .bytes = from->live_bytes,
				   .grown = grown(from, compared),
				   .samples = from->samples};
		mw_proc_comm("/proc", s->pid, s->comm, sizeof(s->comm));
		for (; s->n_frames < from->n_frames && s->n_frames < MW_STACK_DEPTH; s->n_frames++)
			s->frames[s->n_frames] = (struct mw_address){from->frames[s->n_frames], true};
		out->n++;
	}
}

static int take_growth(struct mw_kernel *k, __u64 cgroup_id, struct sites *out)
{
	_cleanup_free_ struct mw_site_row *rows = calloc(SHOWN, sizeof(*rows));
	struct mw_worker_info info = {};
	__u64 page = (__u64)sysconf(_SC_PAGESIZE);
	int n = rows ? mw_kernel_sites_read(k, cgroup_id, rows, SHOWN) : -ENOMEM;

	if (n < 0 || mw_kernel_worker_info(k, cgroup_id, &info) < 0)
		return n < 0 ? n : -ENODATA;
	out->total = info.charged_pages * page;
	for (int i = 0; i < n; i++) {
		struct site *s = &out->at[out->n];

		if (rows[i].stack_id < 0 || !rows[i].frames[0])
			continue;
		*s = (struct site){.kind = "growth",
				   .pid = (pid_t)rows[i].site.pid,
				   .bytes = rows[i].site.pages * page,
				   .grown = rows[i].site.pages * page};
		memcpy(s->comm, rows[i].site.comm, sizeof(s->comm));
		s->comm[sizeof(s->comm) - 1] = '\0';
		for (; s->n_frames < MW_STACK_DEPTH && rows[i].frames[s->n_frames]; s->n_frames++)
			s->frames[s->n_frames] = (struct mw_address){rows[i].frames[s->n_frames], s->n_frames > 0};
		out->n++;
	}
	return out->n ? 0 : -ENODATA;
}

/* ---- what it is called ---- */

static struct json_object *frame_json(const struct mw_frame *f)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "function", f->function);
	mw_json_text(&o, "file", f->file);
	mw_json_u64(&o, "line", f->line);
	mw_json_text(&o, "module", f->module);
	mw_json_text(&o, "build_id", f->build_id);
	mw_json_u64(&o, "offset", f->offset);
	mw_json_bool(&o, "inlined", f->inlined);
	return mw_json_end(&o);
}

static bool add(struct json_object *list, struct json_object *item)
{
	if (list && item && json_object_array_add(list, item) == 0)
		return true;
	json_object_put(item);
	return false;
}

/* Of a process that has ended, or that may not be looked at: addresses. */
static void name_bare(struct site *s)
{
	s->named = json_object_new_array();
	for (unsigned i = 0; i < s->n_frames && i < FRAMES; i++) {
		const struct mw_frame f = {
			.function = "", .file = "", .module = "", .build_id = "", .offset = s->frames[i].pc};

		add(s->named, frame_json(&f));
	}
}

static void name_all(struct site *s, const struct mw_symbols *symbols, size_t first)
{
	s->named = json_object_new_array();
	for (unsigned i = 0; i < s->n_frames; i++) {
		const struct mw_place *p = &symbols->places[first + i];

		for (size_t j = 0; j < p->n && json_object_array_length(s->named) < FRAMES; j++)
			add(s->named, frame_json(&symbols->frames[p->first + j]));
	}
}

/* One question for all sites of a process. */
static void name_of_process(struct sites *all, pid_t pid)
{
	struct mw_address addresses[SHOWN * MW_STACK_DEPTH];
	struct mw_symbols_question q = {.pid = pid, .addresses = addresses, .timeout_ms = ASK_MS};
	struct mw_symbols symbols = {};
	struct mw_error err = {};
	size_t first = 0;
	int r;

	for (size_t i = 0; i < all->n; i++) {
		if (all->at[i].pid != pid)
			continue;
		memcpy(addresses + q.n, all->at[i].frames, all->at[i].n_frames * sizeof(*addresses));
		q.n += all->at[i].n_frames;
	}
	r = mw_proc_start_ticks("/proc", pid, &q.start_ticks);
	if (r >= 0)
		r = mw_symbols_ask(&q, &symbols, &err);
	for (size_t i = 0; i < all->n; i++) {
		if (all->at[i].pid != pid)
			continue;
		if (r < 0)
			name_bare(&all->at[i]);
		else
			name_all(&all->at[i], &symbols, first);
		first += all->at[i].n_frames;
	}
	mw_symbols_free(&symbols);
}

/* ---- what is said ---- */

static const char *member(struct json_object *o, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) ? json_object_get_string(value) : "";
}

/* Who asked them is of interest, not they. */
static bool is_allocator(const char *function)
{
	static const char *const names[] = {
		"malloc",
		"calloc",
		"realloc",
		"reallocarray",
		"aligned_alloc",
		"memalign",
		"posix_memalign",
		"mmap",
		"_int_malloc",
		"operator new",
		"_PyObject_",
		"PyObject_Malloc",
		"_PyMem_",
		"PyMem_",
		"g_malloc",
		"g_realloc",
		"strdup",
		"__strdup",
		"sysmalloc",
		"std::allocator<",
		"std::__new_allocator<",
		"__gnu_cxx::new_allocator<",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(function, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* "leak_more (leak.c:31)", of the innermost frame that has a line; else of the innermost with a name. */
static void say_place(const struct site *s, char *buf, size_t size)
{
	struct json_object *best = NULL;

	for (size_t i = 0; i < json_object_array_length(s->named); i++) {
		struct json_object *f = json_object_array_get_idx(s->named, i);

		if (is_allocator(member(f, "function")))
			continue;
		if (!best && *member(f, "function"))
			best = f;
		if (*member(f, "file") && *member(f, "function")) {
			best = f;
			break;
		}
	}
	if (!best)
		snprintf(buf, size, "code without a name");
	else if (*member(best, "file"))
		snprintf(buf, size, "%.80s (%.90s:%s)", member(best, "function"), member(best, "file"),
			 member(best, "line"));
	else
		snprintf(buf, size, "%.80s (%.90s)", member(best, "function"), member(best, "module"));
}

static void say_top(const struct sites *all, char top[MW_SITES_TOP])
{
	const struct site *s = &all->at[0];
	double share = all->total ? 100.0 * (double)s->grown / (double)all->total : 0;
	char place[200], bytes[24];

	say_place(s, place, sizeof(place));
	mw_size_format(s->grown, bytes, sizeof(bytes));
	if (all->heap)
		snprintf(top, MW_SITES_TOP, "%.0f %% of what its heap grew by (%s) at %s", share, bytes, place);
	else
		snprintf(top, MW_SITES_TOP, "%.0f %% of new memory (%s) first touched at %s", share, bytes, place);
}

/* The frames are the interpreter's: which script it runs, and what would name the script's own lines. */
static void put_runtime(struct mw_json_out *o, pid_t pid)
{
	struct mw_runtime r = mw_runtime_read("/proc", pid);

	if (!r.name)
		return mw_json_null(o, "runtime");
	mw_json_text(o, "runtime", r.name);
	mw_json_text(o, "script", r.script);
	mw_json_text(o, "hint", r.hint);
}

static struct json_object *site_json(struct site *s, __u64 total)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "bytes", s->bytes);
	mw_json_u64(&o, "grown_bytes", s->grown);
	mw_json_double(&o, "share", total ? (double)s->grown / (double)total : 0, 3);
	mw_json_text(&o, "kind", s->kind);
	if (s->samples)
		mw_json_u64(&o, "samples", s->samples);
	else
		mw_json_null(&o, "samples");
	mw_json_int(&o, "pid", s->pid);
	mw_json_text(&o, "comm", s->comm);
	put_runtime(&o, s->pid);
	mw_json_put(&o, "frames", TAKE_PTR(s->named));
	return mw_json_end(&o);
}

static int say(struct sites *all, struct mw_sites_look *look)
{
	struct json_object *list = json_object_new_array();

	say_top(all, look->top);
	for (size_t i = 0; i < all->n; i++)
		add(list, site_json(&all->at[i], all->total));
	look->json = list ? strdup(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN)) : NULL;
	json_object_put(list);
	return look->json ? 0 : -ENOMEM;
}

int mw_sites_look(struct mw_sites_look *look)
{
	struct sites *all = calloc(1, sizeof(*all));
	int r = all ? mw_heap_read_cgroup("/proc", look->cgroup_fd, &look->now, NULL) : -ENOMEM;

	if (r >= 0 && look->now.samples >= SAMPLES) {
		mw_heap_sort(&look->now);
		if (look->has_before) {
			mw_heap_compare(&look->now, &look->before);
			mw_heap_sort_by_growth(&look->now);
		}
		take_heap(&look->now, look->has_before, all);
	}
	if (r >= 0 && !all->n)
		r = take_growth(look->kernel, look->cgroup_id, all);
	for (size_t i = 0; r >= 0 && i < all->n; i++) {
		if (!all->at[i].named)
			name_of_process(all, all->at[i].pid);
	}
	if (r >= 0)
		r = say(all, look);
	free(all);
	return r;
}

void mw_sites_look_free(struct mw_sites_look *look)
{
	if (!look)
		return;
	mw_close(&look->cgroup_fd);
	mw_heap_free(&look->before);
	mw_heap_free(&look->now);
	free(look->json);
	free(look);
}
