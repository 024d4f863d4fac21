/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One value of one key: text in, text out, and the words for what would have been right. */
#include "core/config_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "memweir/heap.h"
#include "util/address.h"
#include "util/cleanup.h"
#include "util/size.h"

static bool in_range(const struct mw_key *key, __u64 value)
{
	return (value >= key->min && value <= key->max) || (value == 0 && (key->flags & MW_KEY_ALLOW_ZERO));
}

/* Words that stand for a number: auto, max, none, yes, no. */
static bool number_word(const struct mw_key *key, const char *text, __u64 *ret_value)
{
	static const struct {
		const char *word;
		unsigned int flag;
		__u64 value;
	} words[] = {
		{"auto", MW_KEY_ALLOW_AUTO, MW_AUTO},
		{"max", MW_KEY_ALLOW_MAX, MW_UNLIMITED},
		{"none", MW_KEY_ALLOW_ZERO, 0},
		{"no", MW_KEY_YES_NO, 0},
		{"yes", MW_KEY_YES_NO, MW_HEAP_MEAN_DEFAULT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!(key->flags & words[i].flag) || strcasecmp(text, words[i].word) != 0)
			continue;
		*ret_value = words[i].value;
		return true;
	}
	return false;
}

static int parse_u64(const struct mw_key *key, const char *text, void *field)
{
	__u64 value;

	if (!number_word(key, text, &value)) {
		int r = key->type == MW_KEY_SIZE ? mw_size_parse(text, &value) : mw_duration_parse(text, &value);

		if (r < 0 || !in_range(key, value))
			return -EINVAL;
	}
	*(__u64 *)field = value;
	return 0;
}

static int parse_count(const struct mw_key *key, const char *text, void *field)
{
	__u64 value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (__u64)(*text - '0');
		if (value > key->max)
			return -EINVAL;
	}
	if (!in_range(key, value))
		return -EINVAL;
	*(__u32 *)field = (__u32)value;
	return 0;
}

static int parse_ratio(const struct mw_key *key, const char *text, void *field)
{
	double value;

	if (mw_ratio_parse(text, &value) < 0 || value < (double)key->min / 1000 || value > (double)key->max / 1000)
		return -EINVAL;
	*(double *)field = value;
	return 0;
}

static int parse_bool(const struct mw_key *key, const char *text, void *field)
{
	static const char *const words[] = {"no", "yes", "off", "on", "false", "true", "0", "1"};

	(void)key;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(text, words[i]) != 0)
			continue;
		*(bool *)field = i % 2;
		return 0;
	}
	return -EINVAL;
}

static int parse_choice(const struct mw_key *key, const char *text, void *field)
{
	for (int i = 0; key->names[i]; i++) {
		if (strcasecmp(text, key->names[i]) != 0)
			continue;
		if (key->size == sizeof(bool))
			*(bool *)field = i;
		else
			memcpy(field, &i, sizeof(i));
		return 0;
	}
	return -EINVAL;
}

/* No blank or comment sign, no "//", no trailing slash, no part that is "." or begins with "..": a path is compared as
 * text later. */
static bool path_valid(const char *path)
{
	if (path[0] != '/')
		return false;
	for (const char *c = path; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == ';' || *c == '#' || *c == '"')
			return false;
		if (*c == '/' && (!c[1] || c[1] == '/' || (c[1] == '.' && (!c[2] || c[2] == '/' || c[2] == '.'))))
			return false;
	}
	return true;
}

static int parse_path(const struct mw_key *key, const char *text, void *field)
{
	if ((key->flags & MW_KEY_ALLOW_EMPTY) && strcasecmp(text, "none") == 0)
		text = "";
	else if (!path_valid(text) || strlen(text) >= key->size)
		return -EINVAL;
	memset(field, 0, key->size);
	memcpy(field, text, strlen(text));
	return 0;
}

static int parse_pattern(const struct mw_key *key, const char *text, void *field)
{
	if (strlen(text) >= key->size || mw_pattern_check(text, key->flags) < 0)
		return -EINVAL;
	memset(field, 0, key->size);
	memcpy(field, text, strlen(text));
	return 0;
}

static int parse_name(const struct mw_key *key, const char *text, void *field)
{
	if (*text && !mw_name_valid(text))
		return -EINVAL;
	memset(field, 0, key->size);
	memcpy(field, text, strlen(text));
	return 0;
}

