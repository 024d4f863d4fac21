/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A document from a text, in parts of any size, and what comes out of it as a text. */
#ifndef MW_TESTS_SPEC_FIXTURE_H
#define MW_TESTS_SPEC_FIXTURE_H

#include <memweir/spec.h>

#include "unit.h"

struct spec_text {
	const char *in;
	size_t in_len, at, part; /* part: bytes a read gives at most; 0: any number */
	char *out;
	size_t out_len;
	int read_fails, write_fails; /* -errno; 0: they do not */
	int agains;
	struct memweir_spec_options options;
	struct memweir_spec_stats stats;
	struct memweir_spec_error error;
};

static int64_t spec_read(void *arg, void *buffer, size_t room)
{
	struct spec_text *t = arg;
	size_t n = t->in_len - t->at;

	if (!n && t->read_fails)
		return t->read_fails;
	n = n < room ? n : room;
	n = t->part && t->part < n ? t->part : n;
	memcpy(buffer, t->in + t->at, n);
	t->at += n;
	return (int64_t)n;
}

static int spec_write(void *arg, const void *bytes, size_t count)
{
	struct spec_text *t = arg;

	if (t->write_fails)
		return t->write_fails;
	t->out = realloc(t->out, t->out_len + count + 1);
	assert_non_null(t->out);
	memcpy(t->out + t->out_len, bytes, count);
	t->out_len += count;
	t->out[t->out_len] = '\0';
	return 0;
}

static int spec_again(void *arg)
{
	struct spec_text *t = arg;

	t->agains++;
	t->at = t->out_len = 0;
	return 0;
}

static void spec_give(struct spec_text *t, const char *in)
{
	t->in = in;
	t->in_len = strlen(in);
	t->at = t->out_len = 0;
	t->stats = MEMWEIR_INIT(struct memweir_spec_stats);
	t->error = MEMWEIR_INIT(struct memweir_spec_error);
	t->options.size = sizeof(t->options);
}

static inline int spec_strip_with(struct spec_text *t, const char *in, int (*again)(void *arg))
{
	const struct memweir_spec_io io = {sizeof(io), spec_read, spec_write, again, t};

	spec_give(t, in);
	return memweir_spec_strip(&t->options, &io, &t->stats, &t->error);
}

static inline int spec_strip(struct spec_text *t, const char *in)
{
	return spec_strip_with(t, in, spec_again);
}

/* in becomes out, in whatever parts it comes. */
static inline void assert_strips(const struct memweir_spec_options *options, const char *in, const char *out)
{
	static const size_t parts[] = {0, 1, 2, 3, 7, 13};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct spec_text t = {.part = parts[i]};
		int r;

		if (options)
			t.options = *options;
		r = spec_strip(&t, in);
		if (r)
			print_error("%s\n", t.error.text);
		assert_int_equal(r, 0);
		assert_string_equal(t.out, out);
		assert_int_equal(t.stats.output_bytes, strlen(out));
		assert_int_equal(t.stats.input_bytes, strlen(in));
		free(t.out);
	}
}

/* in fails with code there, and a sentence that has the words. */
static inline void assert_refused(const char *in, int code, unsigned int line, unsigned int column, const char *words)
{
	struct spec_text t = {0};
	int r = spec_strip(&t, in);

	if (r != code || t.error.line != line || t.error.column != column || !strstr(t.error.text, words))
		print_error("%d %llu:%llu %s\n", r, (unsigned long long)t.error.line,
			    (unsigned long long)t.error.column, t.error.text);
	assert_int_equal(r, code);
	assert_non_null(strstr(t.error.text, words));
	assert_int_equal(t.error.line, line);
	assert_int_equal(t.error.column, column);
	assert_int_equal(t.stats.input_bytes, 0); /* untouched */
	free(t.out);
}

#endif
