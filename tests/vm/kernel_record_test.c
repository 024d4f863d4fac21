/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Records that are none of ours in the ring: left out and counted, whatever is in them. */
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "kernel_fixture.h"

/* The ring of the guard that was opened last. */
static int ring_fd(void)
{
	struct bpf_map_info info = {};
	__u32 id = 0, size = sizeof(info);
	int found = -1;

	while (bpf_map_get_next_id(id, &id) == 0) {
		_cleanup_close_ int fd = bpf_map_get_fd_by_id(id);

		memset(&info, 0, sizeof(info));
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_MAP_TYPE_RINGBUF ||
		    strcmp(info.name, "events") != 0)
			continue;
		mw_close(&found);
		found = TAKE_FD(fd);
	}
	assert_true(found >= 0);
	return found;
}

#define RECORD sizeof(struct mw_event)

/*
 * Only a program may write into a ring: one that copies what it is run with, by way of its stack, since not every
 * kernel lets a helper read the context.
 */
static void push(int ring, const void *record, __u32 size)
{
	struct bpf_insn copy[RECORD / 4 + 8], *at = copy;
	LIBBPF_OPTS(bpf_prog_load_opts, load, .prog_flags = BPF_F_SLEEPABLE);
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = record, .ctx_size_in = RECORD);
	_cleanup_close_ int program = -1;

	for (__s16 i = 0; i < (__s16)RECORD; i += 8) {
		*at++ = (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_DW,
					  .dst_reg = BPF_REG_2,
					  .src_reg = BPF_REG_1,
					  .off = i};
		*at++ = (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW,
					  .dst_reg = BPF_REG_10,
					  .src_reg = BPF_REG_2,
					  .off = (__s16)(i - (__s16)RECORD)};
	}
	*at++ = (struct bpf_insn){.code = BPF_LD | BPF_DW | BPF_IMM,
				  .dst_reg = BPF_REG_1,
				  .src_reg = BPF_PSEUDO_MAP_FD,
				  .imm = ring};
	*at++ = (struct bpf_insn){};
	*at++ = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10};
	*at++ = (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -(__s32)RECORD};
	*at++ = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = (__s32)size};
	*at++ = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4};
	*at++ = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output};
	*at++ = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	program = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "mw_push", "Dual BSD/GPL", copy, (size_t)(at - copy), &load);
	assert_true(program >= 0);
	assert_int_equal(bpf_prog_test_run_opts(program, &run), 0);
	assert_int_equal(run.retval, 0);
}

static struct mw_event good(void)
{
	return (struct mw_event){.type = MW_EVENT_PAUSE,
				 .size = sizeof(struct mw_event),
				 .cgroup_id = 4711,
				 .comm = "node",
				 .worker = "web-7"};
}

static void test_bad_records_are_counted(void **state)
{
	struct mw_kernel *k = open_kernel("", 2, 0);
	struct mw_event e = good();
	_cleanup_close_ int ring = -1;

	(void)state;
	need_cap(k, MW_CAP_RINGBUF);
	ring = ring_fd();
	push(ring, &e, sizeof(e));
	push(ring, &e, sizeof(e) - 8); /* of another version */
	e.type = MW_EVENT_MAX;
	push(ring, &e, sizeof(e));
	e = good();
	e.kind = MW_PAUSE_MAX;
	push(ring, &e, sizeof(e));
	e = good();
	memset(e.comm, 'x', sizeof(e.comm));
	push(ring, &e, sizeof(e));
	e = good();
	memset(e.worker, 'x', sizeof(e.worker));
	push(ring, &e, sizeof(e));
	push(ring, &e, 1);
	e = good();
	push(ring, &e, sizeof(e));
	assert_int_equal(hear_all(k), 2);
	assert_int_equal(count_events(MW_EVENT_PAUSE, 4711), 2);
	assert_int_equal(mw_kernel_bad_records(k), 6);
	close_kernel();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_bad_records_are_counted, end_test),
	};

	return cmocka_run_group_tests(tests, make_world, drop_world);
}
