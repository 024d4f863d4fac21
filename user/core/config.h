/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Configuration: classes with their profiles, per-worker settings, monitor and
 * tree settings. INI files; each key is a row of a table from which parsing,
 * range checks, printing and documentation come.
 *
 *   [monitor]      check_interval, alert_threshold, enable_hibernation, ...
 *   [tree]         root, budget, ...
 *   [otlp]         where what is seen is sent
 *   [class NAME]   profile of a class (the four built-in ones or a new one)
 *   [worker NAME]  settings of one worker, over its class's
 *   [rule NAME]    which newcomers come under guard by themselves, in which class
 */
#ifndef MW_CONFIG_H
#define MW_CONFIG_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "memweir/abi.h"
#include "util/error.h"

#define MW_AUTO (~1ULL) /* a size that follows from another one; see each field */
/* MW_UNLIMITED (abi.h) is "max". */

enum mw_policy {
	MW_POLICY_OBSERVE, /* sets no limit, takes no action */
	MW_POLICY_PROTECT, /* limits; reclaims and lifts memory.high */
	MW_POLICY_STRICT, /* and freezes or kills by itself */
	MW_POLICY_MAX,
};
const char *mw_policy_name(enum mw_policy policy); /* "observe" */
int mw_policy_parse(const char *text, enum mw_policy *ret_policy); /* -EINVAL */

enum mw_thp {
	MW_THP_AUTO, /* off for max_heap under 64 MiB */
	MW_THP_ON,
	MW_THP_OFF,
	MW_THP_MAX,
};

/* What a worker may use and what is done about it. Sizes in bytes. */
struct mw_profile {
	__u64 max_heap; /* memory.max; 1 MiB.. or MW_UNLIMITED */
	__u64 max_bin_heap; /* bound of shmem + sock + kernel - slab_reclaimable; MW_UNLIMITED: none; never MW_AUTO */
	bool bin_follows; /* max_bin_heap was not given: it is kept at half of max_heap */
	double hibernate_threshold; /* 0.1..1: memory.high = max_heap * this */
	__u64 swap_max; /* memory.swap.max; MW_AUTO: max_heap; MW_UNLIMITED: max; 0: no swap */
	__u64 low; /* memory.low; MW_AUTO: a tenth of max_heap; at most memory.high */
	bool oom_group; /* memory.oom.group */
	enum mw_thp thp;
	enum mw_policy policy;
	__u64 pause_budget_ns; /* a longer pause is told as an event; 10 us..60 s, 0: none is */
	bool pace; /* memory is reclaimed ahead of it, so that its pauses stay under pause_budget */
	__u64 notify_grace_ns; /* a worker that was told has this long before more is done; up to 60 s, 0: no time */
	__u64 heap_sample; /* its programs' heaps are sampled, a sample in so many bytes; 1 KiB..1 GiB, 0: they are not
			    */
	bool object_probe; /* once it is suspect its allocator may be probed, where its heap is not sampled */
	bool runtime_profile; /* Python and Node programs of it say which of their lines hold most */
	__u64 freeze_max_ns; /* strict: it is frozen this long before it is killed; 10 ms..10 s, 0: it is not */
	bool selectable; /* a caller who is not root may choose it */
	bool share; /* "share = class": the profile stands on ROOT/CLASS and its workers share it */
	__u64 budget; /* of all workers of the class together; MW_UNLIMITED: none */
};

/* The figures that follow from a profile: what is written into the cgroup. MW_UNLIMITED is "max". */
struct mw_limits {
	__u64 max, high, low, swap_max;
	bool oom_group;
};
struct mw_limits mw_profile_limits(const struct mw_profile *p);
/* max_bin_heap where it was not given: half of max_heap. */
__u64 mw_profile_bin_auto(__u64 max_heap);
bool mw_profile_same(const struct mw_profile *a, const struct mw_profile *b);
/* Whether transparent huge pages are switched off for its processes. */
bool mw_profile_thp_off(const struct mw_profile *p);

struct mw_class {
	char name[MW_NAME_SIZE];
	struct mw_profile profile;
	bool builtin; /* context, tool, transport, generic */
};

/* [monitor] */
/* How growth is judged. */
enum mw_method {
	MW_METHOD_WINDOWS, /* leak/judge.h */
	MW_METHOD_REGRESSION, /* a line through max_history checks: leak/trend.h */
	MW_METHOD_MAX,
};

