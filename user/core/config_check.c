/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What no single line can show: settings that contradict each other. Each sentence has both values. */
#include "core/config_impl.h"

#include <errno.h>
#include <string.h>

#include "util/size.h"

/* "found VALUE, expected RELATION OTHER = LIMIT" about two sizes of one section. */
static int contradiction(struct mw_error *err, const struct mw_section *section, const char *key, __u64 value,
			 const char *relation, const char *other, __u64 limit)
{
	char found[32], bound[32];

	return mw_config_say(err, -EINVAL, &(struct mw_where){0}, section, key,
			     mw_size_exact(value, found, sizeof(found)), "%s %s = %s", relation, other,
			     mw_size_exact(limit, bound, sizeof(bound)));
}

int mw_profile_check(const struct mw_profile *p, const struct mw_section *section, struct mw_error *err)
{
	struct mw_limits limits = mw_profile_limits(p);

	if (!p->max_heap)
		return mw_config_say(err, -EINVAL, &(struct mw_where){0}, section, "max_heap", NULL,
				     "a size: a class of your own needs one");
	if (p->max_bin_heap != MW_UNLIMITED && p->max_bin_heap > p->max_heap)
		return contradiction(err, section, "max_bin_heap", p->max_bin_heap, "max, or at most", "max_heap",
				     p->max_heap);
	if (limits.low > limits.high)
		return contradiction(err, section, "low", limits.low, "at most", "max_heap * hibernate_threshold",
				     limits.high);
	if (p->max_heap != MW_UNLIMITED && p->budget < p->max_heap)
		return contradiction(err, section, "budget", p->budget, "at least", "max_heap", p->max_heap);
	return 0;
}

static int check_classes(const struct mw_config *cfg, struct mw_error *err)
{
	__u64 smallest = MW_UNLIMITED;

	for (size_t i = 0; i < cfg->n_classes; i++) {
		const struct mw_profile *p = &cfg->classes[i].profile;
		struct mw_section section = {.kind = MW_SECTION_CLASS};
		int r;

		memcpy(section.name, cfg->classes[i].name, sizeof(section.name));
		r = mw_profile_check(p, &section, err);
		if (r < 0)
			return r;
		if (p->max_heap < smallest)
			smallest = p->max_heap;
	}
	if (smallest != MW_UNLIMITED && cfg->tree.budget < smallest)
		return contradiction(err, &(struct mw_section){.kind = MW_SECTION_TREE}, "budget", cfg->tree.budget,
				     "at least", "max_heap of the smallest class", smallest);
	return 0;
}

/*
 * A worker's class is not known before it starts. What two of its own settings say against each
 * other is wrong in any class: they are laid over a profile that agrees with everything.
 */
static int check_workers(const struct mw_config *cfg, struct mw_error *err)
{
	const struct mw_setting *settings = cfg->worker_settings;
	struct mw_section section = {.kind = MW_SECTION_WORKER};

	for (size_t i = 0, next; i < cfg->n_worker_settings; i = next) {
		struct mw_profile p = {
			.max_heap = MW_UNLIMITED,
			.max_bin_heap = MW_UNLIMITED,
			.budget = MW_UNLIMITED,
			.hibernate_threshold = 1,
		};
		int r;

		for (next = i; next < cfg->n_worker_settings && !strcmp(settings[next].worker, settings[i].worker);
		     next++)
			(void)mw_key_parse(mw_key_find(MW_SECTION_WORKER, settings[next].key), settings[next].value,
					   &p);
		if (p.max_bin_heap == MW_AUTO)
			p.max_bin_heap = MW_UNLIMITED;
		memcpy(section.name, settings[i].worker, sizeof(section.name));
		r = mw_profile_check(&p, &section, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int mw_config_check(const struct mw_config *cfg, struct mw_error *err)
{
	const struct mw_monitor *m = &cfg->monitor;
	char sample[32], check[32];
	int r;

	if (m->sample_interval_ns > m->check_interval_ns)
		return mw_config_say(err, -EINVAL, &(struct mw_where){0},
				     &(struct mw_section){.kind = MW_SECTION_MONITOR}, "sample_interval",
				     mw_duration_exact(m->sample_interval_ns, sample, sizeof(sample)),
				     "at most check_interval = %s",
				     mw_duration_exact(m->check_interval_ns, check, sizeof(check)));
	r = check_classes(cfg, err);
	if (r >= 0)
		r = check_workers(cfg, err);
	return r < 0 ? r : mw_rules_check(cfg, err);
}
