/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The table of keys. A new setting is a field in config.h, a row here and a paragraph in memweir.conf(5). */
#include "core/config_impl.h"

#include <string.h>

#include "memweir/heap.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MIB	     (1ULL << 20)
#define LARGEST_SIZE (1ULL << 63)
#define US	     1000ULL

#define FIELD(type, member) .offset = offsetof(struct type, member), .size = sizeof(((struct type *)NULL)->member)
#define MONITOR(member)	    FIELD(mw_monitor, member)
#define TREE(member)	    FIELD(mw_tree, member)
#define HTTP(member)	    FIELD(mw_http, member)
#define OTLP(member)	    FIELD(mw_otlp_settings, member)
#define PROFILE(member)	    FIELD(mw_profile, member)
#define RULE(member)	    FIELD(mw_rule, member)

static const char *const share_names[] = {"none", "class", NULL};
static const char *const method_names[] = {"windows", "regression", NULL};
_Static_assert(sizeof(method_names) / sizeof(method_names[0]) == MW_METHOD_MAX + 1, "a name for every method");

static const struct mw_key monitor_keys[] = {
	{"check_interval", MW_KEY_DURATION, 0, MONITOR(check_interval_ns), 100 * MW_NS_PER_MS, 3600 * MW_NS_PER_S,
	 .def = "5s", .doc = "time between two judgements of every worker"},
	{"sample_interval", MW_KEY_DURATION, 0, MONITOR(sample_interval_ns), 10 * MW_NS_PER_MS, 60 * MW_NS_PER_S,
	 .def = "500ms", .doc = "time between two samples of every worker"},
	{"alert_threshold", MW_KEY_RATIO, 0, MONITOR(alert_threshold), 100, 1000, .def = "0.85",
	 .doc = "share of max_heap from which a worker is told of"},
	{"enable_hibernation", MW_KEY_BOOL, 0, MONITOR(enable_hibernation), .def = "no",
	 .doc = "hibernate idle workers; off: recommend it only"},
	{"max_history", MW_KEY_COUNT, 0, MONITOR(max_history), 3, 1000, .def = "10",
	 .doc = "checks the growth rule looks at"},
	{"method", MW_KEY_CHOICE, 0, MONITOR(method), .names = method_names, .def = "windows",
	 .doc = "how growth is judged; regression: by a line through max_history checks alone"},
	{"max_workers", MW_KEY_COUNT, MW_KEY_RESTART, MONITOR(max_workers), 1, 65536, .def = "4096",
	 .doc = "workers there is room for in the BPF maps"},
	{"near_high", MW_KEY_SIZE, MW_KEY_ALLOW_ZERO, MONITOR(near_high), 4096, 1ULL << 40, .def = "4MiB",
	 .doc = "distance below memory.high that counts as near; 0: none does"},
	{"growth_stacks_per_s", MW_KEY_COUNT, 0, MONITOR(growth_stacks_per_s), 0, 100000, .def = "500",
	 .doc = "user stacks taken per worker and second; 0: none"},
	{"object_calls_per_s", MW_KEY_COUNT, 0, MONITOR(object_calls_per_s), 0, 1000000, .def = "4000",
	 .doc = "calls of its allocator up to which a suspect is probed; 0: none is"},
	{"max_incidents", MW_KEY_COUNT, 0, MONITOR(max_incidents), 1, 1000000, .def = "1000",
	 .doc = "incidents kept on disk"},
	{"idle_after", MW_KEY_DURATION, MW_KEY_ALLOW_ZERO, MONITOR(idle_after_ns), MW_NS_PER_S,
	 30 * 86400 * MW_NS_PER_S, .def = "10min",
	 .doc = "time without work and growth after which hibernation is recommended; 0: none"},
	{"actions_per_minute", MW_KEY_COUNT, 0, MONITOR(actions_per_minute), 0, 100000, .def = "60",
	 .doc = "kills, freezes and hibernations of the guard across the host; 0: none"},
	{"reclaim_alert", MW_KEY_COUNT, 0, MONITOR(reclaim_alert), 0, 1000000, .def = "60",
	 .doc = "passes of reclaim a minute from which a worker is told of; 0: none is"},
	{"class_carriers", MW_KEY_BOOL, 0, MONITOR(class_carriers), .def = "no",
	 .doc = "newcomers may bring their class along: xattr, annotation, slice, label"},
	{"user_workers", MW_KEY_COUNT, 0, MONITOR(user_workers), 0, 65536, .def = "256",
	 .doc = "workers one user who is not root may have at once; 0: none"},
};

