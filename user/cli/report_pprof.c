/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* report leaks as a profile. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/field.h"
#include "cli/report.h"
#include "report/pprof.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define FRAMES_MAX 256 /* of a site: more than the daemon keeps */

static struct mw_frame frame_of(struct json_object *f)
{
	struct mw_frame frame = {
		.function = mw_field_str(f, "function"),
		.file = mw_field_str(f, "file"),
		.line = (__u32)mw_field_number(f, "line", 0),
		.module = mw_field_str(f, "module"),
		.build_id = mw_field_str(f, "build_id"),
		.inlined = mw_field_bool(f, "inlined"),
	};

	mw_field_u64(f, "offset", &frame.offset);
	return frame;
}

static void add_site(struct mw_pprof *p, struct json_object *worker, struct json_object *site)
{
	struct json_object *list = mw_field_array(site, "frames");
	struct mw_frame frames[FRAMES_MAX];
	const char *runtime = mw_field_str(site, "runtime"), *script = mw_field_str(site, "script");
	const struct mw_pprof_label labels[] = {
		{"worker", mw_field_str(worker, "name")},
		{"class", mw_field_str(worker, "class")},
		{"kind", mw_field_str(site, "kind")},
		{"comm", mw_field_str(site, "comm")},
		{"pid", NULL, (__s64)mw_field_number(site, "pid", 0)},
		{"runtime", runtime},
		{"script", script},
	};
	__u64 bytes = 0, objects = 0;
	size_t n = 0;

	for (; n < mw_field_length(list) && n < FRAMES_MAX; n++)
		frames[n] = frame_of(json_object_array_get_idx(list, n));
	mw_field_u64(site, "bytes", &bytes);
	mw_field_u64(site, "objects", &objects);
	mw_pprof_sample(p, frames, n, objects, bytes, labels, ARRAY_SIZE(labels) - (*runtime ? (*script ? 0 : 1) : 2));
}

/* What is in none of the sites, so that sums stay whole. */
static void add_left_out(struct mw_pprof *p, struct json_object *worker)
{
	const struct mw_frame frame = {.function = MW_SITES_LEFT_OUT, .file = "", .module = "", .build_id = ""};
	const struct mw_pprof_label labels[] = {{"worker", mw_field_str(worker, "name")},
						{"class", mw_field_str(worker, "class")}};
	__u64 bytes = 0;

	if (mw_field_u64(worker, "sites_left_out_bytes", &bytes) && bytes)
		mw_pprof_sample(p, &frame, 1, 0, bytes, labels, ARRAY_SIZE(labels));
}

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t w = write(fd, bytes, n);

		if (w < 0 && errno != EINTR)
			return -errno;
		bytes += w < 0 ? 0 : w;
		n -= w < 0 ? 0 : (size_t)w;
	}
	return 0;
}

static int put(const char *file, const char *bytes, size_t n)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (!*file)
		return write_all(STDOUT_FILENO, bytes, n);
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes, n);
	if (r < 0)
		unlink(file); /* a part of it is of no use */
	return r;
}

int mw_write_pprof(const struct mw_cli *cli, const char *file, struct json_object *workers)
{
	struct mw_pprof *p = mw_pprof_new(mw_wall_ns(), "memweir " MW_VERSION " report leaks");
	_cleanup_free_ void *bytes = NULL;
	size_t n = 0;
	int r = p ? 0 : -ENOMEM;

	for (size_t i = 0; p && i < mw_field_length(workers); i++) {
		struct json_object *w = json_object_array_get_idx(workers, i), *sites = mw_field_array(w, "sites");

		for (size_t j = 0; j < mw_field_length(sites); j++)
			add_site(p, w, json_object_array_get_idx(sites, j));
		add_left_out(p, w);
	}
	if (p)
		r = mw_pprof_end(p, &bytes, &n);
	mw_pprof_free(p);
	if (r == 0)
		r = put(file, bytes, n);
	if (r == 0)
		return MW_EXIT_OK;
	mw_say_error(cli, "%s: %s%s", *file ? file : "standard output", strerror(-r),
		     r == -EEXIST ? ", expected a new file" : "");
	return MW_EXIT_FAILURE;
}
