/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/size.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "memweir/abi.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define LARGEST		(1ULL << 63)
#define FRACTION_DIGITS 9

/* 12.5 is {12, 5, 10}: exact, and no locale decides what its point looks like. */
struct decimal {
	__u64 whole, part, scale;
};

struct unit {
	const char *name;
	__u64 factor;
};

static const struct unit size_units[] = {
	{"", 1},
	{"B", 1},
	{"K", 1ULL << 10},
	{"KiB", 1ULL << 10},
	{"KB", 1000ULL},
	{"M", 1ULL << 20},
	{"MiB", 1ULL << 20},
	{"MB", 1000000ULL},
	{"G", 1ULL << 30},
	{"GiB", 1ULL << 30},
	{"GB", 1000000000ULL},
	{"T", 1ULL << 40},
	{"TiB", 1ULL << 40},
	{"TB", 1000000000000ULL},
};

static const struct unit duration_units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", MW_NS_PER_MS},
	{"s", MW_NS_PER_S},
	{"sec", MW_NS_PER_S},
	{"m", 60 * MW_NS_PER_S},
	{"min", 60 * MW_NS_PER_S},
	{"h", 3600 * MW_NS_PER_S},
	{"d", 86400 * MW_NS_PER_S},
};

static const char *skip_space(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int add_digit(__u64 *value, char digit)
{
	if (__builtin_mul_overflow(*value, 10ULL, value) || __builtin_add_overflow(*value, (__u64)(digit - '0'), value))
		return -ERANGE;
	return 0;
}

/* Digits, with a point and more digits if there is one; *text moves behind them. */
static int parse_decimal(const char **text, struct decimal *ret_decimal)
{
	struct decimal d = {.scale = 1};
	const char *s = *text;
	int n = 0;

	if (!is_digit(*s))
		return -EINVAL;
	for (; is_digit(*s); s++)
		if (add_digit(&d.whole, *s) < 0)
			return -ERANGE;
	if (*s == '.') {
		for (s++; is_digit(*s) && n < FRACTION_DIGITS; s++, n++) {
			d.part = d.part * 10 + (__u64)(*s - '0');
			d.scale *= 10;
		}
		if (!n || is_digit(*s))
			return -EINVAL;
	}
	*text = s;
	*ret_decimal = d;
	return 0;
}

/* Letters up to the next blank, digit or end; the longest word there must be a unit. *text moves behind it. */
static int parse_unit(const char **text, const struct unit *units, size_t n, __u64 *ret_factor)
{
	size_t len = 0;

	while (isalpha((unsigned char)(*text)[len]))
		len++;
	for (size_t i = 0; i < n; i++) {
		if (strlen(units[i].name) != len || strncasecmp(*text, units[i].name, len) != 0)
			continue;
		*text += len;
		*ret_factor = units[i].factor;
		return 0;
	}
	return -EINVAL;
}

static int scale(const struct decimal *d, __u64 factor, __u64 *ret_value)
{
	__u64 value;

	if (__builtin_mul_overflow(d->whole, factor, &value))
		return -ERANGE;
	if (__builtin_add_overflow(value, (__u64)((unsigned __int128)d->part * factor / d->scale), &value))
		return -ERANGE;
	if (value > LARGEST)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int mw_size_parse(const char *text, __u64 *ret_bytes)
{
	const char *s = skip_space(text);
	struct decimal d;
	__u64 factor;
	int r;

	if (strncasecmp(s, "max", 3) == 0 && !*skip_space(s + 3)) {
		*ret_bytes = MW_UNLIMITED;
		return 0;
	}
	r = parse_decimal(&s, &d);
	if (r < 0)
		return r;
	s = skip_space(s);
	r = parse_unit(&s, size_units, ARRAY_SIZE(size_units), &factor);
	if (r < 0)
		return r;
	if (*skip_space(s) || (factor == 1 && d.part))
		return -EINVAL;
	return scale(&d, factor, ret_bytes);
}

const char *mw_size_format(__u64 bytes, char *buf, size_t size)
{
	static const char units[] = "KMGTPE";
	unsigned __int128 tenths = bytes; /* of the unit, times what one tenth of it holds */
	__u64 tenth = 100;
	size_t u = 0;

	if (bytes == MW_UNLIMITED) {
		snprintf(buf, size, "max");
		return buf;
	}
	if (bytes < 1000) {
		snprintf(buf, size, "%llu B", bytes);
		return buf;
	}
	/* The unit is chosen after rounding, so that 999 999 is 1.0 MB and not 1000.0 KB. */
	while ((tenths + tenth / 2) / tenth >= 10000 && u + 2 < sizeof(units)) {
		tenth *= 1000;
		u++;
	}
	tenths = (tenths + tenth / 2) / tenth;
	snprintf(buf, size, "%llu.%u %cB", (__u64)(tenths / 10), (unsigned int)(tenths % 10), units[u]);
	return buf;
}

#define RATE_LEAST 1e5 /* in a unit that shows it well */
#define RATE_MOST  1e18

const char *mw_rate_format(double bytes_per_s, char *buf, size_t size)
{
	double plain = bytes_per_s < 0 ? -bytes_per_s : bytes_per_s;
	const char *unit = "s";
	char text[24];

	if (!(plain < RATE_MOST)) /* or no number at all */
		plain = RATE_MOST;
	if (plain < RATE_LEAST && plain >= 1.0 / 3600) {
		unit = plain * 60 >= RATE_LEAST ? "min" : "h";
		plain *= plain * 60 >= RATE_LEAST ? 60 : 3600;
	}
	snprintf(buf, size, "%s%s/%s", bytes_per_s < 0 ? "-" : "", mw_size_format((__u64)plain, text, sizeof(text)),
		 unit);
	return buf;
}

const char *mw_size_exact(__u64 bytes, char *buf, size_t size)
{
	static const struct unit exact[] = {
		{"GB", 1000000000ULL}, {"GiB", 1ULL << 30}, {"MB", 1000000ULL},
		{"MiB", 1ULL << 20},   {"KB", 1000ULL},	    {"KiB", 1ULL << 10},
	};

	if (bytes == MW_UNLIMITED) {
		snprintf(buf, size, "max");
		return buf;
	}
	for (size_t i = 0; i < ARRAY_SIZE(exact) && bytes; i++) {
		if (bytes % exact[i].factor)
			continue;
		snprintf(buf, size, "%llu%s", bytes / exact[i].factor, exact[i].name);
		return buf;
	}
	snprintf(buf, size, "%llu", bytes);
	return buf;
}

int mw_duration_parse(const char *text, __u64 *ret_ns)
{
	const char *s = skip_space(text);
	__u64 total = 0, factor, ns;
	struct decimal d;
	int r, parts = 0;

	do {
		r = parse_decimal(&s, &d);
		if (r < 0)
			return r;
		s = skip_space(s);
		factor = MW_NS_PER_S;
		if (*s || parts) {
			r = parse_unit(&s, duration_units, ARRAY_SIZE(duration_units), &factor);
			if (r < 0)
				return r;
		}
		r = scale(&d, factor, &ns);
		if (r < 0)
			return r;
		if (__builtin_add_overflow(total, ns, &total) || total > LARGEST)
			return -ERANGE;
		s = skip_space(s);
		parts++;
	} while (*s);
	*ret_ns = total;
	return 0;
}

/* From a minute on: two units, the smaller one left out when it is 0. */
static void format_long(__u64 ns, char *buf, size_t size)
{
	__u64 seconds = ns / MW_NS_PER_S + (ns % MW_NS_PER_S >= MW_NS_PER_S / 2);
	__u64 minutes = seconds / 60 + (seconds % 60 >= 30);
	__u64 hours = minutes / 60 + (minutes % 60 >= 30);
	const char *big = "d", *small = "h";
	__u64 a = hours / 24, b = hours % 24;

	if (seconds < 3600) {
		a = seconds / 60, b = seconds % 60;
		big = "min", small = "s";
	} else if (minutes < 48ULL * 60) {
		a = minutes / 60, b = minutes % 60;
		big = "h", small = "min";
	}
	if (b)
		snprintf(buf, size, "%llu %s %llu %s", a, big, b, small);
	else
		snprintf(buf, size, "%llu %s", a, big);
}

const char *mw_duration_format(__u64 ns, char *buf, size_t size)
{
	static const struct unit units[] = {{"us", 1000}, {"ms", MW_NS_PER_MS}, {"s", MW_NS_PER_S}};

	if (ns < 1000) {
		snprintf(buf, size, "%llu ns", ns);
		return buf;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units) && ns < 60 * MW_NS_PER_S; i++) {
		bool seconds = i + 1 == ARRAY_SIZE(units);
		__u64 tenths = (ns + units[i].factor / 20) / (units[i].factor / 10);
		__u64 whole = (ns + units[i].factor / 2) / units[i].factor;

		if (seconds ? tenths >= 600 : whole >= 1000)
			continue;
		if (tenths % 10 && (seconds || tenths < 100))
			snprintf(buf, size, "%llu.%llu %s", tenths / 10, tenths % 10, units[i].name);
		else
			snprintf(buf, size, "%llu %s", whole, units[i].name);
		return buf;
	}
	format_long(ns, buf, size);
	return buf;
}

const char *mw_duration_exact(__u64 ns, char *buf, size_t size)
{
	static const struct unit exact[] = {
		{"h", 3600 * MW_NS_PER_S},
		{"min", 60 * MW_NS_PER_S},
		{"s", MW_NS_PER_S},
		{"ms", MW_NS_PER_MS},
		{"us", 1000},
		{"ns", 1},
	};
	size_t i = 0;

	if (!ns) {
		snprintf(buf, size, "0");
		return buf;
	}
	while (ns % exact[i].factor)
		i++;
	snprintf(buf, size, "%llu%s", ns / exact[i].factor, exact[i].name);
	return buf;
}

int mw_ratio_parse(const char *text, double *ret_ratio)
{
	const char *s = skip_space(text);
	bool percent = false;
	struct decimal d;
	int r;

	r = parse_decimal(&s, &d);
	if (r < 0)
		return r;
	s = skip_space(s);
	if (*s == '%') {
		percent = true;
		s++;
	}
	if (*skip_space(s))
		return -EINVAL;
	if (d.whole > 1000000)
		return -ERANGE;
	/* One division of two exact numbers: 0.85 is the double the compiler makes of 0.85. */
	*ret_ratio = (double)(d.whole * d.scale + d.part) / (double)(d.scale * (percent ? 100 : 1));
	return 0;
}
