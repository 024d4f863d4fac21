/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir doctor: the daemon program knows what it needs; it is asked. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/verb.h"
#include "util/libexec.h"

struct doctor_values {
	bool json;
};

static const struct mw_option rows[] = {
	{"json", 'j', MW_OPT_FLAG, offsetof(struct doctor_values, json), NULL, "as JSON"},
	{NULL},
};

static int doctor_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct doctor_values *v = cli->values;
	char path[4096];

	(void)argc;
	(void)argv;
	mw_libexec(MW_DAEMON_PROGRAM, path, sizeof(path));
	execl(path, path, "--doctor", v->json ? "--json" : NULL, NULL);
	mw_say_error(cli, "the daemon program %s: %s", path, strerror(errno));
	return MW_EXIT_FAILURE;
}

const struct mw_verb mw_verb_doctor = {
	.name = "doctor",
	.args = "[--json]",
	.summary = "what this host can and cannot do, and how to get what is missing",
	.options = rows,
	.run = doctor_run,
};
