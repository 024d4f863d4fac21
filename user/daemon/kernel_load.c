/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Load and attach. libbpf loads all or nothing, so a refused program is taken
 * out, with libbpf's words as its reason, and the rest is loaded again.
 */
#include <string.h>
#include <time.h>

#include "daemon/kernel_private.h"
#include "memweir.skel.h"

const char *const mw_map_names[MAP_MAX] = {
	[MAP_EVENTS] = "events",
	[MAP_RECENT] = "recent",
	[MAP_TAP] = "tap",
	[MAP_WORKERS] = "workers",
	[MAP_MEMBERS] = "members",
	[MAP_PAUSES] = "pauses",
	[MAP_SAMPLES] = "samples",
	[MAP_SITES] = "growth_sites",
	[MAP_STACKS] = "growth_stacks",
	[MAP_STACKS2] = "growth_stacks2",
	[MAP_ASIDE] = "growth_aside", /* the kernel side's own */
	[MAP_COPIES] = "growth_copies",
	[MAP_WANTED] = "growth_wanted",
	[MAP_SCRATCH] = "growth_scratch",
	[MAP_TASKS] = "tasks",
	[MAP_STATS] = "stats",
	[MAP_CONFIG] = "config",
	[MAP_NEWCOMERS] = "newcomers",
	[MAP_NEWCOMER_CGROUPS] = "newcomer_told",
};

static __u32 at_most(__u64 n, __u32 limit)
{
	return n < limit ? n : limit;
}

static void set_sizes(const struct mw_kernel *k, struct memweir *skel)
{
	__u32 workers = k->opts.max_workers;
	__u32 sites = at_most((__u64)workers * MW_SITES_PER_WORKER, MW_MAX_SITES);

	bpf_map__set_max_entries(skel->maps.events, k->opts.ring_bytes);
	bpf_map__set_max_entries(skel->maps.workers, workers);
	bpf_map__set_max_entries(skel->maps.samples, workers);
	bpf_map__set_max_entries(skel->maps.slots_by_position, workers + MW_OTHER_CGROUPS);
	bpf_map__set_max_entries(skel->maps.members, workers * MW_MEMBERS_PER_WORKER);
	bpf_map__set_max_entries(skel->maps.pauses, workers * MW_PAUSE_MAX);
	bpf_map__set_max_entries(skel->maps.growth_sites, sites);
	bpf_map__set_max_entries(skel->maps.growth_stacks, at_most(sites, MW_MAX_STACKS) / 2);
	bpf_map__set_max_entries(skel->maps.growth_stacks2, at_most(sites, MW_MAX_STACKS) / 2);
}

/* A tick's length without asking for CONFIG_HZ, which may be kept nowhere: the coarse clock moves once a tick. */
static __u64 jiffy_ns(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_nsec < 100000)
		return 4000000;
	return tick.tv_nsec;
}

static ssize_t row_of(const char *program)
{
	for (size_t i = 0; i < mw_program_count; i++) {
		if (strcmp(mw_program_rows[i].program, program) == 0)
			return i;
	}
	return -1;
}

static void set_constants(const struct mw_kernel *k, struct memweir *skel)
{
	skel->rodata->mw_generation = k->generation;
	skel->rodata->mw_jiffy_ns = jiffy_ns();
	skel->rodata->mw_can_cast = k->can_cast;
	skel->rodata->mw_stats_index = k->symbols[MW_SYMBOL_STATS_INDEX];
	for (int i = MW_SYMBOL_WAIT_BIT; i <= MW_SYMBOL_SUBMIT_BIO; i++)
		skel->rodata->mw_refault_functions[i] = k->symbols[i];
	skel->rodata->mw_page_shift = __builtin_ctzl(sysconf(_SC_PAGESIZE));
	skel->rodata->mw_memstall_on = mw_kernel_has(k, MW_CAP_PAUSE_MEMSTALL);
	skel->rodata->mw_sleep_seen = k->programs[row_of("high_sleep")].chosen;
	skel->rodata->mw_statistics_on = mw_kernel_has(k, MW_CAP_STATISTICS);
	skel->rodata->mw_growth_on = mw_kernel_has(k, MW_CAP_GROWTH);
	skel->rodata->mw_copies_on = mw_kernel_has(k, MW_CAP_GROWTH_COPIES);
	skel->rodata->mw_near_high_on = mw_kernel_has(k, MW_CAP_NEAR_HIGH_EVENT);
}

