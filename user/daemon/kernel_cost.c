/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the kernel side itself costs: memory of its maps, time of its programs. */
#include "daemon/kernel_private.h"

/* "memlock:	4096" of a map's fdinfo */
static __u64 charged_bytes(int fd)
{
	char path[64], line[128];
	_cleanup_fclose_ FILE *file = NULL;
	unsigned long long bytes = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	}
	return bytes;
}

__u64 mw_kernel_map_bytes(const struct mw_kernel *k)
{
	__u64 bytes = 0;

	for (int map = 0; k->object && map < MAP_MAX; map++)
		bytes += charged_bytes(k->maps[map]);
	return bytes;
}

int mw_kernel_costs(const struct mw_kernel *k, struct mw_program_cost *rows, size_t n)
{
	size_t used = 0;

	if (!k->object)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < mw_program_count && used < n; i++) {
		const struct bpf_program *program =
			bpf_object__find_program_by_name(k->object, mw_program_rows[i].program);
		int running = k->programs[i].running_fd, fd = running >= 0 ? running : bpf_program__fd(program);
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (!k->programs[i].chosen || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		rows[used++] = (struct mw_program_cost){
			.name = mw_program_rows[i].program,
			.runs = info.run_cnt,
			.run_ns = info.run_time_ns,
			.skipped = info.recursion_misses,
		};
	}
	return used;
}
