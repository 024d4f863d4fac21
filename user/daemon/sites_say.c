/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Sites as JSON, and the first of them as a sentence. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/sites_impl.h"
#include "leak/runtime.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"

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
		"__libc_malloc",
		"__libc_calloc",
		"__libc_realloc",
		"__mem", /* set, cpy, move, in all their variants */
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
		"std::allocator_traits<",
		"std::__new_allocator<",
		"__gnu_cxx::new_allocator<",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(function, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* What every program begins with says nothing either, and libc's has lines where a stripped program's own code has
 * none.
 */
static bool is_start(const char *function)
{
	return strncmp(function, "__libc_start", 12) == 0 || strcmp(function, "start_thread") == 0 ||
	       strcmp(function, "clone3") == 0 || strcmp(function, "_start") == 0;
}

/* "leak_more (leak.c:31)", of the innermost frame that has a line; else of the innermost with a name. */
static void say_place(const struct mw_site_found *s, char *buf, size_t size)
{
	struct json_object *best = NULL;

	for (size_t i = 0; i < json_object_array_length(s->named); i++) {
		struct json_object *f = json_object_array_get_idx(s->named, i);

		if (is_allocator(member(f, "function")) || is_start(member(f, "function")))
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

static void say_top(const struct mw_site_list *all, char top[MW_SITES_TOP])
{
	const struct mw_site_found *s = &all->at[0];
	double share = all->total ? 100.0 * (double)s->grown / (double)all->total : 0;
	char place[200], bytes[24];

	say_place(s, place, sizeof(place));
	mw_size_format(s->grown, bytes, sizeof(bytes));
	if (s->watched_of_ns)
		snprintf(top, MW_SITES_TOP,
			 "%.0f %% of what it allocated and kept (%s) in %llu of %llu seconds watched at %s", share,
			 bytes, s->watched_ns / MW_NS_PER_S, s->watched_of_ns / MW_NS_PER_S, place);
	else if (all->heap)
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

static struct json_object *site_json(struct mw_site_found *s, __u64 total)
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
	if (s->objects)
		mw_json_u64(&o, "objects", s->objects);
	else
		mw_json_null(&o, "objects");
	if (s->unwound)
		mw_json_u64(&o, "unwound", s->unwound);
	else
		mw_json_null(&o, "unwound");
	if (s->watched_of_ns) {
		mw_json_seconds(&o, "watched_s", (double)s->watched_ns / MW_NS_PER_S);
		mw_json_seconds(&o, "watched_of_s", (double)s->watched_of_ns / MW_NS_PER_S);
	}
	mw_sites_put_life(&o, s);
	mw_json_int(&o, "pid", s->pid);
	mw_json_text(&o, "comm", s->comm);
	mw_json_bool(&o, "ended", s->ended);
	mw_sites_put_why(&o, s);
	put_runtime(&o, s->ended ? 0 : s->pid); /* else of whoever has its pid now */
	mw_json_put(&o, "frames", TAKE_PTR(s->named));
	return mw_json_end(&o);
}

int mw_sites_say(struct mw_site_list *all, struct json_object *lines, struct mw_sites_look *look)
{
	struct json_object *list = json_object_new_array();
	size_t bytes = 0;

	if (!look->top[0] && all->n)
		say_top(all, look->top);
	look->left_out_bytes = all->held;
	for (size_t i = 0; i < all->n; i++) {
		struct json_object *site = site_json(&all->at[i], all->total);
		const char *text = site ? json_object_to_json_string_ext(site, MW_JSON_COMPACT) : NULL;

		bytes += text ? strlen(text) + 1 : 0;
		if (bytes > MW_SITES_BYTES) {
			json_object_put(site);
			bytes = MW_SITES_BYTES + 1; /* nor any after it */
		} else if (mw_sites_add(list, site) && all->at[i].bytes <= look->left_out_bytes) {
			look->left_out_bytes -= all->at[i].bytes;
		}
	}
	look->list = mw_json_keep(list);
	look->lines = mw_json_keep(lines);
	return look->list && look->lines ? 0 : -ENOMEM;
}
