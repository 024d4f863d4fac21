/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir reload: read the configuration again. */
#include "cli/call.h"
#include "cli/verb.h"

static int reload_run(const struct mw_cli *cli, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return mw_call_text(cli, "POST", "/v1/reload", NULL);
}

const struct mw_verb mw_verb_reload = {
	.name = "reload",
	.args = "",
	.summary = "read the configuration again; settings made with set and not saved go",
	.run = reload_run,
};
