/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as a configuration file. With clang: -fsanitize=fuzzer,address. With -DMW_FUZZ_MAIN any compiler
 * makes a program that mutates the seeds below (mutate.h), N times (first argument), the same way every time.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_impl.h"
#include "util/cleanup.h"
#include "util/size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* A sentence is one printable line. */
static void check_error(const struct mw_error *err)
{
	must(*err->text, "a failure without a sentence");
	for (const char *c = err->text; *c; c++)
		must(*c >= ' ' && *c < 0x7f, "a sentence with odd bytes");
}

static void check_row(const char *key, const char *value, const char *doc, void *arg)
{
	(void)doc;
	(void)arg;
	must(*key && *value, "a row that prints nothing");
}

/* What was accepted keeps its promises. */
static void check_config(const struct mw_config *cfg)
{
	for (size_t i = 0; i < cfg->n_classes; i++) {
		const struct mw_profile *p = &cfg->classes[i].profile;
		struct mw_limits l = mw_profile_limits(p);

		must(mw_name_valid(cfg->classes[i].name), "a class with a wrong name");
		must(l.low <= l.high && l.high <= l.max, "limits in order");
		must(p->max_bin_heap == MW_UNLIMITED || p->max_bin_heap <= p->max_heap, "max_bin_heap <= max_heap");
		mw_config_rows_profile(p, check_row, NULL);
	}
	for (size_t i = 0; i < cfg->n_worker_settings; i++) {
		struct mw_error err = {""};
		struct mw_profile p;

		must(mw_name_valid(cfg->worker_settings[i].worker), "a worker with a wrong name");
		if (mw_config_worker_profile(cfg, "tool", cfg->worker_settings[i].worker, &p, &err) < 0)
			check_error(&err);
	}
	mw_config_rows_monitor(&cfg->monitor, check_row, NULL);
	mw_config_rows_tree(&cfg->tree, check_row, NULL);
	mw_config_rows_http(&cfg->http, check_row, NULL);
}

/* The same bytes as one value: of the parsers, of `set`, as a name. */
static void fuzz_value(struct mw_config *cfg, const char *text)
{
	struct mw_error err = {""};
	char name[MW_NAME_SIZE];
	double ratio;
	__u64 value;

	(void)mw_size_parse(text, &value);
	(void)mw_duration_parse(text, &value);
	(void)mw_ratio_parse(text, &ratio);
	mw_name_from(text, name);
	must(mw_name_valid(name), "a name made from anything is valid");
	if (mw_config_set(cfg, "class tool", &(struct mw_kv){"max_heap", text}, 1, &err) < 0)
		check_error(&err);
	if (mw_config_set(cfg, text, &(struct mw_kv){"low", "0"}, 1, &err) < 0)
		check_error(&err);
	if (mw_config_set(cfg, "worker w", &(struct mw_kv){text, "0"}, 1, &err) < 0)
		check_error(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(mw_config_free) struct mw_config cfg = {0};
	_cleanup_free_ char *text = malloc(size + 1);
	struct mw_error err = {""};

	if (!text || mw_config_defaults(&cfg) < 0)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	fuzz_value(&cfg, text);
	if (mw_config_parse(text, size, "fuzz\n.conf", mw_config_apply, &cfg, &err) < 0 ||
	    mw_config_check(&cfg, &err) < 0)
		check_error(&err);
	else
		check_config(&cfg);
	return 0;
}

#ifdef MW_FUZZ_MAIN
#include "mutate.h"

static const char *const seeds[] = {
	"[monitor]\ncheck_interval = 2s\nsample_interval = 100ms ; often\nmax_history: 5\n",
	"\xef\xbb\xbf[class node-mcp]\r\nmax_heap = 1.5G\r\nmax_bin_heap = auto\r\nswap_max = 0\r\npolicy = strict\r\n",
	"[tree]\nroot = /guarded\nbudget = 3GB\n[class tool]\nlow = 5MB\nbudget = 1G\nthp = off\nshare = class\n",
	"[worker a.b]\nmax_heap = 7M\nmax_bin_heap = 6MB\n[worker a]\nlow = default\npause_budget = none\n",
	"[rule a]\nimage = *x[!a]\nlabel = a=[[:digit:]]\\*\nclass = none\n[rule b]\nuid = 1?\nparent = context\nclass "
	"= tool\npriority = 7\n",
	"[class x]\n# why\n\n[class tool]\nhibernate_threshold = 85%\noom_group = off\n selectable = yes",
	"16 KiB",
	"2 min 10 s",
	"0.85",
	"class tool",
};

static const char *const words[] = {"\n",   "\r",	    " ",      "[", "]", "=",  ";",  ":",  "#",
				    "\\",   "\"",	    "%",      "-", "0", "99", "ma", "xM", "KG",
				    "\xff", "\xef\xbb\xbf", "default"};

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}

#endif
