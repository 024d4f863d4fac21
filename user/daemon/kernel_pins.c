/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Pins: maps/, links/ and show/ below one directory of a bpffs. They keep
 * programs counting while no daemon runs, and the next daemon adopts them.
 *
 * A restart of the same build leaves the programs alone (kernel_keep.c). Taking over: the new programs are attached and
 * pinned as NAME_new, then maps/config.generation hands over (see watch.bpf.h), then each NAME_new is renamed over
 * NAME, which detaches the old program. bpffs allows no dots.
 */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "daemon/kernel_private.h"

#define NEW_SUFFIX    "_new"
#define MAX_SET_ASIDE 100

static void path_of(const struct mw_kernel *k, const char *folder, const char *name, const char *suffix,
		    char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/%s%s%s%s", k->pin_dir, folder, name[0] ? "/" : "", name, suffix);
}

static int make_directory(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static bool is_bpffs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

static int make_folders(const struct mw_kernel *k)
{
	static const char *const folders[] = {"maps", "links", "show"};
	char path[PATH_MAX];
	int result = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && result == 0; i++) {
		path_of(k, folders[i], "", "", path);
		result = make_directory(path);
	}
	return result;
}

/* Would the directory be on a bpffs? It may not be there yet: then its parent is asked. */
static void probe_bpffs(struct mw_kernel *k)
{
	_cleanup_close_ int fd = open(k->opts.pin_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char parent[PATH_MAX], *slash;

	if (fd < 0) {
		snprintf(parent, sizeof(parent), "%s", k->opts.pin_dir);
		slash = strrchr(parent, '/');
		if (slash)
			*slash = '\0';
		fd = open(parent[0] ? parent : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (!is_bpffs(fd))
		mw_capability_refuse(k, MW_CAP_BPFFS, "%s is not on a bpffs", k->opts.pin_dir);
}

/* The directory, alone: a second daemon on the same pins would steal the ring's records. */
int mw_pins_open(struct mw_kernel *k)
{
	_cleanup_close_ int fd = -1;
	int result;

	if (!k->opts.pin_dir[0])
		mw_capability_refuse(k, MW_CAP_BPFFS, "no directory for pins was given");
	if (!mw_kernel_has(k, MW_CAP_BPFFS))
		return 0;
	if (k->opts.probe_only) {
		probe_bpffs(k);
		return 0;
	}
	result = make_directory(k->opts.pin_dir);
	if (result == 0) {
		fd = open(k->opts.pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		result = fd < 0 ? -errno : 0;
	}
	if (result) {
		mw_capability_refuse(k, MW_CAP_BPFFS, "%s: %s", k->opts.pin_dir, strerror(-result));
		return 0;
	}
	if (!is_bpffs(fd)) {
		rmdir(k->opts.pin_dir); /* ours if it is empty */
		mw_capability_refuse(k, MW_CAP_BPFFS, "%s is not on a bpffs", k->opts.pin_dir);
		return 0;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -EBUSY;
	snprintf(k->pin_dir, sizeof(k->pin_dir), "%s", k->opts.pin_dir);
	result = make_folders(k);
	if (result) {
		mw_capability_refuse(k, MW_CAP_BPFFS, "%s: %s", k->pin_dir, strerror(-result));
		k->pin_dir[0] = '\0';
		return 0;
	}
	k->lock_fd = TAKE_FD(fd);
	return 0;
}

static int open_pinned_map(const struct mw_kernel *k, enum map_id map)
{
	char path[PATH_MAX];

	path_of(k, "maps", mw_map_names[map], "", path);
	return bpf_obj_get(path);
}

static bool same_version(const struct mw_kernel *k)
{
	_cleanup_close_ int fd = open_pinned_map(k, MAP_CONFIG);
	struct bpf_map_info info = {};
	struct mw_config_map config;
	__u32 size = sizeof(info), zero = 0;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) || info.value_size != sizeof(config))
		return false;
	return bpf_map_lookup_elem(fd, &zero, &config) == 0 && config.abi_version == MW_ABI_VERSION;
}

/* Can this map go on with the new programs? Its layout must be ours and its size no smaller. */
static bool can_reuse(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return false;
	if (info.type == BPF_MAP_TYPE_RINGBUF || info.type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return info.type == bpf_map__type(map);
	return info.type == bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) && info.max_entries >= bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

static bool can_reuse_all(const struct mw_kernel *k, struct bpf_object *object)
{
	for (int map = 0; map < MAP_MAX; map++) {
		_cleanup_close_ int fd = open_pinned_map(k, map);

		if (fd < 0 || !can_reuse(fd, bpf_object__find_map_by_name(object, mw_map_names[map])))
			return false;
	}
	return true;
}

/* Called for each try of the load, with sizes set. */
int mw_pins_reuse(struct mw_kernel *k, struct bpf_object *object)
{
	k->adopted = k->pin_dir[0] && same_version(k) && can_reuse_all(k, object);
	for (int map = 0; k->adopted && map < MAP_MAX; map++) {
		_cleanup_close_ int fd = open_pinned_map(k, map);
		int result = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, mw_map_names[map]), fd);

		if (result)
			return result;
	}
	return 0;
}

/* Maps of another layout: their programs go on with them until the new ones are attached. */
static void set_aside(struct mw_kernel *k)
{
	char from[PATH_MAX], to[PATH_MAX], name[32];

	path_of(k, "maps", "", "", from);
	if (rmdir(from) == 0) { /* empty: nothing to keep */
		make_directory(from);
		return;
	}
	for (int n = 1; n <= MAX_SET_ASIDE; n++) {
		snprintf(name, sizeof(name), "maps-old-%d", n);
		path_of(k, name, "", "", to);
		if (rename(from, to) == 0)
			break;
	}
	make_directory(from);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	return type == FTW_DP || type == FTW_D ? rmdir(path) : unlink(path);
}

static int remove_tree(const char *path)
{
	return nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT ? -errno : 0;
}

static void remove_set_aside(const struct mw_kernel *k)
{
	char path[PATH_MAX], name[32];

	for (int n = 1; n <= MAX_SET_ASIDE; n++) {
		snprintf(name, sizeof(name), "maps-old-%d", n);
		path_of(k, name, "", "", path);
		remove_tree(path);
	}
}

static int pin_maps(struct mw_kernel *k)
{
	char path[PATH_MAX];

	for (int map = 0; map < MAP_MAX; map++) {
		path_of(k, "maps", mw_map_names[map], "", path);
		if (bpf_obj_pin(k->maps[map], path))
			return -errno;
	}
	return 0;
}

static const char *folder_of(size_t row)
{
	return mw_program_rows[row].show ? "show" : "links";
}

static const char *name_of(size_t row)
{
	return mw_program_rows[row].show ? mw_program_rows[row].show : mw_program_rows[row].program;
}

void mw_pins_link_path(const struct mw_kernel *k, size_t row, char ret_path[PATH_MAX])
{
	path_of(k, folder_of(row), name_of(row), "", ret_path);
}

/* The new links as NAME_new; a leftover of a daemon that died here is replaced. */
static void pin_links(struct mw_kernel *k)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < mw_program_count; i++) {
		if (!k->programs[i].link)
			continue;
		path_of(k, folder_of(i), name_of(i), NEW_SUFFIX, path);
		unlink(path);
		if (bpf_obj_pin(bpf_link__fd(k->programs[i].link), path))
			mw_capability_refuse(k, MW_CAP_BPFFS, "cannot pin %s: %s", path, strerror(errno));
	}
}