/* Whether there is such a group is asked when the daemon starts. */
static int parse_group(const struct mw_key *key, const char *text, void *field)
{
	size_t n = strlen(text);

	if ((key->flags & MW_KEY_ALLOW_EMPTY) && strcasecmp(text, "none") == 0)
		text = "", n = 0;
	else if (!n || n >= key->size || text[0] == '-' || text[0] == '.' ||
		 strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@") != n)
		return -EINVAL;
	memset(field, 0, key->size);
	memcpy(field, text, n);
	return 0;
}

static int parse_listen(const struct mw_key *key, const char *text, void *field)
{
	struct mw_address address;

	if (strcasecmp(text, "none") == 0)
		text = "";
	else if (mw_address_parse(text, &address) < 0 || strlen(text) >= key->size)
		return -EINVAL;
	memset(field, 0, key->size);
	memcpy(field, text, strlen(text));
	return 0;
}

/* What it means is asked when it is used; here only that a line can hold it. */
static int parse_url(const struct mw_key *key, const char *text, void *field)
{
	bool url = !strncasecmp(text, "http://", 7) || !strncasecmp(text, "https://", 8);
	const char *host = url ? strchr(text, ':') + 3 : text;

	if (!strcasecmp(text, "environment"))
		text = "";
	else if (!strcasecmp(text, "none"))
		text = "none";
	else if (!url || !*host || strchr("/?#:", *host) || strlen(text) >= key->size)
		return -EINVAL;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == ';' || *c == '#' || *c == '"')
			return -EINVAL;
	memset(field, 0, key->size);
	memcpy(field, text, strlen(text));
	return 0;
}

static int (*const parsers[])(const struct mw_key *key, const char *text, void *field) = {
	[MW_KEY_SIZE] = parse_u64,    [MW_KEY_DURATION] = parse_u64,	[MW_KEY_RATIO] = parse_ratio,
	[MW_KEY_COUNT] = parse_count, [MW_KEY_BOOL] = parse_bool,	[MW_KEY_CHOICE] = parse_choice,
	[MW_KEY_PATH] = parse_path,   [MW_KEY_PATTERN] = parse_pattern, [MW_KEY_NAME] = parse_name,
	[MW_KEY_GROUP] = parse_group, [MW_KEY_LISTEN] = parse_listen,	[MW_KEY_URL] = parse_url,
};
_Static_assert(ARRAY_SIZE(parsers) == MW_KEY_TYPE_MAX, "a parser for every type");

int mw_key_parse(const struct mw_key *key, const char *text, void *base)
{
	return parsers[key->type](key, text, (char *)base + key->offset);
}

int mw_key_check(const struct mw_key *key, const char *value)
{
	union {
		struct mw_monitor monitor;
		struct mw_tree tree;
		struct mw_http http;
		struct mw_otlp_settings otlp;
		struct mw_profile profile;
		struct mw_rule rule;
	} scratch;

	return mw_is_default(key, value) ? 0 : mw_key_parse(key, value, &scratch);
}

bool mw_is_default(const struct mw_key *key, const char *value)
{
	return !*value || (key->type != MW_KEY_PATTERN && strcasecmp(value, "default") == 0);
}

static const char *print_u64(const struct mw_key *key, __u64 value, char *buf, size_t size)
{
	if (key->type == MW_KEY_DURATION)
		return mw_duration_exact(value, buf, size);
	if (!value && (key->flags & MW_KEY_YES_NO)) {
		snprintf(buf, size, "no");
		return buf;
	}
	if (value != MW_AUTO)
		return mw_size_exact(value, buf, size);
	snprintf(buf, size, "auto");
	return buf;
}

