/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What is wrong, where, and what was meant. Quoted bytes may be anything; the sentence stays one printable line. */
#include "core/config_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

#define QUOTE_MAX 60 /* bytes shown of what was found */
#define WORD_MAX  40 /* longer words resemble no key */

/* Printable ASCII as it is, other bytes as \xNN, cut with "..." after max bytes of text. */
static const char *quote(const char *text, size_t max, char *buf, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; text[i] && len + 8 < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (i >= max) {
			len += (size_t)snprintf(buf + len, size - len, "...");
			break;
		}
		len += (size_t)snprintf(buf + len, size - len, c >= ' ' && c < 0x7f ? "%c" : "\\x%02x", c);
	}
	buf[len] = '\0';
	return buf;
}

const char *mw_section_text(const struct mw_section *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", mw_section_kind_name(s->kind), *s->name ? " " : "", s->name);
	return buf;
}

/* FILE:LINE: [SECTION] KEY: */
static void say_place(const struct mw_where *at, const struct mw_section *s, const char *key, char *buf, size_t size)
{
	char file[200] = "", section[MW_NAME_SIZE + 16], name[80];
	int len = 0;

	if (at->file)
		len = snprintf(buf, size, "%s:%u: ", quote(at->file, 160, file, sizeof(file)), at->line);
	if (s)
		len += snprintf(buf + len, size - (size_t)len, "[%s]%s", mw_section_text(s, section, sizeof(section)),
				key ? " " : ": ");
	if (key)
		snprintf(buf + len, size - (size_t)len, "%s: ", quote(key, WORD_MAX, name, sizeof(name)));
}

int mw_config_say(struct mw_error *err, int code, const struct mw_where *at, const struct mw_section *s,
		  const char *key, const char *found, const char *expected_fmt, ...)
{
	char place[400] = "", shown[QUOTE_MAX * 4 + 16], expected[256];
	va_list ap;

	va_start(ap, expected_fmt);
	vsnprintf(expected, sizeof(expected), expected_fmt, ap);
	va_end(ap);
	say_place(at, s, key, place, sizeof(place));
	if (!found)
		return mw_fail(err, code, "%sfound nothing, expected %s", place, expected);
	return mw_fail(err, code, "%sfound \"%s\", expected %s", place, quote(found, QUOTE_MAX, shown, sizeof(shown)),
		       expected);
}

int mw_say_wrong_value(struct mw_error *err, const struct mw_where *at, const struct mw_section *s,
		       const struct mw_key *key, const char *value)
{
	char expected[160];

	return mw_config_say(err, -EINVAL, at, s, key->name, value, "%s",
			     mw_key_expected(key, expected, sizeof(expected)));
}

/* Levenshtein distance of two words shorter than WORD_MAX. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

/* Keep the nearest word; *best begins at the distance where words no longer resemble. */
static void consider(const char *word, const char *candidate, size_t *best, const char **ret_nearest)
{
	size_t d;

	if (strlen(word) >= WORD_MAX || strlen(candidate) >= WORD_MAX)
		return;
	d = distance(word, candidate);
	if (d >= *best)
		return;
	*best = d;
	*ret_nearest = candidate;
}

int mw_say_unknown_key(struct mw_error *err, const struct mw_where *at, const struct mw_section *s, const char *key)
{
	size_t n, best = strlen(key) < 6 ? 3 : 4;
	const struct mw_key *keys = mw_keys(s->kind, &n);
	const char *nearest = NULL, *kind_name = mw_section_kind_name(s->kind);

	/* Keys of a worker are keys of a class. */
	for (int k = MW_SECTION_MAX - 1; k >= 0; k--)
		if (k != MW_SECTION_WORKER && mw_key_find((enum mw_section_kind)k, key))
			return mw_config_say(err, -EINVAL, at, s, key, key, "a key of [%s] (it belongs in [%s%s])",
					     kind_name, mw_section_kind_name((enum mw_section_kind)k),
					     k >= MW_SECTION_CLASS ? " NAME" : "");
	for (size_t i = 0; i < n; i++)
		if (mw_key_find(s->kind, keys[i].name))
			consider(key, keys[i].name, &best, &nearest);
	if (nearest)
		return mw_config_say(err, -EINVAL, at, s, key, key, "a key of [%s] (did you mean \"%s\"?)", kind_name,
				     nearest);
	return mw_config_say(err, -EINVAL, at, s, key, key, "a key of [%s]", kind_name);
}

int mw_say_unknown_section(struct mw_error *err, const struct mw_where *at, const char *found)
{
	static const char *const classes[] = {"context", "tool", "transport", "generic"};
	static const char *const kinds = "monitor, tree, http, otlp, class NAME, worker NAME or rule NAME";
	size_t best = 3, len = strcspn(found, " \t");
	const char *nearest = NULL;
	char word[WORD_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (strcmp(found, classes[i]) == 0)
			return mw_config_say(err, -EINVAL, at, NULL, NULL, found, "%s (did you mean \"class %s\"?)",
					     kinds, classes[i]);
	snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word) - 1), found);
	for (int k = 0; k < MW_SECTION_MAX; k++)
		consider(word, mw_section_kind_name((enum mw_section_kind)k), &best, &nearest);
	if (nearest)
		return mw_config_say(err, -EINVAL, at, NULL, NULL, found, "%s (did you mean \"%s\"?)", kinds, nearest);
	return mw_config_say(err, -EINVAL, at, NULL, NULL, found, "%s", kinds);
}

/* names: of all there are, n of them, each stride bytes after the one before. */
static int say_unknown(struct mw_error *err, const char *kind, const char *name, const char *names, size_t n,
		       size_t stride)
{
	char known[256] = "", shown[QUOTE_MAX * 4 + 16];
	size_t best = 3, len = 0;
	const char *nearest = NULL;
	bool full = false;

	for (size_t i = 0; i < n; i++) {
		const char *candidate = names + i * stride;

		consider(name, candidate, &best, &nearest);
		if (full)
			continue;
		full = len + strlen(candidate) + 8 > sizeof(known);
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i ? ", " : "",
					full ? "..." : candidate);
	}
	quote(name, QUOTE_MAX, shown, sizeof(shown));
	if (nearest)
		return mw_fail(err, -ENOENT, "%s \"%s\" is unknown (did you mean \"%s\"?); known: %s", kind, shown,
			       nearest, known);
	return mw_fail(err, -ENOENT, "%s \"%s\" is unknown; known: %s", kind, shown, n ? known : "none");
}

int mw_say_unknown_class(struct mw_error *err, const struct mw_config *cfg, const char *name)
{
	return say_unknown(err, "class", name, cfg->n_classes ? cfg->classes[0].name : NULL, cfg->n_classes,
			   sizeof(*cfg->classes));
}

int mw_say_unknown_rule(struct mw_error *err, const struct mw_config *cfg, const char *name)
{
	return say_unknown(err, "rule", name, cfg->n_rules ? cfg->rules[0].name : NULL, cfg->n_rules,
			   sizeof(*cfg->rules));
}

int mw_say_file(struct mw_error *err, int code, const char *what, const char *path)
{
	char shown[320];

	return mw_fail(err, code, "%s: %s: %s", quote(path, 300, shown, sizeof(shown)), what, strerror(-code));
}