static const struct mw_key tree_keys[] = {
	{"root", MW_KEY_PATH, MW_KEY_RESTART | MW_KEY_ALLOW_EMPTY, TREE(root), .def = "none",
	 .doc = "cgroup of ours, from the cgroup root; none: the guard chooses"},
	{"budget", MW_KEY_SIZE, MW_KEY_ALLOW_MAX, TREE(budget), 16 * MIB, LARGEST_SIZE, .def = "max",
	 .doc = "memory.max over all workers of ours together"},
	{"state_dir", MW_KEY_PATH, MW_KEY_RESTART, TREE(state_dir), .def = "/var/lib/memweir",
	 .doc = "incidents and records"},
	{"run_dir", MW_KEY_PATH, MW_KEY_RESTART, TREE(run_dir), .def = "/run/memweir", .doc = "the control socket"},
	{"group", MW_KEY_GROUP, MW_KEY_RESTART | MW_KEY_ALLOW_EMPTY, TREE(group), .def = "none",
	 .doc = "whose members may run workers of their own in selectable classes"},
};

static const struct mw_key http_keys[] = {
	{"listen", MW_KEY_LISTEN, 0, HTTP(listen), .def = "none",
	 .doc = "loopback address and port where whoever connects may read; none: the unix socket alone"},
};

static const struct mw_key otlp_keys[] = {
	{"endpoint", MW_KEY_URL, 0, OTLP(endpoint), .def = "environment",
	 .doc = "collector of OpenTelemetry; environment: what OTEL_ variables say, none: nothing is sent"},
};

static const struct mw_key profile_keys[] = {
	{"max_heap", MW_KEY_SIZE, MW_KEY_ALLOW_MAX, PROFILE(max_heap), MIB, LARGEST_SIZE, .def = "20MB",
	 .doc = "hard limit: memory.max"},
	{"max_bin_heap", MW_KEY_SIZE, MW_KEY_ALLOW_MAX | MW_KEY_ALLOW_AUTO, PROFILE(max_bin_heap), 65536, LARGEST_SIZE,
	 .def = "auto", .doc = "bound of memory that is not heap; auto: half of max_heap, max: none"},
	{"hibernate_threshold", MW_KEY_RATIO, 0, PROFILE(hibernate_threshold), 100, 1000, .def = "0.8",
	 .doc = "share of max_heap that is memory.high"},
	{"swap_max", MW_KEY_SIZE, MW_KEY_ALLOW_MAX | MW_KEY_ALLOW_AUTO | MW_KEY_ALLOW_ZERO, PROFILE(swap_max), 4096,
	 LARGEST_SIZE, .def = "auto", .doc = "memory.swap.max; auto: as much as max_heap, 0: no swap"},
	{"low", MW_KEY_SIZE, MW_KEY_ALLOW_AUTO | MW_KEY_ALLOW_ZERO, PROFILE(low), 4096, LARGEST_SIZE, .def = "auto",
	 .doc = "memory.low, protected from reclaim; auto: a tenth of max_heap"},
	{"oom_group", MW_KEY_BOOL, 0, PROFILE(oom_group), .def = "yes",
	 .doc = "the kernel kills all of a worker or none"},
	{"thp", MW_KEY_CHOICE, 0, PROFILE(thp), .names = mw_thp_names, .def = "auto",
	 .doc = "transparent huge pages; auto: off when max_heap is under 64 MiB"},
	{"policy", MW_KEY_CHOICE, 0, PROFILE(policy), .names = mw_policy_names, .def = "protect",
	 .doc = "what the guard may do by itself"},
	{"pause_budget", MW_KEY_DURATION, MW_KEY_ALLOW_ZERO, PROFILE(pause_budget_ns), 10 * US, 60 * MW_NS_PER_S,
	 .def = "10ms", .doc = "a longer pause is told as an event; 0: none is"},
	{"pace", MW_KEY_BOOL, 0, PROFILE(pace), .def = "yes",
	 .doc = "reclaim ahead of the worker to keep its pauses under pause_budget"},
	{"notify_grace", MW_KEY_DURATION, MW_KEY_ALLOW_ZERO, PROFILE(notify_grace_ns), MW_NS_PER_MS, 60 * MW_NS_PER_S,
	 .def = "1s", .doc = "time a worker that was told has to free memory itself; 0: none"},
	{"freeze_max", MW_KEY_DURATION, MW_KEY_ALLOW_ZERO, PROFILE(freeze_max_ns), 10 * MW_NS_PER_MS, 10 * MW_NS_PER_S,
	 .def = "2s", .doc = "time policy strict freezes a worker before it kills it; 0: it does not"},
	{"heap_sample", MW_KEY_SIZE, MW_KEY_YES_NO | MW_KEY_ALLOW_ZERO, PROFILE(heap_sample), MW_HEAP_MEAN_MIN,
	 MW_HEAP_MEAN_MAX, .def = "no", .doc = "sample what programs started by run allocate; yes: every 512 KiB"},
	{"object_probe", MW_KEY_BOOL, 0, PROFILE(object_probe), .def = "yes",
	 .doc = "probe the allocator of a suspect without heap samples, now and then"},
	{"runtime_profile", MW_KEY_BOOL, 0, PROFILE(runtime_profile), .def = "no",
	 .doc = "have Python and Node programs started by run name the lines that hold most"},
	{"selectable", MW_KEY_BOOL, MW_KEY_CLASS_ONLY, PROFILE(selectable), .def = "no",
	 .doc = "callers who are not root may choose the class"},
	{"share", MW_KEY_CHOICE, MW_KEY_CLASS_ONLY | MW_KEY_RESTART, PROFILE(share), .names = share_names,
	 .def = "none", .doc = "class: all workers of the class share one profile"},
	{"budget", MW_KEY_SIZE, MW_KEY_CLASS_ONLY | MW_KEY_ALLOW_MAX, PROFILE(budget), MIB, LARGEST_SIZE, .def = "max",
	 .doc = "memory.max over all workers of the class together"},
};

