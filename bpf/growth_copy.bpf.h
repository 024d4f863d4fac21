/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A copy of who charges: the registers it came into the kernel with, and the top of its stack. The kernel's own walk
 * needs frame pointers, which most programs have not; user space unwinds this by their tables. Only for workers the
 * daemon has asked for, and so many: everybody else pays for one look into a map with each stack that is taken.
 */
#ifndef MW_GROWTH_COPY_BPF_H
#define MW_GROWTH_COPY_BPF_H

#include "maps.bpf.h"

extern const volatile bool mw_copies_on; /* growth.bpf.c; set by the daemon */
extern __u32 mw_copy_busy; /* growth.bpf.c; somebody fills maps/growth_scratch */

#define MW_COPY_CHUNK 1024 /* aligned so, none lies in two pages: what is not in memory is cut off there */
#define MW_KTHREAD    0x00200000 /* PF_KTHREAD */

/* Registers by DWARF's numbers. false: it is no 64-bit program, or came not from user space. */
#if defined(__TARGET_ARCH_x86)
#define MW_USER_CS 0x33 /* __USER_CS: of 64-bit code */

static __always_inline bool mw_copy_registers(struct mw_copy *copy, struct pt_regs *regs)
{
	if ((regs->cs & 0xffff) != MW_USER_CS)
		return false;
	copy->pc = regs->ip;
	copy->sp = regs->sp;
	copy->registers[0] = regs->ax;
	copy->registers[1] = regs->dx;
	copy->registers[2] = regs->cx;
	copy->registers[3] = regs->bx;
	copy->registers[4] = regs->si;
	copy->registers[5] = regs->di;
	copy->registers[6] = regs->bp;
	copy->registers[7] = regs->sp;
	copy->registers[8] = regs->r8;
	copy->registers[9] = regs->r9;
	copy->registers[10] = regs->r10;
	copy->registers[11] = regs->r11;
	copy->registers[12] = regs->r12;
	copy->registers[13] = regs->r13;
	copy->registers[14] = regs->r14;
	copy->registers[15] = regs->r15;
	return true;
}
#elif defined(__TARGET_ARCH_arm64)
#define MW_MODE_MASK 0x1f /* PSR_MODE32_BIT, PSR_MODE_MASK; 0: 64-bit code in user space */

static __always_inline bool mw_copy_registers(struct mw_copy *copy, struct pt_regs *kernel_regs)
{
	struct user_pt_regs *regs = (struct user_pt_regs *)kernel_regs;

	if (regs->pstate & MW_MODE_MASK)
		return false;
	copy->pc = regs->pc;
	copy->sp = regs->sp;
	for (int i = 0; i < 31; i++)
		copy->registers[i] = regs->regs[i];
	copy->registers[31] = regs->sp;
	return true;
}
#else
#error "which registers does it have?"
#endif

/* From below the stack pointer, where its chunk begins, outwards. Number of bytes. */
static __always_inline __u64 mw_copy_bytes(struct mw_copy *copy)
{
	__u64 n = 0;

	copy->from = copy->sp & ~(__u64)(MW_COPY_CHUNK - 1);
	for (int i = 0; i < MW_COPY_BYTES / MW_COPY_CHUNK; i++) {
		if (bpf_probe_read_user(copy->bytes + i * MW_COPY_CHUNK, MW_COPY_CHUNK,
					(void *)(copy->from + i * MW_COPY_CHUNK)))
			break;
		n += MW_COPY_CHUNK;
	}
	return n;
}

/* May one be taken now? Who loses the race waits. */
static __always_inline bool mw_copy_due(struct mw_copy_want *want)
{
	__u64 now = bpf_ktime_get_ns(), next = want->next_at;

	return now >= next && __sync_val_compare_and_swap(&want->next_at, next, now + want->every_ns) == next;
}

/* 0, or < 0: there is none to be had, or no room for it. */
static __always_inline int mw_copy_take(struct mw_copy *copy, __u64 worker, __u64 pages)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 n, pid_tgid = bpf_get_current_pid_tgid();

	if (task->flags & MW_KTHREAD || !task->mm || !mw_copy_registers(copy, (void *)bpf_task_pt_regs(task)))
		return -MW_ENOENT;
	n = mw_copy_bytes(copy);
	if (!n)
		return -MW_ENOENT;
	copy->cgroup_id = worker;
	copy->pages = pages;
	copy->pid = pid_tgid >> 32;
	copy->tid = (__u32)pid_tgid;
	copy->started_ns = task->group_leader->start_boottime;
	copy->size = n;
	bpf_get_current_comm(copy->comm, sizeof(copy->comm));
	return bpf_ringbuf_output(&growth_copies, copy, offsetof(struct mw_copy, bytes) + n, BPF_RB_NO_WAKEUP);
}

/* The charge of so many pages, for which a stack was taken. */
static __always_inline void mw_copy_charge(__u64 worker, __u64 pages)
{
	struct mw_copy_want *want = mw_copies_on ? bpf_map_lookup_elem(&growth_wanted, &worker) : NULL;
	struct mw_copy *copy;
	__u32 zero = 0;

	/* When all are taken what is charged then is not watched: the next one does not stand for it. */
	if (!want || !want->left)
		return;
	__sync_fetch_and_add(&want->pages, pages);
	if (!mw_copy_due(want))
		return;
	copy = bpf_map_lookup_elem(&growth_scratch, &zero);
	if (!copy || __sync_val_compare_and_swap(&mw_copy_busy, 0, 1)) {
		mw_count(copies_lost, 1);
		return;
	}
	pages = __sync_lock_test_and_set(&want->pages, 0);
	if (mw_copy_take(copy, worker, pages)) {
		__sync_fetch_and_add(&want->pages, pages); /* the next one stands for these too */
		mw_count(copies_lost, 1);
	} else {
		__sync_fetch_and_add(&want->left, -1ULL);
		mw_count(copies, 1);
	}
	__sync_lock_test_and_set(&mw_copy_busy, 0);
}

#endif
