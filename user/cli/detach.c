/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir detach: let a worker go and restore what was there. */
#include "cli/call.h"
#include "cli/verb.h"
#include "util/cleanup.h"

static int detach_run(const struct mw_cli *cli, int argc, char **argv)
{
	_cleanup_free_ char *path = mw_call_path("/v1/workers", argv[0], NULL);

	(void)argc;
	return path ? mw_call_text(cli, "DELETE", path, NULL) : MW_EXIT_FAILURE;
}

const struct mw_verb mw_verb_detach = {
	.name = "detach",
	.args = "WORKER",
	.summary = "let a worker go and restore what was there",
	.min_args = 1,
	.max_args = 1,
	.run = detach_run,
};
