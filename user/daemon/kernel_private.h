/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Shared by the kernel_*.c files and nobody else. The way of mw_kernel_open():
 * probe (what does this host have) → load (programs and maps, new or adopted)
 * → attach → pins (hand over from the programs of an earlier daemon).
 */
#ifndef MW_KERNEL_PRIVATE_H
#define MW_KERNEL_PRIVATE_H

#include <limits.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "daemon/kernel.h"
#include "util/cleanup.h"

#define MW_MAX_PROGRAMS	      64
#define MW_OTHER_CGROUPS      512 /* that a look meets besides workers: root, classes, cgroups below workers */
#define MW_MEMBERS_PER_WORKER 4 /* room in maps/members for cgroups below a worker */
#define MW_SITES_PER_WORKER   16 /* room in maps/growth_sites, up to MW_MAX_SITES in all */
#define MW_MAX_SITES	      65536
#define MW_MAX_STACKS	      8192 /* in both maps of them; 272 bytes each, paid at the load */

enum map_id {
	MAP_EVENTS,
	MAP_RECENT,
	MAP_TAP,
	MAP_WORKERS,
	MAP_MEMBERS,
	MAP_PAUSES,
	MAP_SAMPLES,
	MAP_SITES,
	MAP_STACKS,
	MAP_STACKS2,
	MAP_ASIDE,
	MAP_COPIES,
	MAP_WANTED,
	MAP_SCRATCH,
	MAP_TASKS,
	MAP_STATS,
	MAP_CONFIG,
	MAP_NEWCOMERS,
	MAP_NEWCOMER_CGROUPS,
	MAP_MAX,
};

/* Every program, in the order of bpf/; kernel_probe.c has the table. */
enum hook_kind { HOOK_FENTRY, HOOK_TP_BTF, HOOK_CGROUP_ITER, HOOK_MAP_ITER, HOOK_RUN };

struct program_row {
	const char *program;
	enum hook_kind kind; /* HOOK_FENTRY: fexit too */
	const char *hook; /* function or tracepoint */
	const char *other_hook; /* its name on other kernels, or NULL */
	const char *needs; /* a kernel function the program calls, or NULL */
	__u64 caps; /* bit per capability that is missing without it */
	int choice; /* > 0: of the rows with this number the first that works is taken */
	bool each_cgroup; /* HOOK_CGROUP_ITER: run on all of a subtree, not on its top alone */
	bool by_pid; /* tracepoint's first argument is a number and not a pointer */
	enum map_id map; /* HOOK_MAP_ITER: what it walks */
	const char *show; /* HOOK_MAP_ITER: its name below show/ */
};

extern const struct program_row mw_program_rows[];
extern const size_t mw_program_count;
extern const char *const mw_map_names[MAP_MAX];

/* What programs compare addresses with, or read from. */
enum kernel_symbol {
	MW_SYMBOL_WAIT_BIT,
	MW_SYMBOL_READ_PAGES,
	MW_SYMBOL_SUBMIT_BIO,
	MW_SYMBOL_STATS_INDEX,
	MW_SYMBOL_MAX,
};

struct program_state {
	bool refused; /* by the host, or switched off */
	bool chosen; /* to be loaded */
	const char *hook; /* the name this kernel has */
	struct bpf_link *link;
	int running_fd; /* the pinned program that goes on instead of the loaded one; -1: none */
};

struct subtree {
	__u64 cgroup_id; /* of its top; 0: a free place */
	bool self_only; /* an attached cgroup: itself, not what is below */
	struct bpf_link *iter; /* of the cgroup iterator; NULL where the kernel can walk */
	struct bpf_link *flush; /* NULL where the kernel cannot flush */
};