struct mw_monitor {
	__u64 check_interval_ns; /* 100 ms..1 h; default 5 s */
	__u64 sample_interval_ns; /* 10 ms..60 s; default 500 ms */
	double alert_threshold; /* 0.1..1; default 0.85 */
	bool enable_hibernation; /* default off: recommended, not done */
	__u32 max_history; /* checks the growth rule looks at, 3..1000; default 10 */
	enum mw_method method; /* of the verdict on growth; default windows */
	__u32 max_workers; /* 1..65536; default 4096; needs a restart */
	__u64 near_high; /* bytes below memory.high that count as near; default 4 MiB */
	__u32 growth_stacks_per_s; /* per worker; default 500; 0: none */
	__u32 object_calls_per_s; /* of its allocator: a suspect that makes more is not probed; default 4000; 0: nobody
				     is */
	__u32 max_incidents; /* kept on disk; default 1000 */
	__u64 idle_after_ns; /* 1 s..30 d; default 10 min; 0: nobody is called idle */
	__u32 actions_per_minute; /* kills, freezes and hibernations of ours across the host; default 60 */
	__u32 reclaim_alert; /* passes of reclaim a minute that are too many; default 60; 0: never */
	bool class_carriers; /* newcomers may bring their class along; see core/rule.h; default off */
	__u32 user_workers; /* of one user who is not root, at once; default 256; 0: none */
};

/* [tree] */
struct mw_tree {
	char root[256]; /* cgroup of ours, path from the cgroup root; "": chosen (systemd scope or /memweir) */
	__u64 budget; /* memory.max of ROOT; MW_UNLIMITED: none */
	char state_dir[256]; /* default /var/lib/memweir */
	char run_dir[64]; /* default /run/memweir; the socket is run_dir/memweir.sock */
	char group[64]; /* its members may run workers of their own, name or number; "": nobody but root */
};

/* [http] */
struct mw_http {
	char listen[64]; /* loopback address and port, util/address.h; "": the unix socket alone */
};

/* [otlp] */
struct mw_otlp_settings {
	char endpoint[256]; /* of a collector, http:// or https://; "": what the environment says; "none": nothing is
			       sent */
};

/* One key = value kept as text: a worker's setting over its class's. */
struct mw_setting {
	char worker[MW_NAME_SIZE];
	char key[32];
	char value[64];
};

/*
 * [rule NAME]: a newcomer that fits every pattern given comes under guard as class_name. Patterns are those of the
 * shell (fnmatch); "": any. Of labels and annotations the pattern is one of "KEY=VALUE", without a = one of keys.
 */
#define MW_PATTERN_SIZE 160 /* with its key it fits a line */
#define MW_RULE_NONE	"none" /* class = none: it stays without guard, whatever comes later */

struct mw_rule {
	char name[MW_NAME_SIZE];
	char class_name[MW_NAME_SIZE];
	__u32 priority; /* the highest is asked first; of equals, in the order of the files */
	/* of containers */
	char container[MW_PATTERN_SIZE], image[MW_PATTERN_SIZE], label[MW_PATTERN_SIZE], annotation[MW_PATTERN_SIZE],
		pod[MW_PATTERN_SIZE], namespace[MW_PATTERN_SIZE];
	/* of processes of the host */
	char executable[MW_PATTERN_SIZE], arguments[MW_PATTERN_SIZE], parent[MW_PATTERN_SIZE], uid[MW_PATTERN_SIZE];
	/* of either; alone: of whole units and of containers */
	char unit[MW_PATTERN_SIZE], slice[MW_PATTERN_SIZE];
	char file[160]; /* where class was given; "": in a call */
	unsigned int line;
	char hand_file[160]; /* where something of it stands that set --save has not written; "": nowhere */
	unsigned int hand_line;
};

/* What a rule is about: its patterns say. */
enum mw_rule_about {
	MW_ABOUT_CGROUP, /* unit and slice alone */
	MW_ABOUT_CONTAINER,
	MW_ABOUT_PROCESS,
};
enum mw_rule_about mw_rule_about(const struct mw_rule *rule);

struct mw_config {
	struct mw_monitor monitor;
	struct mw_tree tree;
	struct mw_http http;
	struct mw_otlp_settings otlp;
	struct mw_class *classes;
	size_t n_classes;
	struct mw_setting *worker_settings; /* sorted by worker, then key; one each */
	size_t n_worker_settings;
	struct mw_rule *rules; /* in the order of the files */
	size_t n_rules;
};

/* The built-in configuration: four classes. -ENOMEM. */
int mw_config_defaults(struct mw_config *ret_cfg);
void mw_config_free(struct mw_config *cfg); /* contents; NULL-safe, idempotent */
int mw_config_copy(const struct mw_config *from, struct mw_config *ret_cfg);