/* Old links go: renamed over, or removed where the new load has no such program. */
static void replace_links(struct mw_kernel *k)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (size_t i = 0; i < mw_program_count; i++) {
		if (mw_program_rows[i].kind == HOOK_RUN || mw_program_rows[i].kind == HOOK_CGROUP_ITER)
			continue;
		path_of(k, folder_of(i), name_of(i), NEW_SUFFIX, from);
		path_of(k, folder_of(i), name_of(i), "", to);
		if (!k->programs[i].link || rename(from, to) < 0)
			unlink(to);
	}
}

void mw_pins_replace(struct mw_kernel *k, void (*hand_over)(struct mw_kernel *k))
{
	int result = 0;

	if (!k->pin_dir[0]) {
		hand_over(k);
		return;
	}
	if (!k->adopted) {
		set_aside(k);
		result = pin_maps(k);
		if (result)
			mw_capability_refuse(k, MW_CAP_BPFFS, "cannot pin maps in %s: %s", k->pin_dir,
					     strerror(-result));
	}
	pin_links(k);
	hand_over(k);
	replace_links(k);
	remove_set_aside(k);
}

int mw_kernel_unload(const char *pin_dir, struct mw_error *err)
{
	_cleanup_close_ int fd = -1;
	int result;

	fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : mw_fail(err, -errno, "cannot open %s: %s", pin_dir, strerror(errno));
	if (!is_bpffs(fd))
		return mw_fail(err, -EINVAL, "%s is not on a bpffs: nothing there is ours", pin_dir);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return mw_fail(err, -EBUSY, "%s is in use by a running daemon: stop it first", pin_dir);
	result = remove_tree(pin_dir);
	return result ? mw_fail(err, result, "cannot remove %s: %s", pin_dir, strerror(-result)) : 0;
}