struct mw_kernel {
	struct mw_kernel_options opts;
	char pin_dir[192]; /* "" without pins */
	int lock_fd; /* of pin_dir: one daemon at a time */
	struct mw_capability_info caps[MW_CAP_MAX];
	struct program_state programs[MW_MAX_PROGRAMS];
	struct memweir *skel;
	struct bpf_object *object; /* the skeleton's; NULL: nothing could be loaded */
	int maps[MAP_MAX]; /* descriptors, the object's own; -1 without */
	__u32 max_workers; /* of the maps; adopted ones may be larger than asked for */
	__u64 generation;
	bool adopted;
	bool can_cast; /* bpf_rdonly_cast: fields are loaded, not copied by a call each */
	__u64 symbols[MW_SYMBOL_MAX]; /* where they are; 0: the kernel has none, or it is not needed */
	__u64 *slot_owner; /* [max_workers] cgroup id, 0: free */
	__u32 removed_since_sweep;
	bool pauses_known; /* all pause counters were read when maps/stats had counted pauses_seen */
	__u64 pauses_seen;
	struct mw_sample *samples; /* maps/samples, mapped */
	size_t samples_bytes;
	struct subtree *subtrees;
	size_t subtree_count, next_single;
	struct ring_buffer *ring;
	mw_event_fn event_fn;
	void *event_arg;
	int handed_on;
	__u64 bad_records;
};

#define MW_CAP_BIT(cap) (1ULL << (cap))

/* kernel_probe.c */
void mw_capabilities_init(struct mw_kernel *k);
void mw_capability_refuse(struct mw_kernel *k, enum mw_capability cap, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A program that cannot be had: the capabilities that need it are missing for this reason. */
void mw_program_refuse(struct mw_kernel *k, size_t row, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Nothing loads, for one reason. */
void mw_refuse_all(struct mw_kernel *k, const char *why);
/* Find out what the host has; afterwards programs[].chosen and hook are set. */
void mw_probe(struct mw_kernel *k);
/* Choose again after a refusal: the next of a choice, or none. */
void mw_choose(struct mw_kernel *k);
/* Of what can be had in a lesser way only: which. */
void mw_say_ways(struct mw_kernel *k);

/* kernel_names.c: types of btf, which must stay, by name; NULL: no memory. Functions, typedefs, enums, structs. */
struct mw_btf_names *mw_btf_names_new(const struct btf *btf);
void mw_btf_names_free(struct mw_btf_names *names);
/* NULL: there is none. ret_id may be NULL. */
const struct btf_type *mw_btf_names_find(const struct mw_btf_names *names, const char *name, __u32 kind, __u32 *ret_id);
/*
 * Addresses of the kernel's own symbols, those of the bits in wanted; the others stay as they are. 0: it has none of
 * that name, or does not tell (kptr_restrict).
 */
void mw_kernel_symbols(const char *proc_root, __u32 wanted, __u64 ret_addresses[MW_SYMBOL_MAX]);

/* kernel_log.c: libbpf's warnings. */
struct mw_libbpf_words {
	char program[64]; /* the program or map they are about; "" when none was named */
	char text[200]; /* what was said about it first, and the verifier's last words */
};
void mw_libbpf_listen(struct mw_libbpf_words *words); /* forget, then listen; NULL: stop */

/* kernel_load.c */
int mw_load(struct mw_kernel *k);
void mw_unload_object(struct mw_kernel *k);
void mw_attach(struct mw_kernel *k);

/* kernel_growth.c */
void mw_sweep(struct mw_kernel *k);

/* kernel_copies.c */
void mw_copies_forget(struct mw_kernel *k); /* nobody is asked for: what an earlier daemon wanted is not wanted now */

/* kernel_pins.c */
int mw_pins_open(struct mw_kernel *k); /* directory and lock; may refuse MW_CAP_BPFFS. -EBUSY: another daemon has it */
int mw_pins_reuse(struct mw_kernel *k, struct bpf_object *object); /* adopt maps; sets k->adopted */
void mw_pins_link_path(const struct mw_kernel *k, size_t row,
		       char ret_path[PATH_MAX]); /* where a row's link is pinned */
/* Pin what is new, hand over, drop what is old. hand_over makes the new programs count and the old ones silent. */
void mw_pins_replace(struct mw_kernel *k, void (*hand_over)(struct mw_kernel *k));

/* kernel_keep.c: what runs already is what was loaded; it goes on, and the loaded programs are not attached. */
bool mw_pins_keep(struct mw_kernel *k);

#endif
