/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which text a client would rather have: RFC 9110, Accept. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "report/metrics.h"
#include "util/cleanup.h"

#define BLANKS " \t"

static const struct {
	const char *type, *subtype, *version, *content_type;
} formats[] = {
	[MW_METRICS_PROMETHEUS] = {"text", "plain", "0.0.4", "text/plain; version=0.0.4; charset=utf-8"},
	[MW_METRICS_OPEN] = {"application", "openmetrics-text", "1.0.0",
			     "application/openmetrics-text; version=1.0.0; charset=utf-8"},
};

const char *mw_metrics_content_type(enum mw_metrics_format format)
{
	return formats[format].content_type;
}

static bool is(const char *text, size_t size, const char *word)
{
	return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

/* A media range: how exactly it names the format; 0 not at all, 1 any, 2 by its type, 3 by its name. */
static int match(const char *range, enum mw_metrics_format format)
{
	size_t size = strcspn(range, ";" BLANKS), type = strcspn(range, "/");

	if (type >= size)
		return 0;
	if (is(range, type, "*"))
		return is(range + type + 1, size - type - 1, "*");
	if (!is(range, type, formats[format].type))
		return 0;
	if (is(range + type + 1, size - type - 1, "*"))
		return 2;
	return is(range + type + 1, size - type - 1, formats[format].subtype) ? 3 : 0;
}

/* A range's parameters: its quality, 0..1; -1 where it asks for another version of the format. */
static double quality(const char *range, enum mw_metrics_format format, bool exact)
{
	double q = 1;

	for (const char *p = strchr(range, ';'); p; p = strchr(p, ';')) {
		size_t size;

		p += 1 + strspn(p + 1, BLANKS);
		size = strcspn(p, ";" BLANKS);
		if (size > 2 && strncasecmp(p, "q=", 2) == 0)
			q = strtod(p + 2, NULL);
		else if (exact && size > 8 && strncasecmp(p, "version=", 8) == 0 &&
			 !is(p + 8, size - 8, formats[format].version))
			return -1;
	}
	return q >= 0 && q <= 1 ? q : 0;
}

/* Of the ranges that fit the most exact one counts; of equals the best. */
static double wanted(const char *accept, enum mw_metrics_format format)
{
	_cleanup_free_ char *copy = strdup(accept);
	char *rest = copy, *range;
	double best = 0;
	int exactly = 0;

	while (rest && (range = strsep(&rest, ","))) {
		int how;
		double q;

		range += strspn(range, BLANKS);
		how = match(range, format);
		q = how ? quality(range, format, how == 3) : 0;
		if (q < 0)
			continue;
		if (how > exactly || (how == exactly && q > best)) {
			best = q;
			exactly = how;
		}
	}
	return best;
}

enum mw_metrics_format mw_metrics_accept(const char *accept)
{
	if (!accept)
		return MW_METRICS_PROMETHEUS;
	return wanted(accept, MW_METRICS_OPEN) > wanted(accept, MW_METRICS_PROMETHEUS) ? MW_METRICS_OPEN
										       : MW_METRICS_PROMETHEUS;
}