/* Names of the chosen programs; a hook this kernel calls differently. */
static void set_programs(struct mw_kernel *k, struct bpf_object *object)
{
	for (size_t i = 0; i < mw_program_count; i++) {
		const struct program_row *row = &mw_program_rows[i];
		struct bpf_program *program = bpf_object__find_program_by_name(object, row->program);

		bpf_program__set_autoload(program, k->programs[i].chosen);
		if (k->programs[i].chosen && k->programs[i].hook == row->other_hook && row->other_hook &&
		    bpf_program__set_attach_target(program, 0, row->other_hook)) {
			mw_program_refuse(k, i, "cannot attach to %s: %s", row->other_hook, strerror(errno));
			bpf_program__set_autoload(program, false);
		}
	}
}

/* One try. 0, -EAGAIN after a program was taken out, or another error. */
static int try_load(struct mw_kernel *k)
{
	struct mw_libbpf_words words;
	struct memweir *skel;
	ssize_t row;
	int result;

	mw_libbpf_listen(&words);
	skel = memweir__open();
	if (!skel)
		return -errno;
	set_sizes(k, skel);
	set_constants(k, skel);
	set_programs(k, skel->obj);
	result = mw_pins_reuse(k, skel->obj);
	if (result == 0)
		result = memweir__load(skel);
	if (result == 0) {
		k->skel = skel;
		k->object = skel->obj;
		return 0;
	}
	memweir__destroy(skel);
	row = row_of(words.program);
	if (row >= 0 && !k->programs[row].refused) {
		mw_program_refuse(k, row, "%s", words.text);
		mw_choose(k);
		return -EAGAIN;
	}
	mw_refuse_all(k, words.text[0] ? words.text : strerror(-result));
	return result;
}

/* Only a loaded program knows. */
static void ask_positions(struct mw_kernel *k)
{
	const struct bpf_program *program;
	LIBBPF_OPTS(bpf_test_run_opts, run);

	if (!k->object || !mw_kernel_has(k, MW_CAP_STATISTICS))
		return;
	program = bpf_object__find_program_by_name(k->object, "sample_positions");
	if (!mw_kernel_has(k, MW_CAP_SAMPLE_ITER))
		mw_capability_refuse(k, MW_CAP_STATISTICS, "no pass without sample-iter");
	else if (bpf_prog_test_run_opts(bpf_program__fd(program), &run))
		mw_capability_refuse(k, MW_CAP_STATISTICS, "cannot be asked for: %s", strerror(errno));
	else if (run.retval)
		mw_capability_refuse(k, MW_CAP_STATISTICS, "the kernel does not tell where mem_cgroup_stats_index is");
}

int mw_load(struct mw_kernel *k)
{
	int result;

	do {
		result = try_load(k);
	} while (result == -EAGAIN);
	mw_libbpf_listen(NULL);
	if (result == -ENOMEM)
		return result;
	for (int map = 0; map < MAP_MAX; map++) {
		const struct bpf_map *m = k->object ? bpf_object__find_map_by_name(k->object, mw_map_names[map]) : NULL;

		k->maps[map] = m ? bpf_map__fd(m) : -1;
	}
	ask_positions(k);
	mw_say_ways(k);
	return 0;
}

void mw_unload_object(struct mw_kernel *k)
{
	for (size_t i = 0; i < mw_program_count; i++) {
		bpf_link__destroy(k->programs[i].link);
		k->programs[i].link = NULL;
		mw_close(&k->programs[i].running_fd);
	}
	memweir__destroy(k->skel);
	k->skel = NULL;
	k->object = NULL;
}

static struct bpf_link *attach_show(const struct mw_kernel *k, const struct bpf_program *program, enum map_id map)
{
	union bpf_iter_link_info info = {.map.map_fd = k->maps[map]};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));

	return bpf_program__attach_iter(program, &opts);
}

/* Attach what is loaded and runs by itself. What fails costs its own capabilities. */
void mw_attach(struct mw_kernel *k)
{
	for (size_t i = 0; k->object && i < mw_program_count; i++) {
		const struct program_row *row = &mw_program_rows[i];
		struct program_state *state = &k->programs[i];
		struct bpf_program *program = bpf_object__find_program_by_name(k->object, row->program);
		struct mw_libbpf_words words;

		if (!state->chosen || row->kind == HOOK_RUN || row->kind == HOOK_CGROUP_ITER)
			continue;
		mw_libbpf_listen(&words);
		state->link =
			row->kind == HOOK_MAP_ITER ? attach_show(k, program, row->map) : bpf_program__attach(program);
		if (!state->link)
			mw_program_refuse(k, i, "%s", words.text[0] ? words.text : strerror(errno));
	}
	mw_libbpf_listen(NULL);
}
