/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * run for who is not root. The daemon executes nothing for anybody, and a user cannot start a process in a cgroup of
 * root's: so a stub is forked that asks by itself, the daemon sees from the connection whose process it is and moves
 * it, and then the stub becomes the command.
 */
#ifndef MW_RUN_STUB_H
#define MW_RUN_STUB_H

#include <linux/types.h>

#include "cli/call.h"
#include "cli/run_wait.h"
#include "core/spawn.h"
#include "memweir/abi.h"

/* What the command's environment says of its guard; also what the stub is told to go on with. */
struct mw_stub_go {
	bool thp_off;
	__u64 heap_sample; /* bytes between two samples of its heap; 0: none are taken */
	bool runtime_profile; /* Python and Node shall name their lines */
	char worker[MW_NAME_SIZE], class_name[MW_NAME_SIZE];
	char socket[256], pressure[512]; /* pressure "": none is offered */
};
/* Into our own environment. */
void mw_stub_env(const struct mw_stub_go *go);

struct mw_stub {
	struct mw_spawn spawn;
	struct mw_spawning sp; /* pid 0: there is none */
	int go_fd; /* it waits for this one; closed without a word it ends */
};
#define MW_STUB_NONE ((struct mw_stub){.sp = {0, -1, -1}, .go_fd = -1})

/*
 * Fork it and have it ask; wait is prepared before. What mw_call_quiet returns, of its request. On failure too
 * *ret_stub is the caller's to end.
 */
int mw_stub_ask(const struct mw_cli *cli, struct json_object *body, char **argv, struct mw_wait *ret_wait,
		int timeout_ms, struct mw_stub *ret_stub, struct mw_answer *ret_answer, struct mw_error *err);
/* It is in its place: let it become the command. As mw_spawn. cgroup_fd: its cgroup's, -1: unknown. */
int mw_stub_go(struct mw_stub *stub, const struct mw_stub_go *go, int cgroup_fd, pid_t *ret_pid, int *ret_pidfd);
void mw_stub_end(struct mw_stub *stub); /* if it has not gone; idempotent */

#endif
