/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Names of the running kernel: of its types, each found at once where libbpf reads all of them again for each question,
 * and of its symbols, without the scanning of each line that libbpf does. A daemon that starts asks for eighty.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/kernel_private.h"
#include "util/fnv.h"

#define CHUNK 65536
#define KEPT  1024 /* of a line of /proc/kallsyms that is not whole yet; a name has at most 511 bytes */

struct mw_btf_names {
	const struct btf *btf;
	__u32 mask;
	__u32 slots[]; /* ids of functions, types and enums by their names' hash; 0: free */
};

static __u32 hash(const char *name)
{
	__u64 h = mw_fnv1a_text(name);

	return (__u32)(h ^ h >> 32);
}

static bool wanted(__u32 kind)
{
	return kind == BTF_KIND_FUNC || kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_ENUM || kind == BTF_KIND_STRUCT;
}

struct mw_btf_names *mw_btf_names_new(const struct btf *btf)
{
	__u32 n = btf__type_cnt(btf), size = 1024;
	struct mw_btf_names *names;

	while (size < n)
		size *= 2;
	names = calloc(1, sizeof(*names) + 2UL * size * sizeof(names->slots[0]));
	if (!names)
		return NULL;
	names->btf = btf;
	names->mask = 2 * size - 1;
	for (__u32 id = 1; id < n; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		__u32 at;

		if (!wanted(btf_kind(type)) || !type->name_off)
			continue;
		at = hash(btf__name_by_offset(btf, type->name_off)) & names->mask;
		while (names->slots[at])
			at = (at + 1) & names->mask;
		names->slots[at] = id;
	}
	return names;
}

void mw_btf_names_free(struct mw_btf_names *names)
{
	free(names);
}

const struct btf_type *mw_btf_names_find(const struct mw_btf_names *names, const char *name, __u32 kind, __u32 *ret_id)
{
	for (__u32 at = hash(name) & names->mask; names->slots[at]; at = (at + 1) & names->mask) {
		const struct btf_type *type = btf__type_by_id(names->btf, names->slots[at]);

		if (btf_kind(type) != kind || strcmp(btf__name_by_offset(names->btf, type->name_off), name) != 0)
			continue;
		if (ret_id)
			*ret_id = names->slots[at];
		return type;
	}
	return NULL;
}

static const char *const symbol_names[] = {
	[MW_SYMBOL_WAIT_BIT] = "folio_wait_bit_common",
	[MW_SYMBOL_READ_PAGES] = "read_pages",
	[MW_SYMBOL_SUBMIT_BIO] = "submit_bio",
	[MW_SYMBOL_STATS_INDEX] = "mem_cgroup_stats_index",
};
_Static_assert(ARRAY_SIZE(symbol_names) == MW_SYMBOL_MAX, "a name for each symbol");

/* Whose lines are in text, whole ones: "ffffffff82a4d1c0 d NAME\n". What was found is wanted no more. */
static __u32 find_symbols(const char *text, size_t size, __u32 wanted, __u64 *ret_addresses)
{
	for (int i = 0; i < MW_SYMBOL_MAX; i++) {
		char ending[64];
		const char *at;
		int length;

		if (!(wanted & 1U << i))
			continue;
		length = snprintf(ending, sizeof(ending), " %s\n", symbol_names[i]);
		at = memmem(text, size, ending, (size_t)length);
		if (!at)
			continue;
		while (at > text && at[-1] != '\n')
			at--;
		ret_addresses[i] = strtoull(at, NULL, 16);
		wanted &= ~(1U << i);
	}
	return wanted;
}

void mw_kernel_symbols(const char *proc_root, __u32 wanted, __u64 ret_addresses[MW_SYMBOL_MAX])
{
	char path[64], text[KEPT + CHUNK + 1];
	_cleanup_close_ int fd = -1;
	size_t have = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "%.48s/kallsyms", proc_root);
	fd = wanted ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	while (fd >= 0 && wanted && (n = read(fd, text + have, CHUNK)) > 0) {
		const char *rest;

		have += (size_t)n;
		text[have] = '\0';
		wanted = find_symbols(text, have, wanted, ret_addresses);
		rest = memrchr(text, '\n', have); /* the beginning of a line waits for its end */
		have = rest ? have - (size_t)(rest + 1 - text) : have;
		have = have > KEPT ? 0 : have;
		memmove(text, rest ? rest + 1 : text, have);
	}
}
