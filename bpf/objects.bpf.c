// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The objects of one process, watched from outside for a while: probes on its allocator's functions. An object of its
 * own, loaded while somebody is watched and never pinned. A probe's cookie says which function it is on.
 *
 * Which objects are followed is decided as libmemweir-heap.so does it, by bytes: the chance of one of s bytes is
 * 1 - exp(-s / mean). Weights are computed by who reads them.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "memweir/heap.h"
#include "memweir/objects.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define PROT_WRITE    2
#define MAP_ANONYMOUS 32
#define ERRORS	      4096UL /* results of system calls above -4096 */
#define LN2_Q16	      45426ULL
#define SIZE_MAX_KEPT MW_HEAP_BYTES_MAX

/* log2 of 1 to 2 in 256 steps, in 65536ths. */
const volatile __u32 mw_log2[257] = {};

struct mw_object_counts counts = {};
__u64 mean_bytes = 0; /* 0: nothing is sampled */

/* A call that has not returned. */
struct pending {
	__u64 sp; /* of its caller: a call within it stands below */
	__u64 size;
	__u64 old; /* realloc: the object before; posix_memalign: where the address will be */
	__u32 fn;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8192); /* daemon */
	__type(key, struct mw_object_key);
	__type(value, struct mw_heap_record);
} object_live SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* threads */
	__type(key, __u64);
	__type(value, struct pending);
} object_pending SEC(".maps");

/* Bytes until the next sample, drawn for that mean: of another one it says nothing. */
struct gap {
	__u64 left, mean;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gap);
} object_gap SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MW_OTEL_PLACES);
	__type(key, __u32);
	__type(value, struct mw_otel_arguments);
} object_arguments SEC(".maps");

static const struct mw_heap_record nothing = {};

#define add_to(field, n) __sync_fetch_and_add(&counts.field, (n))

/* -ln(u) * mean, u uniform in (0, 1]: the table for what follows the highest bit, straight lines between. */
static __always_inline __u64 draw_gap(void)
{
	__u64 x = (__u64)bpf_get_prandom_u32() + 1, log2, step, gap;
	__u32 bit = 0, i;

	for (i = 16; i; i >>= 1) {
		if (x >> (bit + i))
			bit += i;
	}
	if (x >> 32)
		bit = 32;
	x = bit >= 16 ? x >> (bit - 16) : x << (16 - bit); /* 16 bits behind the highest one */
	i = x >> 8 & 255;
	step = mw_log2[i + 1] - mw_log2[i];
	log2 = ((__u64)bit << 16) + mw_log2[i] + (step * (x & 255) >> 8);
	gap = (((32ULL << 16) - log2) * mean_bytes >> 16) * LN2_Q16 >> 16;
	return gap ? gap : 1;
}

static __always_inline bool is_sample(__u64 size)
{
	__u32 zero = 0;
	struct gap *gap = bpf_map_lookup_elem(&object_gap, &zero);

	if (!gap || !mean_bytes || !size || size > SIZE_MAX_KEPT)
		return false;
	if (gap->mean != mean_bytes) {
		gap->mean = mean_bytes;
		gap->left = draw_gap();
	}
	if (size < gap->left) {
		gap->left -= size;
		return false;
	}
	gap->left = draw_gap();
	return true;
}

static __always_inline struct mw_object_key key_of(__u64 address)
{
	return (struct mw_object_key){.address = address, .pid = bpf_get_current_pid_tgid() >> 32};
}

/* A mapping goes with all of it; of an object it is always all. */
static __always_inline void forget(__u64 address, __u64 size, __u64 *counter)
{
	struct mw_object_key key = key_of(address);
	struct mw_heap_record *r = address ? bpf_map_lookup_elem(&object_live, &key) : NULL;

	if (!r || (r->kind == MW_HEAP_MAPPING_ANON && size < r->size))
		return;
	if (!bpf_map_delete_elem(&object_live, &key))
		__sync_fetch_and_add(counter, 1);
}

/* At the return the instruction pointer is the caller's already: no frame is missing but where pointers are. */
static __always_inline void keep(struct pt_regs *ctx, __u64 address, __u64 size, __u64 weight, __u32 kind)
{
	struct mw_object_key key = key_of(address);
	struct mw_heap_record *r;
	long n;

	r = bpf_map_update_elem(&object_live, &key, &nothing, BPF_ANY) ? NULL : bpf_map_lookup_elem(&object_live, &key);
	if (!r) {
		add_to(full, 1);
		add_to(full_bytes, size);
		return;
	}
	r->tid = (__u32)bpf_get_current_pid_tgid();
	r->address = address;
	r->size = size;
	r->weight = weight;
	r->time_ns = bpf_ktime_get_ns();
	r->kind = kind;
	r->pad[MW_OBJECT_PAD_MEAN] = weight ? 0 : mean_bytes;
	n = bpf_get_stack(ctx, r->frames, sizeof(r->frames), BPF_F_USER_STACK);
	if (n < 8) {
		r->frames[0] = PT_REGS_IP(ctx);
		n = 8;
	}
	if (weight) /* a static probe's own place: no call is before it */
		r->frames[0]++;
	r->n_frames = n / 8;
	r->seq = 2; /* all of it stands */
	add_to(taken, 1);
}

static __always_inline __u64 product(__u64 n, __u64 size)
{
	return n > SIZE_MAX_KEPT || size > SIZE_MAX_KEPT || (size && n > SIZE_MAX_KEPT / size) ? 0 : n * size;
}

