/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir attach: take what already runs under guard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/field.h"
#include "cli/verb.h"
#include "util/cleanup.h"

struct attach_values {
	const char *class_name, *name, *cgroup, *unit, *container;
	long pid;
	bool move;
};

#define AT(field) offsetof(struct attach_values, field)
static const struct mw_option rows[] = {
	{"class", 'c', MW_OPT_TEXT, AT(class_name), "CLASS", "the worker's class"},
	{"name", 'n', MW_OPT_TEXT, AT(name), "NAME", "the worker's name (default: from what is attached)"},
	{"pid", 'p', MW_OPT_NUMBER, AT(pid), "PID", "the process; its cgroup is taken in place when its tree fills it",
	 1, 1L << 22},
	{"move", 0, MW_OPT_FLAG, AT(move), NULL, "with --pid: move it into a cgroup of ours; old charges stay behind"},
	{"cgroup", 'g', MW_OPT_TEXT, AT(cgroup), "PATH", "a cgroup, its path from the cgroup root"},
	{"unit", 'u', MW_OPT_TEXT, AT(unit), "UNIT", "a unit of systemd, which then sets its limits for us"},
	{"container", 0, MW_OPT_TEXT, AT(container), "NAME", "a container: its name, ID or the beginning of one"},
	{NULL},
};

/* 0, or the exit code after having said what is wrong. */
static int check_usage(const struct mw_cli *cli, const struct attach_values *v)
{
	if (!v->class_name)
		return mw_say_usage(cli, "--class is missing");
	if (!!v->pid + !!v->cgroup + !!v->unit + !!v->container != 1)
		return mw_say_usage(cli, "expected one of --pid, --cgroup, --unit and --container");
	if (v->move && !v->pid)
		return mw_say_usage(cli, "--move goes with --pid only");
	return 0;
}

static int attach_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct attach_values *v = cli->values;
	_cleanup_json_ struct json_object *body = json_object_new_object();
	struct json_object *what = json_object_new_object();
	int r = check_usage(cli, v);

	(void)argc;
	(void)argv;
	json_object_object_add(body, "attach", what);
	if (r)
		return r;
	json_object_object_add(body, "class", json_object_new_string(v->class_name));
	json_object_object_add(body, "name", v->name ? json_object_new_string(v->name) : NULL);
	if (v->pid) {
		json_object_object_add(what, "pid", json_object_new_int64(v->pid));
		json_object_object_add(what, "move", json_object_new_boolean(v->move));
	} else {
		json_object_object_add(what,
				       v->cgroup ? "cgroup"
				       : v->unit ? "unit"
						 : "container",
				       json_object_new_string(v->cgroup ?: v->unit ?: v->container));
	}
	return mw_call_placed(cli, body);
}

const struct mw_verb mw_verb_attach = {
	.name = "attach",
	.args = "--class CLASS (--container NAME | --unit UNIT | --cgroup PATH | --pid PID [--move]) [--name NAME]",
	.summary = "take what already runs under guard",
	.options = rows,
	.run = attach_run,
};
