/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * memweir-daemon: the guard itself. `memweir daemon` starts it below a keeper;
 * started by hand it runs too, and says that nobody stands behind it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/guard.h"
#include "util/cleanup.h"

enum { OPT_DRY_RUN = 256, OPT_UNLOAD, OPT_CONFIG, OPT_DISABLE, OPT_ROOT, OPT_STATE, OPT_RUN, OPT_DOCTOR, OPT_JSON, OPT_LIFT };

static const struct option options[] = {
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },	   { "unload", no_argument, NULL, OPT_UNLOAD },
	{ "config", required_argument, NULL, OPT_CONFIG }, { "disable", required_argument, NULL, OPT_DISABLE },
	{ "root", required_argument, NULL, OPT_ROOT },	   { "state-dir", required_argument, NULL, OPT_STATE },
	{ "run-dir", required_argument, NULL, OPT_RUN },   { "doctor", no_argument, NULL, OPT_DOCTOR },
	{ "json", no_argument, NULL, OPT_JSON },	   { "lift", no_argument, NULL, OPT_LIFT },
	{ NULL },
};

static int parse_disable(char *list, __u64 *ret_bits)
{
	__u64 bits = 0;

	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		enum mw_capability c = 0;

		while (c < MW_CAP_MAX && strcmp(name, mw_kernel_capability_name(c)) != 0)
			c++;
		if (c == MW_CAP_MAX) {
			fprintf(stderr, "memweir daemon: --disable %s: no such capability; memweir doctor lists them\n", name);
			return -EINVAL;
		}
		bits |= 1ULL << c;
	}
	*ret_bits = bits;
	return 0;
}

static int run(const struct mw_guard_options *opts)
{
	struct mw_error err = { 0 };
	struct mw_guard g;
	int status;
	int r = mw_guard_open(opts, &g, &err);

	if (r < 0) {
		mw_say(NULL, LOG_ERR, "daemon: %s", err.text[0] ? err.text : strerror(-r));
		mw_guard_close(&g);
		return 1;
	}
	status = mw_loop_run(&g);
	mw_guard_close(&g);
	return status;
}

int main(int argc, char **argv)
{
	enum { GUARD, UNLOAD, DOCTOR, LIFT } job = GUARD;
	struct mw_guard_options opts = { 0 };
	struct mw_error err = { 0 };
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case OPT_DRY_RUN:
			opts.dry_run = true;
			break;
		case OPT_UNLOAD:
			job = UNLOAD;
			break;
		case OPT_DOCTOR:
			job = DOCTOR;
			break;
		case OPT_LIFT:
			job = LIFT;
			break;
		case OPT_JSON:
			json = true;
			break;
		case OPT_CONFIG:
			opts.config_file = optarg;
			break;
		case OPT_ROOT:
			opts.root = optarg;
			break;
		case OPT_STATE:
			opts.state_dir = optarg;
			break;
		case OPT_RUN:
			opts.run_dir = optarg;
			break;
		case OPT_DISABLE:
			if (parse_disable(optarg, &opts.disable) < 0)
				return 2;
			break;
		default:
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "memweir daemon: %s: no arguments expected\n", argv[optind]);
		return 2;
	}
	if (geteuid() != 0) {
		fprintf(stderr, "memweir %s: must be root (it writes cgroups and loads BPF programs)\n", job == DOCTOR ? "doctor" : "daemon");
		if (job != DOCTOR)
			return 1;
	}
	if (job == DOCTOR)
		return mw_doctor(&opts, json);
	if (job == LIFT)
		return mw_guard_lift(&opts);
	if (job == UNLOAD)
		return mw_guard_unload(&opts, &err) < 0 ? (mw_say(NULL, LOG_ERR, "daemon --unload: %s", err.text), 1) : 0;
	return run(&opts);
}
