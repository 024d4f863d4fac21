/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A restart of the same build need not take anything over: where every pinned program is, instruction for
 * instruction and constant for constant, the one that was just loaded, the pinned ones simply go on. Then an event that
 * is under way at that moment cannot meet two generations and be counted by both or by none.
 */
#include <limits.h>
#include <string.h>

#include "daemon/kernel_private.h"
#include "memweir.skel.h"

#define PROGRAM_MAPS_MAX 32

/* What an earlier daemon's program was given as constants. */
static int constants_of(const __u32 *ids, __u32 n, struct memweir__rodata *ret_constants)
{
	__u32 zero = 0;

	for (__u32 i = 0; i < n && i < PROGRAM_MAPS_MAX; i++) {
		_cleanup_close_ int fd = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info info = {};
		__u32 size = sizeof(info);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) || strcmp(info.name, "memweir.rodata") != 0)
			continue;
		if (info.value_size != sizeof(*ret_constants))
			return -EINVAL;
		return bpf_map_lookup_elem(fd, &zero, ret_constants) ? -errno : 0;
	}
	return -ENOENT;
}

static int info_of(int program_fd, struct bpf_prog_info *ret_info, __u32 map_ids[PROGRAM_MAPS_MAX])
{
	__u32 size = sizeof(*ret_info);

	*ret_info = (struct bpf_prog_info){
		.nr_map_ids = PROGRAM_MAPS_MAX,
		.map_ids = (unsigned long)map_ids,
	};
	return bpf_obj_get_info_by_fd(program_fd, ret_info, &size) ? -errno : 0;
}

/* The program behind a pinned link; -1: there is none. */
static int pinned_program(const struct mw_kernel *k, size_t row)
{
	char path[PATH_MAX];
	_cleanup_close_ int link = -1;
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	mw_pins_link_path(k, row, path);
	link = bpf_obj_get(path);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size))
		return -1;
	return bpf_prog_get_fd_by_id(info.prog_id);
}

/* Is what is pinned for this row what has just been loaded for it? *generation: 0, or what the rows before it have. */
static bool same_program(struct mw_kernel *k, size_t row, __u64 *generation)
{
	_cleanup_close_ int old = pinned_program(k, row);
	struct bpf_program *program = bpf_object__find_program_by_name(k->object, mw_program_rows[row].program);
	__u32 old_maps[PROGRAM_MAPS_MAX], new_maps[PROGRAM_MAPS_MAX];
	struct bpf_prog_info old_info, new_info;
	struct memweir__rodata constants;

	if (!k->programs[row].chosen)
		return old < 0;
	if (old < 0 || info_of(old, &old_info, old_maps) || info_of(bpf_program__fd(program), &new_info, new_maps) ||
	    memcmp(old_info.tag, new_info.tag, sizeof(old_info.tag)) != 0)
		return false;
	if (constants_of(old_maps, old_info.nr_map_ids, &constants) == 0) {
		if (*generation && *generation != constants.mw_generation)
			return false;
		*generation = constants.mw_generation;
		constants.mw_generation = k->generation;
		/* Bytes of one map and of another: what lies between members is 0 in both. */
		if (memcmp((const char *)&constants, (const char *)k->skel->rodata, sizeof(constants)) != 0)
			return false;
	}
	k->programs[row].running_fd = TAKE_FD(old);
	return true;
}

static void forget(struct mw_kernel *k)
{
	for (size_t i = 0; i < mw_program_count; i++)
		mw_close(&k->programs[i].running_fd);
}

bool mw_pins_keep(struct mw_kernel *k)
{
	struct mw_config_map config;
	__u64 generation = 0;
	__u32 zero = 0;

	if (!k->adopted)
		return false;
	for (size_t i = 0; i < mw_program_count; i++) {
		if (mw_program_rows[i].kind == HOOK_RUN || mw_program_rows[i].kind == HOOK_CGROUP_ITER)
			continue;
		if (!same_program(k, i, &generation)) {
			forget(k);
			return false;
		}
	}
	/* They must be the ones that count: a daemon may have died in the middle of taking over. */
	if (!generation || bpf_map_lookup_elem(k->maps[MAP_CONFIG], &zero, &config) ||
	    config.generation != generation) {
		forget(k);
		return false;
	}
	k->generation = generation;
	return true;
}
