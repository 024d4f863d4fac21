/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The parts of a report as text; report.c asks and arranges them. */
#ifndef MW_CLI_REPORT_H
#define MW_CLI_REPORT_H

#include <json-c/json.h>

/* workers: an array of report objects; no document is an empty table. 0, -ENOMEM, -EIO. */
int mw_print_leaks(struct json_object *workers);
int mw_print_pauses(struct json_object *workers);
int mw_print_incidents(struct json_object *incidents);
/* One in full, with its curve. */
void mw_print_incident(struct json_object *incident);

#endif