static const struct mw_key rule_keys[] = {
	{"class", MW_KEY_NAME, 0, RULE(class_name), .def = "",
	 .doc = "class of who fits; none: it stays without guard"},
	{"priority", MW_KEY_COUNT, 0, RULE(priority), 0, 1000000, .def = "0",
	 .doc = "the highest is asked first; equals in the order of the files"},
	{"container", MW_KEY_PATTERN, 0, RULE(container), .def = "", .doc = "name of a container"},
	{"image", MW_KEY_PATTERN, 0, RULE(image), .def = "", .doc = "image of a container"},
	{"label", MW_KEY_PATTERN, 0, RULE(label), .def = "", .doc = "KEY or KEY=VALUE among a container's labels"},
	{"annotation", MW_KEY_PATTERN, 0, RULE(annotation), .def = "",
	 .doc = "KEY or KEY=VALUE among a container's annotations"},
	{"pod", MW_KEY_PATTERN, 0, RULE(pod), .def = "", .doc = "name of a container's pod"},
	{"namespace", MW_KEY_PATTERN, 0, RULE(namespace), .def = "", .doc = "namespace of a container"},
	{"executable", MW_KEY_PATTERN, 0, RULE(executable), .def = "",
	 .doc = "path of a process's program; without a /: its last part"},
	{"arguments", MW_KEY_PATTERN, 0, RULE(arguments), .def = "",
	 .doc = "a process's arguments after its own name, a blank between each two"},
	{"parent", MW_KEY_PATTERN, 0, RULE(parent), .def = "", .doc = "class of the worker a process was started in"},
	{"uid", MW_KEY_PATTERN, MW_KEY_DIGITS, RULE(uid), .def = "", .doc = "effective user of a process, a number"},
	{"unit", MW_KEY_PATTERN, 0, RULE(unit), .def = "", .doc = "systemd unit, the innermost"},
	{"slice", MW_KEY_PATTERN, 0, RULE(slice), .def = "", .doc = "a slice at any height above"},
};

static const struct {
	const char *name;
	const struct mw_key *keys;
	size_t n;
} sections[] = {
	[MW_SECTION_MONITOR] = {"monitor", monitor_keys, ARRAY_SIZE(monitor_keys)},
	[MW_SECTION_TREE] = {"tree", tree_keys, ARRAY_SIZE(tree_keys)},
	[MW_SECTION_HTTP] = {"http", http_keys, ARRAY_SIZE(http_keys)},
	[MW_SECTION_OTLP] = {"otlp", otlp_keys, ARRAY_SIZE(otlp_keys)},
	[MW_SECTION_CLASS] = {"class", profile_keys, ARRAY_SIZE(profile_keys)},
	[MW_SECTION_WORKER] = {"worker", profile_keys, ARRAY_SIZE(profile_keys)},
	[MW_SECTION_RULE] = {"rule", rule_keys, ARRAY_SIZE(rule_keys)},
};
_Static_assert(ARRAY_SIZE(sections) == MW_SECTION_MAX, "a table for every kind of section");

const struct mw_key *mw_keys(enum mw_section_kind kind, size_t *ret_n)
{
	*ret_n = sections[kind].n;
	return sections[kind].keys;
}

const char *mw_section_kind_name(enum mw_section_kind kind)
{
	return sections[kind].name;
}

const struct mw_key *mw_key_find(enum mw_section_kind kind, const char *name)
{
	for (size_t i = 0; i < sections[kind].n; i++) {
		const struct mw_key *key = &sections[kind].keys[i];

		if (strcmp(key->name, name) != 0)
			continue;
		return kind == MW_SECTION_WORKER && (key->flags & MW_KEY_CLASS_ONLY) ? NULL : key;
	}
	return NULL;
}
