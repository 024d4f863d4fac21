/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * memweir-container: whose container is that? Opens the files of engines with the caller's rights, gives these up,
 * parses, prints one JSON object. mw_container_ask starts it; by hand it shows what is said of a container.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "containers/match.h"
#include "util/confine.h"
#include "util/json_in.h"
#include "util/reply.h"

static int usage(void)
{
	fputs("usage: memweir-container (" MW_FIND_NAME " [ENGINE:]NAME-OR-ID | " MW_FIND_CGROUP " PATH) [" MW_FIND_ROOT
	      " FOLDER] [" MW_FIND_TIMEOUT " MS]\n"
	      "Started by memweir and its daemon. Prints what the files of container engines say, as JSON.\n",
	      stderr);
	return 2;
}

static int parse_arguments(int argc, char **argv, struct mw_container_question *q)
{
	for (int i = 1; i < argc; i += 2) {
		const char *value = argv[i + 1]; /* NULL behind the last */

		if (!value)
			return -EINVAL;
		if (!strcmp(argv[i], MW_FIND_NAME))
			q->name = value;
		else if (!strcmp(argv[i], MW_FIND_CGROUP))
			q->cgroup = value;
		else if (!strcmp(argv[i], MW_FIND_ROOT))
			q->root = value;
		else if (!strcmp(argv[i], MW_FIND_TIMEOUT))
			q->timeout_ms = (__u32)strtoul(value, NULL, 10);
		else
			return -EINVAL;
	}
	if (!q->name == !q->cgroup || q->timeout_ms < 1 || q->timeout_ms > 60000)
		return -EINVAL;
	if (q->name ? !mw_container_name_valid(q->name) : !mw_cgroup_path_valid(q->cgroup))
		return -EINVAL;
	return 0;
}

int main(int argc, char **argv)
{
	struct mw_container_question q = {.root = "/", .timeout_ms = 2000};
	static struct mw_answer answer;
	struct mw_scan scan = {0};
	char *text = NULL;
	struct mw_error err = {""};
	int r;

	if (parse_arguments(argc, argv, &q) < 0)
		return usage();
	mw_expendable();
	mw_json_warm_up();
	r = mw_scan(q.root, &answer, &scan, &err);
	if (!r)
		r = mw_confine(&(struct mw_confinement){.timeout_ms = q.timeout_ms, .answer_bytes = 2 * MW_ANSWER_MAX},
			       &err);
	if (!r)
		r = mw_match(&scan, &q, &answer);
	if (!r)
		r = mw_answer_write(&answer, &text);
	r = r ? mw_reply_error(&err, r) : mw_reply(text);
	/* What is allocated and open goes with us: the few calls that are left do not include close. */
	_exit(r);
}
