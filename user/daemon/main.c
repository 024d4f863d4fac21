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

enum {
	OPT_DRY_RUN = 256,
	OPT_UNLOAD,
	OPT_CONFIG,
	OPT_DISABLE,
	OPT_ROOT,
	OPT_STATE,
	OPT_RUN,
	OPT_DOCTOR,
	OPT_JSON,
	OPT_LIFT
};

static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"unload", no_argument, NULL, OPT_UNLOAD},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"disable", required_argument, NULL, OPT_DISABLE},
	{"root", required_argument, NULL, OPT_ROOT},
	{"state-dir", required_argument, NULL, OPT_STATE},
	{"run-dir", required_argument, NULL, OPT_RUN},
	{"doctor", no_argument, NULL, OPT_DOCTOR},
	{"json", no_argument, NULL, OPT_JSON},
	{"lift", no_argument, NULL, OPT_LIFT},
	{NULL},
};

static int parse_disable(char *list, __u64 *ret_bits)
{
	__u64 bits = 0;

	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		enum mw_capability c = 0;

		while (c < MW_CAP_MAX && strcmp(name, mw_kernel_capability_name(c)) != 0)
			c++;
		if (c == MW_CAP_MAX) {
			fprintf(stderr, "memweir daemon: --disable %s: no such capability; memweir doctor lists them\n",
				name);
			return -EINVAL;
		}
		bits |= 1ULL << c;
	}
	*ret_bits = bits;
	return 0;
}

static int run(const struct mw_guard_options *opts)
{
	struct mw_error err = {0};
	struct mw_guard g;
	int status;
	int r = mw_guard_open(opts, &g, &err);

	if (r < 0) {
		bool configured = g.cfg.n_classes;

		mw_say(NULL, LOG_ERR, "daemon: %s", err.text[0] ? err.text : strerror(-r));
		mw_guard_close(&g);
		return configured ? 1 : 2; /* wrong configuration: as wrong usage, starting again does not help */
	}
	status = mw_loop_run(&g);
	mw_guard_close(&g);
	return status;
}

enum job { GUARD, UNLOAD, DOCTOR, LIFT };

struct arguments {
	enum job job;
	bool json;
	struct mw_guard_options opts;
};

static int take_option(int c, struct arguments *a)
{
	switch (c) {
	case OPT_DRY_RUN:
		a->opts.dry_run = true;
		return 0;
	case OPT_UNLOAD:
		a->job = UNLOAD;
		return 0;
	case OPT_DOCTOR:
		a->job = DOCTOR;
		return 0;
	case OPT_LIFT:
		a->job = LIFT;
		return 0;
	case OPT_JSON:
		a->json = true;
		return 0;
	case OPT_CONFIG:
		a->opts.config_file = optarg;
		return 0;
	case OPT_ROOT:
		a->opts.root = optarg;
		return 0;
	case OPT_STATE:
		a->opts.state_dir = optarg;
		return 0;
	case OPT_RUN:
		a->opts.run_dir = optarg;
		return 0;
	case OPT_DISABLE:
		return parse_disable(optarg, &a->opts.disable);
	default:
		return -EINVAL;
	}
}

static int unload(const struct mw_guard_options *opts)
{
	struct mw_error err = {0};
	int r = mw_guard_unload(opts, &err);

	if (r < 0)
		mw_say(NULL, LOG_ERR, "daemon --unload: %s", err.text[0] ? err.text : strerror(-r));
	return r < 0;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (take_option(c, &a) < 0)
			return 2;
	}
	if (optind < argc) {
		fprintf(stderr, "memweir daemon: %s: no arguments expected\n", argv[optind]);
		return 2;
	}
	if (geteuid() != 0 && a.job != DOCTOR) {
		fprintf(stderr, "memweir daemon: must be root (it writes cgroups and loads BPF programs)\n");
		return 1;
	}
	switch (a.job) {
	case DOCTOR:
		return mw_doctor(&a.opts, a.json);
	case LIFT:
		return mw_guard_lift(&a.opts);
	case UNLOAD:
		return unload(&a.opts);
	default:
		return run(&a.opts);
	}
}
