/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/act.h"

#include "cli/call.h"
#include "util/cleanup.h"

struct act_values {
	bool dry_run, json;
};

const struct mw_option mw_act_options[] = {
	{"dry-run", 'n', MW_OPT_FLAG, offsetof(struct act_values, dry_run), NULL, "say what would be done, do nothing"},
	{"json", 'j', MW_OPT_FLAG, offsetof(struct act_values, json), NULL, "the daemon's document as it is"},
	{NULL},
};

int mw_act_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct act_values *v = cli->values;
	_cleanup_free_ char *path = mw_call_path("/v1/workers", argv[0], cli->verb->name);
	_cleanup_json_ struct json_object *body = json_object_new_object();
	_cleanup_answer_ struct mw_answer a = {0};

	(void)argc;
	if (!path || !body)
		return MW_EXIT_FAILURE;
	json_object_object_add(body, "dry_run", json_object_new_boolean(v->dry_run));
	if (!v->json)
		return mw_call_text(cli, "POST", path, body);
	if (mw_call(cli, "POST", path, body, MW_ACTION_MS, &a) < 0)
		return MW_EXIT_FAILURE;
	mw_call_print(&a);
	return MW_EXIT_OK;
}
