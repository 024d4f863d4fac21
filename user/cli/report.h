/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The parts of a report as text; report.c asks and arranges them. */
#ifndef MW_CLI_REPORT_H
#define MW_CLI_REPORT_H

#include <json-c/json.h>
#include <stdbool.h>

#include "cli/verb.h"

/* workers: an array of report objects; no document is an empty table. 0, -ENOMEM, -EIO. */
int mw_print_leaks(struct json_object *workers);
int mw_print_rules(struct json_object *doc); /* the document of rules, with who came by them */
int mw_print_incidents(struct json_object *incidents);
/* of: an array of workers, classes or hosts. A row for each kind of each, with histograms a picture of each too. */
int mw_print_pauses(struct json_object *of, bool histograms);
/* Who was stalled most in the last minute and why, a line each; nothing for no workers. */
void mw_print_stalled(struct json_object *workers);
/* A line for each class and one for the host (NULL: none). */
int mw_print_pause_groups(struct json_object *classes, struct json_object *host);
#define MW_SITES_LEFT_OUT "[left out]" /* stands for sites the daemon does not keep, in both of these */

/* The same as lines "WORKER;OUTERMOST;...;INNERMOST BYTES", for flame graphs. */
void mw_print_folded(struct json_object *workers);
/* As a profile for pprof (report/pprof.h) into a new file, "": to standard output. An exit code; what failed is said.
 */
int mw_write_pprof(const struct mw_cli *cli, const char *file, struct json_object *workers);
/* Which code the memory of a worker or an incident comes from; nothing where that is not known. */
void mw_print_sites(struct json_object *of);
/* How old what a site holds is, a line; nothing where that is not known. */
void mw_print_life(struct json_object *site);
/* What its memory is made of, and what those account for; nothing where nobody has looked. */
void mw_print_account(struct json_object *of);
/* What a worker says of its own parts; nothing where it has said nothing. */
void mw_print_figures(struct json_object *figures);
/* One in full, with its curve. */
void mw_print_incident(struct json_object *incident);

#endif
