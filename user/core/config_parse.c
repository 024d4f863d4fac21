/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Text to (section, key, value). libinih splits keys, values and comments. What it would do in silence
 * (version 55: cut lines at 199 bytes and section names at 49, take indented lines for more of the value
 * above, ignore text behind a section's bracket, accept NUL bytes) the reader that feeds it refuses or does itself.
 */
#include "core/config_impl.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* Which keys a section of this file has had. */
struct seen {
	struct mw_section section;
	__u32 keys; /* a bit a row */
};

struct source {
	const char *next, *end; /* what is left of the text */
	struct mw_where at; /* line given to inih last */
	char pending[256]; /* that line until its key arrives; "" when none is awaited */
	struct seen *seen;
	size_t n_seen, capacity;
	struct seen *now; /* section we are in, NULL before the first */
	mw_line_fn fn;
	void *arg;
	struct mw_error *err;
	int failed;
};

static void free_seen(struct source *src)
{
	free(src->seen);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* "class tool", with any blanks between. */
int mw_section_parse(const char *text, const struct mw_where *at, struct mw_section *ret_section, struct mw_error *err)
{
	size_t len = strcspn(text, " \t");
	const char *name = text + len + strspn(text + len, " \t");

	for (int kind = 0; kind < MW_SECTION_MAX; kind++) {
		struct mw_section s = {.kind = (enum mw_section_kind)kind};
		bool named = kind >= MW_SECTION_CLASS;

		if (strlen(mw_section_kind_name(s.kind)) != len ||
		    strncmp(text, mw_section_kind_name(s.kind), len) != 0)
			continue;
		if (!named && *name)
			break;
		if (named && !mw_name_valid(name))
			return mw_config_say(
				err, -EINVAL, at, &s, NULL, name,
				"a name: letters, digits, ._- (first a letter or digit, at most %d; not daemon, "
				"cgroup.*, memory.*)",
				MW_NAME_SIZE - 1);
		snprintf(s.name, sizeof(s.name), "%s", name);
		*ret_section = s;
		return 0;
	}
	return mw_say_unknown_section(err, at, text);
}

static bool same_section(const struct mw_section *a, const struct mw_section *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

/* Make section the present one; it may have been there before in this file. */
static int enter_section(struct source *src, const struct mw_section *section)
{
	for (size_t i = 0; i < src->n_seen; i++) {
		if (!same_section(&src->seen[i].section, section))
			continue;
		src->now = &src->seen[i];
		return 0;
	}
	if (src->n_seen == MW_CONFIG_SECTIONS_MAX)
		return mw_fail(src->err, -E2BIG, "%s: more than %d sections", src->at.file, MW_CONFIG_SECTIONS_MAX);
	if (src->n_seen == src->capacity) {
		size_t capacity = src->capacity ? src->capacity * 2 : 16;
		struct seen *grown = reallocarray(src->seen, capacity, sizeof(*grown));

		if (!grown)
			return mw_fail(src->err, -ENOMEM, "out of memory");
		src->seen = grown;
		src->capacity = capacity;
	}
	src->now = &src->seen[src->n_seen++];
	*src->now = (struct seen){.section = *section};
	return 0;
}

/* "[class tool]", blanks and a comment may follow. */
static int begin_section(struct source *src, char *line)
{
	char *close = strchr(line, ']'), *rest, *name = line + 1 + strspn(line + 1, " \t");
	struct mw_section section = {0};
	int r;

	if (!close)
		return mw_config_say(src->err, -EINVAL, &src->at, NULL, NULL, line, "a ] at the end of [SECTION]");
	rest = close + 1 + strspn(close + 1, " \t");
	if (*rest && *rest != ';' && *rest != '#')
		return mw_config_say(src->err, -EINVAL, &src->at, NULL, NULL, line, "nothing after [SECTION]");
	while (close > name && is_blank(close[-1]))
		close--;
	*close = '\0';
	r = mw_section_parse(name, &src->at, &section, src->err);
	if (r < 0)
		return r;
	r = enter_section(src, &section);
	return r < 0 ? r : src->fn(src->arg, &src->at, &section, NULL, NULL, src->err);
}

/* The line inih got last held neither a key nor anything else. */
static int check_pending(struct source *src)
{
	if (!*src->pending)
		return 0;
	return mw_config_say(src->err, -EINVAL, &src->at, NULL, NULL, src->pending, "KEY = VALUE or [SECTION]");
}

/* The next line without blanks around it, in buf; comments become empty lines. 0 at the end, 1, or -EINVAL. */
static int next_line(struct source *src, char *buf, size_t size)
{
	const char *start = src->next, *eol = memchr(start, '\n', (size_t)(src->end - start));
	size_t len;

	if (start == src->end)
		return 0;
	src->at.line++;
	src->next = eol ? eol + 1 : src->end;
	eol = eol ? eol : src->end;
	if (memchr(start, '\0', (size_t)(eol - start)))
		return mw_config_say(src->err, -EINVAL, &src->at, NULL, NULL, start, "text, not a NUL byte");
	if (src->at.line == 1 && eol - start >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0)
		start += 3;
	while (start < eol && is_blank(*start))
		start++;
	while (eol > start && is_blank(eol[-1]))
		eol--;
	len = (size_t)(eol - start);
	if (len && (*start == '#' || *start == ';'))
		len = 0;
	if (len >= size) {
		char head[100];

		memcpy(head, start, sizeof(head) - 1);
		head[sizeof(head) - 1] = '\0';
		return mw_config_say(src->err, -EINVAL, &src->at, NULL, NULL, head, "a line of at most %zu bytes",
				     size - 1);
	}
	memcpy(buf, start, len);
	buf[len] = '\0';
	return 1;
}

/* inih's fgets. */
static char *feed(char *buf, int size, void *stream)
{
	struct source *src = stream;
	size_t room = (size_t)size < sizeof(src->pending) ? (size_t)size : sizeof(src->pending);
	int r;

	if (!src->failed)
		src->failed = check_pending(src);
	if (src->failed)
		return NULL;
	r = next_line(src, buf, room);
	if (r <= 0) {
		src->failed = r;
		return NULL;
	}
	snprintf(src->pending, sizeof(src->pending), "%s", buf);
	if (*buf == '[') {
		src->failed = begin_section(src, buf);
		*src->pending = *buf = '\0';
	}
	return buf;
}

static int take_key(struct source *src, const char *name, const char *value)
{
	const struct mw_key *key;
	size_t n;
	__u32 bit;

	if (!src->now)
		return mw_config_say(src->err, -EINVAL, &src->at, NULL, name, value,
				     "a [SECTION] before the first key");
	key = mw_key_find(src->now->section.kind, name);
	if (!key)
		return mw_say_unknown_key(src->err, &src->at, &src->now->section, name);
	bit = 1U << (key - mw_keys(src->now->section.kind, &n));
	if (src->now->keys & bit)
		return mw_config_say(src->err, -EINVAL, &src->at, &src->now->section, name, value,
				     "the key once in this section of the file");
	src->now->keys |= bit;
	return src->fn(src->arg, &src->at, &src->now->section, name, value, src->err);
}

/* inih's handler. Its section is cut at 49 bytes; the source knows the whole. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct source *src = user;

	(void)section;
	*src->pending = '\0';
	if (!src->failed)
		src->failed = take_key(src, name, value);
	return !src->failed;
}

int mw_config_parse(const char *text, size_t len, const char *file, mw_line_fn fn, void *arg, struct mw_error *err)
{
	_cleanup_(free_seen) struct source src = {
		.next = text,
		.end = text + len,
		.at = {.file = file},
		.fn = fn,
		.arg = arg,
		.err = err,
	};
	int r = ini_parse_stream(feed, &src, on_key, &src);

	if (src.failed)
		return src.failed;
	/* What inih alone objects to has been found by check_pending. */
	return r ? mw_fail(err, r < 0 ? -ENOMEM : -EINVAL, "%s: line %d is not understood", file, r) : 0;
}
