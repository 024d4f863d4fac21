/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One line of OpenMetrics 1.0 text, as GET /metrics answers. Pure. */
#ifndef MW_OTLP_OPENMETRICS_H
#define MW_OTLP_OPENMETRICS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define MW_OM_LABELS_MAX 16

enum mw_om_kind {
	MW_OM_NOTHING, /* a comment, or empty */
	MW_OM_TYPE,
	MW_OM_UNIT,
	MW_OM_HELP,
	MW_OM_SAMPLE,
	MW_OM_EOF,
};

struct mw_om_line {
	enum mw_om_kind kind;
	const char *name; /* of the family, or of the sample */
	const char *text; /* of TYPE, UNIT, HELP: the rest, unescaped */
	struct {
		const char *key, *value;
	} labels[MW_OM_LABELS_MAX];
	size_t n_labels;
	double value;
	bool whole; /* it was written as a whole number that fits 64 bits: number is it */
	__s64 number;
	double time_s; /* Unix time of the sample; 0: not said */
};

/* Points into line, which it changes: line is without its end of line. -EINVAL: it is none. */
int mw_om_parse(char *line, struct mw_om_line *ret_line);
const char *mw_om_label(const struct mw_om_line *l, const char *key); /* NULL: it has none of that name */

#endif
