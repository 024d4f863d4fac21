/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One incident, for a person at night: what happened, in which order, why, and what to do. 80 columns. */
#ifndef MW_CLI_REPORT_POSTMORTEM_H
#define MW_CLI_REPORT_POSTMORTEM_H

#include <json-c/json.h>

#define MW_POSTMORTEM_WIDTH 80

/* Usage over the recorded time with memory.high and memory.max in it; nothing where nothing was recorded. */
void mw_print_usage(struct json_object *inc);
/* Text in lines behind so many spaces; the first line goes on where the cursor is, column. */
void mw_print_wrapped(const char *text, size_t column, size_t indent);

#endif