static __always_inline bool asks_for(struct pt_regs *ctx, struct pending *p)
{
	switch (p->fn) {
	case MW_FN_MALLOC:
		p->size = PT_REGS_PARM1(ctx);
		return true;
	case MW_FN_CALLOC:
		p->size = product(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx));
		return true;
	case MW_FN_REALLOC:
		p->old = PT_REGS_PARM1(ctx);
		p->size = PT_REGS_PARM2(ctx);
		return true;
	case MW_FN_POSIX_MEMALIGN:
		p->old = PT_REGS_PARM1(ctx);
		p->size = PT_REGS_PARM3(ctx);
		return true;
	case MW_FN_ALIGNED_ALLOC:
	case MW_FN_MEMALIGN:
		p->size = PT_REGS_PARM2(ctx);
		return true;
	case MW_FN_MMAP:
		p->size = PT_REGS_PARM2(ctx);
		return PT_REGS_PARM3(ctx) & PROT_WRITE && PT_REGS_PARM4(ctx) & MAP_ANONYMOUS;
	}
	return false;
}

/* Only the outermost call counts: realloc may ask malloc, and malloc mmap. */
static __always_inline void begin(struct pt_regs *ctx, __u32 fn)
{
	struct pending p = {.sp = PT_REGS_SP(ctx), .fn = fn}, *outer;
	__u64 thread = bpf_get_current_pid_tgid();

	outer = bpf_map_lookup_elem(&object_pending, &thread);
	if (outer && outer->sp > p.sp)
		return; /* one from which nobody returned (a jump out of a signal) stands below, or is replaced later */
	if (asks_for(ctx, &p) && bpf_map_update_elem(&object_pending, &thread, &p, BPF_ANY))
		add_to(lost, 1);
}

static __always_inline __u64 argument(struct pt_regs *ctx, const struct mw_argument *a)
{
	__u64 value = a->number;

	if (a->kind >= MW_ARGUMENT_REGISTER && a->at <= MW_ARGUMENT_AT_MAX)
		bpf_probe_read_kernel(&value, sizeof(value), (void *)ctx + a->at);
	if (a->kind == MW_ARGUMENT_MEMORY && bpf_probe_read_user(&value, sizeof(value), (void *)value + a->number))
		return 0;
	if (a->bytes < 8) {
		__u32 shift = 64 - (a->bytes & 7) * 8;

		value <<= shift & 63;
		value = a->is_signed ? (__u64)((__s64)value >> (shift & 63)) : value >> (shift & 63);
	}
	return value;
}

static __always_inline void otel(struct pt_regs *ctx, __u32 fn, __u32 place)
{
	struct mw_otel_arguments *a = bpf_map_lookup_elem(&object_arguments, &place);
	__u64 address = a ? argument(ctx, &a->at[0]) : 0;

	if (!address)
		return;
	forget(address, ~0ULL, &counts.freed);
	if (fn == MW_FN_OTEL_ALLOC) {
		__u64 size = argument(ctx, &a->at[1]), weight = argument(ctx, &a->at[2]);

		if (size && weight)
			keep(ctx, address, size, weight, MW_HEAP_OBJECT);
	}
}

SEC("uprobe")
int object_enter(struct pt_regs *ctx)
{
	__u64 began = bpf_ktime_get_ns(), cookie = bpf_get_attach_cookie(ctx);
	__u32 fn = cookie & 255;

	if (fn >= MW_FN_MAX)
		return 0;
	add_to(calls[fn], 1);
	if (fn < MW_FN_RETURNS)
		begin(ctx, fn);
	else if (fn == MW_FN_FREE)
		forget(PT_REGS_PARM1(ctx), ~0ULL, &counts.freed);
	else if (fn == MW_FN_MUNMAP)
		forget(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), &counts.freed);
	else
		otel(ctx, fn, cookie >> 8);
	add_to(run_ns, bpf_ktime_get_ns() - began);
	return 0;
}

static __always_inline void finish(struct pt_regs *ctx, const struct pending *p)
{
	__u64 address = PT_REGS_RC(ctx);

	if (p->fn == MW_FN_POSIX_MEMALIGN &&
	    (address || bpf_probe_read_user(&address, sizeof(address), (void *)p->old)))
		return;
	if (p->fn == MW_FN_MMAP && address > -ERRORS)
		return;
	if (p->fn == MW_FN_REALLOC && (address || !p->size))
		forget(p->old, ~0ULL, &counts.freed);
	if (!address)
		return;
	forget(address, ~0ULL, &counts.reused);
	if (is_sample(p->size))
		keep(ctx, address, p->size, 0, p->fn == MW_FN_MMAP ? MW_HEAP_MAPPING_ANON : MW_HEAP_OBJECT);
}

SEC("uretprobe")
int object_leave(struct pt_regs *ctx)
{
	__u64 began = bpf_ktime_get_ns(), cookie = bpf_get_attach_cookie(ctx), thread = bpf_get_current_pid_tgid();
	struct pending *p = bpf_map_lookup_elem(&object_pending, &thread), call;

	if (cookie < MW_FN_MAX)
		add_to(returns[cookie], 1);
	/* Where a call puts the return address on the stack, that is gone now. */
	if (p && p->fn == cookie && PT_REGS_SP(ctx) - p->sp <= 8) {
		call = *p;
		bpf_map_delete_elem(&object_pending, &thread);
		finish(ctx, &call);
	}
	add_to(run_ns, bpf_ktime_get_ns() - began);
	return 0;
}
