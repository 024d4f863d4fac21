/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The lines that runtimes of a worker's processes name themselves (leak/lines.h), as JSON and as a sentence. */
#include <stdio.h>
#include <string.h>

#include "core/cgroup.h"
#include "daemon/sites_impl.h"
#include "leak/lines.h"
#include "leak/runtime.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/size.h"

#define PROCESSES 64 /* looked at */
#define LINES_MAX 40 /* of all of them; some 16 KB of JSON at most */

static struct json_object *line_json(const struct mw_lines *of, const struct mw_line *l)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "runtime", of->runtime);
	mw_json_int(&o, "pid", of->pid);
	mw_json_text(&o, "function", l->function);
	mw_json_text(&o, "file", l->file);
	mw_json_u64(&o, "line", l->line);
	mw_json_u64(&o, "bytes", l->bytes);
	if (l->objects)
		mw_json_u64(&o, "objects", l->objects);
	else
		mw_json_null(&o, "objects");
	mw_json_int(&o, "grown_bytes", l->grown_bytes);
	mw_json_double(&o, "share", of->total_bytes ? (double)l->bytes / (double)of->total_bytes : 0, 3);
	return mw_json_end(&o);
}

/* Of whoever has grown most at one line. */
static void say_top(const struct mw_lines *of, const struct mw_line *l, char top[MW_SITES_TOP])
{
	char bytes[24], grown[24];

	mw_size_format(l->bytes, bytes, sizeof(bytes));
	mw_size_format((__u64)l->grown_bytes, grown, sizeof(grown));
	snprintf(top, MW_SITES_TOP, "%s of its %s held by what %.80s%s%.120s:%u%s allocated, %s more than at first",
		 bytes, of->runtime, l->function, *l->function ? " (" : "", l->file, l->line, *l->function ? ")" : "",
		 grown);
}

struct json_object *mw_sites_lines(const struct mw_sites_look *look, char top[MW_SITES_TOP])
{
	struct json_object *list = json_object_new_array();
	pid_t pids[PROCESSES];
	ssize_t n = mw_cgroup_pids(look->cgroup_fd, true, pids, PROCESSES);
	__s64 most = 0;

	for (ssize_t i = 0; i < n && i < PROCESSES; i++) {
		struct mw_error err = {0};
		struct mw_lines lines;

		if (!mw_runtime_read("/proc", pids[i]).name || mw_lines_read("/proc", pids[i], &lines, &err) < 0)
			continue;
		for (size_t j = 0; j < lines.n && json_object_array_length(list) < LINES_MAX; j++)
			mw_sites_add(list, line_json(&lines, &lines.at[j]));
		if (!lines.n || lines.at[0].grown_bytes <= most)
			continue;
		most = lines.at[0].grown_bytes;
		say_top(&lines, &lines.at[0], top);
	}
	return list;
}
