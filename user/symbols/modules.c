/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define DELETED " (deleted)"

void mw_modules_free(struct mw_modules *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->at[i].path);
	free(m->at);
	m->at = NULL;
	m->n = 0;
}

const struct mw_module *mw_modules_find(const struct mw_modules *m, __u64 address)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->at[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->n && m->at[low].start <= address ? &m->at[low] : NULL;
}

/* Room for one more: it grows by doubling. */
static int make_room(struct mw_modules *list)
{
	struct mw_module *more;

	if (list->n & (list->n - 1))
		return 0;
	more = reallocarray(list->at, list->n ? 2 * list->n : 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->at = more;
	return 0;
}

int mw_modules_add(struct mw_modules *list, const struct mw_module *m, const char *path, size_t path_n)
{
	char *copy;

	if (m->start >= m->end || (list->n && list->at[list->n - 1].end > m->start))
		return -EINVAL;
	if (list->n == MW_MODULES_MAX) {
		list->left_out++;
		return 0;
	}
	copy = strndup(path, path_n < MW_MODULE_PATH ? path_n : MW_MODULE_PATH - 1);
	if (!copy || make_room(list)) {
		free(copy);
		return -ENOMEM;
	}
	list->at[list->n] = *m;
	list->at[list->n++].path = copy;
	return 0;
}

/* Digits of that base up to, and with, the character behind. */
static bool take_number(const char **at, const char *end, unsigned int base, char behind, __u64 *ret)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = *at;
	__u64 value = 0;

	for (; p < end && *p != behind; p++) {
		const char *digit = *p ? strchr(digits, *p) : NULL;
		__u64 d = digit ? (__u64)(digit - digits) : base;

		if (d >= base || value > (~0ULL - d) / base)
			return false;
		value = value * base + d;
	}
	if (p == end || p == *at)
		return false;
	*at = p + 1;
	*ret = value;
	return true;
}

/* "START-END PERM OFFSET MAJOR:MINOR INODE          PATH", without the line's end. */
static bool take_line(const char *at, const char *end, struct mw_module *m, bool *ret_runs, const char **ret_path)
{
	__u64 major, minor;

	*m = (struct mw_module){0};
	if (!take_number(&at, end, 16, '-', &m->start) || !take_number(&at, end, 16, ' ', &m->end))
		return false;
	if (end - at < 5 || at[4] != ' ')
		return false;
	*ret_runs = at[2] == 'x';
	at += 5;
	if (!take_number(&at, end, 16, ' ', &m->offset) || !take_number(&at, end, 16, ':', &major) ||
	    !take_number(&at, end, 16, ' ', &minor) || !take_number(&at, end, 10, ' ', &m->inode))
		return false;
	if (major > 0xffffffff || minor > 0xffffffff || m->start >= m->end)
		return false;
	m->dev_major = (__u32)major;
	m->dev_minor = (__u32)minor;
	while (at < end && *at == ' ')
		at++;
	*ret_path = at;
	return true;
}

/* Code that is written at run time comes in many small mappings. */
static bool extends_last(struct mw_modules *list, const struct mw_module *m, size_t path_n)
{
	struct mw_module *last = list->n ? &list->at[list->n - 1] : NULL;

	if (!last || last->end != m->start || last->inode || m->inode || *last->path || path_n)
		return false;
	last->end = m->end;
	return true;
}

static int add_line(struct mw_modules *list, const char *at, const char *end)
{
	struct mw_module m;
	const char *path;
	size_t n, cut = strlen(DELETED);
	bool runs;

	if (!take_line(at, end, &m, &runs, &path))
		return -EBADMSG;
	n = (size_t)(end - path);
	if (!runs || extends_last(list, &m, n))
		return 0;
	if (n > cut && !memcmp(end - cut, DELETED, cut)) {
		m.deleted = true;
		n -= cut;
	}
	return mw_modules_add(list, &m, path, n);
}

int mw_modules_read_maps(struct mw_modules *list, const char *text, size_t n, struct mw_error *err)
{
	const char *end = text + n;
	size_t line = 0;
	int r = 0;

	for (const char *at = text; !r && at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		stop = stop ? stop : end;
		line++;
		r = add_line(list, at, stop);
		at = stop + 1;
	}
	if (r == -EBADMSG || r == -EINVAL)
		return mw_fail(err, -EBADMSG, "maps: line %zu is none, or not behind the one before it", line);
	return r;
}

bool mw_status_last(const char *text, const char *key, __u64 *ret)
{
	const char *at = strstr(text, key), *end, *word;

	while (at && at != text && at[-1] != '\n')
		at = strstr(at + 1, key);
	if (!at)
		return false;
	end = strchrnul(at, '\n');
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	for (word = end; word > at && word[-1] >= '0' && word[-1] <= '9'; word--)
		;
	if (word == end || end - word > 19)
		return false;
	*ret = strtoull(word, NULL, 10);
	return true;
}

bool mw_build_id_valid(const char *id)
{
	size_t n = strspn(id, "0123456789abcdef");

	return !id[n] && n >= 2 && n < MW_BUILD_ID && n % 2 == 0;
}
