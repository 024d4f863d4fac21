// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sized.h"
#include "lib/spec_input.h"
#include "util/cleanup.h"

#define PASSES_MAX 8 /* what is kept may point into more that was left out */

struct work {
	struct mw_strip strip;
	struct mw_spec_input input;
	const struct mw_spec_target *target;
	uint32_t format; /* as wanted */
};

/* Behind what is there already. */
static int more(struct mw_spec_input *in, struct memweir_spec_error *error)
{
	size_t room = sizeof(in->bytes) - in->len;
	int64_t n;
	int r;

	if (in->ended || !room)
		return 0;
	n = in->io->read(in->io->arg, in->bytes + in->len, room);
	if (n < 0)
		return (int)n;
	if ((uint64_t)n > room)
		return -EINVAL;
	in->ended = n == 0;
	in->len += (size_t)n;
	in->total += (uint64_t)n;
	if (in->total > in->max_bytes)
		return mw_spec_fail(error, -EFBIG, "more than %llu bytes", (unsigned long long)in->max_bytes);
	r = in->account && n ? in->account(in->account_arg, n) : 0;
	return r < 0 ? mw_spec_fail(error, r, "more than the store may hold in all") : 0;
}

int mw_spec_input_fill(struct mw_spec_input *in, struct memweir_spec_error *error)
{
	if (in->at < in->len)
		return 0;
	in->at = in->len = 0;
	return more(in, error);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without a byte order mark; by the first character that is no space, in as many reads as that takes. */
static int recognise(struct work *w)
{
	struct mw_spec_input *in = &w->input;
	size_t len, at = 0;
	int r;

	do {
		len = in->len;
		r = more(in, &w->strip.error);
		if (r)
			return r;
		if (!in->at && in->len >= 3 && memcmp(in->bytes, "\xef\xbb\xbf", 3) == 0)
			in->at = at = 3;
		while (at < in->len && is_space(in->bytes[at]))
			at++;
	} while (in->len > len && (at == in->len || in->len < 3));
	if (w->format)
		return (int)w->format;
	return at < in->len && (in->bytes[at] == '{' || in->bytes[at] == '[') ? MEMWEIR_SPEC_JSON : MEMWEIR_SPEC_YAML;
}

static int one_pass(struct work *w)
{
	int format = recognise(w), r;

	if (format < 0)
		return format;
	w->strip.stats.format = (uint32_t)format;
	r = format == MEMWEIR_SPEC_JSON ? mw_spec_read_json(&w->input, &w->strip)
					: mw_spec_read_yaml(&w->input, &w->strip);
	return r ? r : mw_strip_end(&w->strip);
}

static int again(struct work *w)
{
	const struct memweir_spec_io *io = w->input.io;
	int r;

	if (!io->again || w->strip.stats.passes == PASSES_MAX)
		return mw_spec_fail(&w->strip.error, -ENOLINK, "a $ref points into what is left out: #%.180s",
				    w->strip.keep.pointers[w->strip.keep.n - 1]);
	r = io->again(io->arg);
	if (!r && w->target->again)
		r = w->target->again(w->target->arg);
	if (r)
		return r < 0 ? r : -EINVAL;
	if (w->input.account)
		r = w->input.account(w->input.account_arg, -(int64_t)w->input.total);
	w->input.total = w->input.at = w->input.len = 0;
	w->input.ended = false;
	mw_strip_restart(&w->strip);
	return r;
}

static int all_passes(struct work *w)
{
	for (uint32_t passes = 1;; passes++) {
		int r = one_pass(w);

		if (r)
			return r;
		w->strip.stats.passes = passes;
		if (!w->strip.must_again)
			return 0;
		r = again(w);
		if (r)
			return r;
	}
}

static void free_work(struct work **w)
{
	if (*w)
		mw_strip_free(&(*w)->strip);
	free(*w);
}

static int prepare(struct work *w, const struct memweir_spec_options *options, const struct mw_spec_target *target)
{
	if (options->format > MEMWEIR_SPEC_YAML || options->reserved)
		return mw_spec_fail(&w->strip.error, -EINVAL, "options that cannot be");
	w->target = target;
	w->format = options->format;
	w->input.account = target->account;
	w->input.account_arg = target->arg;
	w->input.max_bytes = options->max_bytes ? options->max_bytes : MEMWEIR_SPEC_MAX_BYTES;
	if (target->max_bytes && target->max_bytes < w->input.max_bytes)
		w->input.max_bytes = target->max_bytes;
	return mw_strip_init(&w->strip, options, target->write, target->arg);
}

static int told(int rc, const struct work *w, struct memweir_spec_error *ret_error)
{
	struct memweir_spec_error error = w->strip.error;

	if (!error.text[0])
		mw_spec_fail(&error, rc, "%s", strerror(-rc));
	if (ret_error)
		mw_sized_out(ret_error, &error, sizeof(error));
	return rc;
}

int mw_spec_run(const struct memweir_spec_options *options, const struct memweir_spec_io *io,
		const struct mw_spec_target *target, struct memweir_spec_stats *ret_stats,
		struct memweir_spec_error *ret_error)
{
	_cleanup_(free_work) struct work *w = calloc(1, sizeof(*w));
	struct memweir_spec_options o;
	int r;

	if (!w)
		return -ENOMEM;
	w->input.io = io;
	r = mw_sized_in(&o, sizeof(o), options);
	r = r ? r : prepare(w, &o, target);
	r = r ? r : all_passes(w);
	if (r < 0)
		return told(r, w, ret_error);
	w->strip.stats.input_bytes = w->input.total;
	w->strip.stats.output_bytes = w->strip.out.total;
	return ret_stats ? mw_sized_out(ret_stats, &w->strip.stats, sizeof(w->strip.stats)) : 0;
}

int memweir_spec_strip(const struct memweir_spec_options *options, const struct memweir_spec_io *io,
		       struct memweir_spec_stats *ret_stats, struct memweir_spec_error *ret_error)
{
	struct memweir_spec_io ours;
	struct mw_spec_target target = {0};
	int r = io ? mw_sized_in(&ours, sizeof(ours), io) : -EINVAL;

	if (r < 0)
		return r;
	if (!ours.read || !ours.write)
		return -EINVAL;
	target.write = ours.write;
	target.arg = ours.arg;
	return mw_spec_run(options, &ours, &target, ret_stats, ret_error);
}