/*
 * Read PREFIX/usr/lib/memweir/memweir.conf, then PREFIX/etc/memweir/memweir.conf over it, then
 * memweir.conf.d/ *.conf of /usr/lib/memweir, /run/memweir, /etc/memweir sorted by name (a name in a later directory
 * replaces the same name in an earlier one; an empty file or a link to /dev/null there masks it). prefix "" is the
 * host; main_file, if not NULL, replaces the first two and must exist. No file at all is fine. On a wrong line *ret_cfg
 * is untouched and err says FILE:LINE: [SECTION] KEY: found "...", expected .... What *ret_cfg held before is not
 * freed. -EINVAL: wrong content; -E2BIG: over 1 MiB, 256 classes, 256 rules or 8192 worker settings; else errno of the
 * file.
 */
int mw_config_load(const char *prefix, const char *main_file, struct mw_config *ret_cfg, struct mw_error *err);
/* The same from this one file alone, without drop-ins. */
int mw_config_load_file(const char *path, struct mw_config *ret_cfg, struct mw_error *err);
/*
 * All of cfg as one such file, DIR_FD/NAME (name of at most 40 bytes), replaced as a whole; not synced to disk. Paths
 * that no file can hold are left out. 0, -E2BIG over 1 MiB, -ENOSPC or another errno: then the old file is as it was.
 */
int mw_config_write(const struct mw_config *cfg, int dir_fd, const char *name);

/*
 * Change settings at run time, all or nothing. target: "monitor", "tree", "http",
 * "class NAME" (made when new, then max_heap must be among them; the rest begins with generic's defaults),
 * "worker NAME", "rule NAME" (made when new, then class and a pattern must be among them). A value "" or "default"
 * takes the key back to its default (of a worker: to its class's value). Cross-checks (max_bin_heap <= max_heap, ...)
 * run on the result. -EINVAL with err; -EPERM for a key that needs a restart; -E2BIG as above. Pointers from
 * mw_config_class are dead after success.
 */
struct mw_kv {
	const char *key, *value;
};
int mw_config_set(struct mw_config *cfg, const char *target, const struct mw_kv *kv, size_t n, struct mw_error *err);
/*
 * Keep settings of mw_config_set for later: rewrite drop-in PREFIX/etc/memweir/memweir.conf.d/90-set.conf atomically
 * (tmp + fsync + rename), merging with what it holds (its comments are not kept). Checks keys and values by themselves
 * and takes keys that need a restart too; cross-checks are mw_config_set's, so call that first. On any failure (a full
 * disk: -ENOSPC) the old file is as it was. Blocks: not for an event loop.
 */
int mw_config_save(const char *prefix, const char *target, const struct mw_kv *kv, size_t n, struct mw_error *err);
/* "rule NAME" taken away. -ENOENT: there is none of that name, err lists those there are; -EINVAL: of what is no rule.
 */
int mw_config_remove(struct mw_config *cfg, const char *target, struct mw_error *err);
/* All of target taken out of what mw_config_save has kept, as it keeps it. 0 also where nothing of it is there. */
int mw_config_unsave(const char *prefix, const char *target, struct mw_error *err);

const struct mw_class *mw_config_class(const struct mw_config *cfg, const char *name); /* NULL: unknown */
const struct mw_rule *mw_config_rule(const struct mw_config *cfg, const char *target); /* "rule NAME"; NULL: unknown */
/*
 * Class's profile with the settings of [worker NAME] over it. -ENOENT for an unknown class, err lists the known ones;
 * -EINVAL when the worker's settings contradict the class's.
 */
int mw_config_worker_profile(const struct mw_config *cfg, const char *class_name, const char *worker,
			     struct mw_profile *ret_profile, struct mw_error *err);

/* Walk every key of a section kind with its present value, as a file would say it ("100MB", "500ms", "auto", "max"). */
typedef void (*mw_config_row_fn)(const char *key, const char *value, const char *doc, void *arg);
void mw_config_rows_profile(const struct mw_profile *p, mw_config_row_fn fn, void *arg);
void mw_config_rows_monitor(const struct mw_monitor *m, mw_config_row_fn fn, void *arg);
void mw_config_rows_tree(const struct mw_tree *t, mw_config_row_fn fn, void *arg);
void mw_config_rows_http(const struct mw_http *h, mw_config_row_fn fn, void *arg);
void mw_config_rows_otlp(const struct mw_otlp_settings *o, mw_config_row_fn fn, void *arg);
void mw_config_rows_rule(const struct mw_rule *r, mw_config_row_fn fn, void *arg);

/* heap_sample as a file says it: "yes", "no" or a size. -EINVAL; *ret_expected: what would have been right. */
int mw_heap_sample_parse(const char *text, __u64 *ret_bytes, char *ret_expected, size_t size);

/* Letters, digits, ._- ; begins with letter or digit; at most 63; not "daemon", no "cgroup." or "memory." prefix. */
bool mw_name_valid(const char *name);
/* Make one from anything: odd characters become _. Never empty, always valid. */
void mw_name_from(const char *text, char ret_name[MW_NAME_SIZE]);

#endif
