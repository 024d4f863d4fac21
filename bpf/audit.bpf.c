// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Somebody writes a limit of a worker: who, which one, from what to what. Told before the kernel acts on it. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "compat.bpf.h"
#include "emit.bpf.h"
#include "watch.bpf.h"

extern const volatile __u32 mw_page_shift;

#define TEXT_SIZE 24 /* "max", or a number of at most 20 digits with its suffix */

struct kernfs_open_file___audit {
	struct kernfs_node *kn;
} __attribute__((preserve_access_index));

static __always_inline bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t';
}

/* As the kernel will read it (page_counter_memparse); what is neither is 0, and the kernel refuses it. */
static __always_inline __u64 written(const char *buf)
{
	char text[TEXT_SIZE] = {};
	__u64 value = 0;
	int i = 0;

	bpf_probe_read_kernel_str(text, sizeof(text), buf);
	while (i < TEXT_SIZE - 4 && is_blank(text[i]))
		i++;
	if (i < TEXT_SIZE - 4 && text[i] == 'm' && text[i + 1] == 'a' && text[i + 2] == 'x')
		return MW_UNLIMITED;
	for (; i < TEXT_SIZE - 1 && text[i] >= '0' && text[i] <= '9'; i++)
		value = value * 10 + (text[i] - '0');
	if (i < TEXT_SIZE - 1) {
		char unit = text[i] | 0x20;

		value <<= unit == 'k' ? 10 : unit == 'm' ? 20 : unit == 'g' ? 30 : unit == 't' ? 40 : 0;
	}
	return value >> mw_page_shift << mw_page_shift;
}

/* A limit of "max" is LONG_MAX / PAGE_SIZE pages. */
static __always_inline __u64 limit_of(unsigned long pages)
{
	return pages >= (~0UL >> 1) >> mw_page_shift ? MW_UNLIMITED : (__u64)pages << mw_page_shift;
}

static __always_inline __u64 stands(struct mem_cgroup *memcg, enum mw_limit_kind file)
{
	switch (file) {
	case MW_LIMIT_MAX:
		return limit_of(BPF_CORE_READ(memcg, memory.max));
	case MW_LIMIT_HIGH:
		return limit_of(BPF_CORE_READ(memcg, memory.high));
	case MW_LIMIT_LOW:
		return limit_of(BPF_CORE_READ(memcg, memory.low));
	default:
		return limit_of(BPF_CORE_READ(memcg, swap.max));
	}
}

static __always_inline int tell(void *ctx, void *of, const char *buf, enum mw_limit_kind file)
{
	struct kernfs_node *node = mw_kernfs_parent(BPF_CORE_READ((struct kernfs_open_file___audit *)of, kn));
	__u64 worker, id = BPF_CORE_READ(node, id);
	struct mw_worker_info *info = mw_watch(id, &worker);
	struct mw_event event = {};

	if (!info || id != worker) /* a cgroup below it is the worker's own affair */
		return 0;
	mw_event_init(&event, MW_EVENT_LIMIT, worker);
	event.flags = file;
	event.value = written(buf);
	event.limit_id = stands(mw_memcg_of_cgroup(mw_kernfs_cgroup(node)), file);
	mw_emit(ctx, &event, info, MW_WAKE_ADAPTIVE);
	return 0;
}

SEC("fentry/memory_max_write")
int BPF_PROG(limit_max, void *of, const char *buf)
{
	return tell(ctx, of, buf, MW_LIMIT_MAX);
}

SEC("fentry/memory_high_write")
int BPF_PROG(limit_high, void *of, const char *buf)
{
	return tell(ctx, of, buf, MW_LIMIT_HIGH);
}

SEC("fentry/memory_low_write")
int BPF_PROG(limit_low, void *of, const char *buf)
{
	return tell(ctx, of, buf, MW_LIMIT_LOW);
}

SEC("fentry/swap_max_write")
int BPF_PROG(limit_swap_max, void *of, const char *buf)
{
	return tell(ctx, of, buf, MW_LIMIT_SWAP_MAX);
}