const char *mw_key_print(const struct mw_key *key, const void *base, char *buf, size_t size)
{
	const char *field = (const char *)base + key->offset;
	int choice = 0;

	switch (key->type) {
	case MW_KEY_SIZE:
	case MW_KEY_DURATION:
		return print_u64(key, *(const __u64 *)field, buf, size);
	case MW_KEY_RATIO:
		snprintf(buf, size, "%.15g", *(const double *)field);
		break;
	case MW_KEY_COUNT:
		snprintf(buf, size, "%u", *(const __u32 *)field);
		break;
	case MW_KEY_BOOL:
		snprintf(buf, size, "%s", *(const bool *)field ? "yes" : "no");
		break;
	case MW_KEY_CHOICE:
		memcpy(&choice, field, key->size);
		snprintf(buf, size, "%s", key->names[choice]);
		break;
	case MW_KEY_URL:
		snprintf(buf, size, "%s", *field ? field : "environment");
		break;
	case MW_KEY_PATTERN:
	case MW_KEY_NAME:
		snprintf(buf, size, "%s", field);
		break;
	default:
		snprintf(buf, size, "%s", *field ? field : "none");
	}
	return buf;
}

static void expected_choice(const struct mw_key *key, char *buf, size_t size)
{
	int len = 0;

	for (size_t i = 0; key->names[i] && len >= 0 && (size_t)len < size; i++)
		len += snprintf(buf + len, size - (size_t)len, "%s%s",
				!i		    ? ""
				: key->names[i + 1] ? ", "
						    : " or ",
				key->names[i]);
}

const char *mw_key_expected(const struct mw_key *key, char *buf, size_t size)
{
	const char *also_auto = key->flags & MW_KEY_ALLOW_AUTO ? ", auto" : "";
	const char *also_max = key->flags & MW_KEY_ALLOW_MAX ? ", max" : "";
	const char *also_zero = key->flags & MW_KEY_ALLOW_ZERO ? ", 0" : "";
	char min[32], max[32];

	switch (key->type) {
	case MW_KEY_SIZE:
		if (key->flags & MW_KEY_YES_NO) {
			snprintf(buf, size, "yes, no or a size from %s to %s",
				 mw_size_exact(key->min, min, sizeof(min)), mw_size_exact(key->max, max, sizeof(max)));
			break;
		}
		snprintf(buf, size, "a size from %s (as 64M, 50MB)%s%s%s", mw_size_exact(key->min, min, sizeof(min)),
			 also_auto, also_max, also_zero);
		break;
	case MW_KEY_DURATION:
		snprintf(buf, size, "a time from %s to %s%s", mw_duration_exact(key->min, min, sizeof(min)),
			 mw_duration_exact(key->max, max, sizeof(max)), also_zero);
		break;
	case MW_KEY_RATIO:
		snprintf(buf, size, "a share from %g to %g", (double)key->min / 1000, (double)key->max / 1000);
		break;
	case MW_KEY_COUNT:
		snprintf(buf, size, "a number from %llu to %llu", key->min, key->max);
		break;
	case MW_KEY_BOOL:
		snprintf(buf, size, "yes or no");
		break;
	case MW_KEY_CHOICE:
		expected_choice(key, buf, size);
		break;
	case MW_KEY_PATTERN:
		snprintf(buf, size, "a pattern%s of at most %zu bytes (*, ?, [...]; a [ is closed, no comment)",
			 key->flags & MW_KEY_DIGITS ? " of numbers" : "", key->size - 1);
		break;
	case MW_KEY_NAME:
		snprintf(buf, size, "the name of a class, or none");
		break;
	case MW_KEY_GROUP:
		snprintf(buf, size, "a group's name or number, or none");
		break;
	case MW_KEY_LISTEN:
		snprintf(buf, size,
			 "127.0.0.1:PORT, [::1]:PORT or none: there is no password, so from afar it is ssh -L "
			 "PORT:127.0.0.1:PORT HOST");
		break;
	case MW_KEY_URL:
		snprintf(buf, size, "http://HOST:PORT or https://HOST:PORT of at most %zu bytes, none or environment",
			 key->size - 1);
		break;
	default:
		snprintf(buf, size, "an absolute path of at most %zu bytes, no blank, .., ; or #%s", key->size - 1,
			 key->flags & MW_KEY_ALLOW_EMPTY ? ", none" : "");
	}
	return buf;
}

int mw_heap_sample_parse(const char *text, __u64 *ret_bytes, char *ret_expected, size_t size)
{
	const struct mw_key *key = mw_key_find(MW_SECTION_CLASS, "heap_sample");
	struct mw_profile p = {0};
	int r = mw_key_parse(key, text, &p);

	if (r < 0) {
		mw_key_expected(key, ret_expected, size);
		return r;
	}
	*ret_bytes = p.heap_sample;
	return 0;
}
