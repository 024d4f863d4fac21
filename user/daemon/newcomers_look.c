/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Finding out who newcomers are, in an action thread: nothing of the loop's is touched here. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "daemon/newcomers.h"
#include "util/cleanup.h"

#define PIDS_MAX 65536

static bool is_found(const struct mw_facts_batch *b, size_t i)
{
	return b->status[i] >= 0 && b->facts[i].executable[0];
}

/*
 * A runtime's helper is the first in a container's cgroup and ends when the container's own first process is there:
 * whoever stands there now stands for the cgroup.
 */
static void look_at_another(struct mw_facts_batch *b, size_t i)
{
	_cleanup_close_ int fd = mw_cgroup_open_id(b->mount, b->who[i].cgroup_id);
	pid_t pids[8];
	ssize_t n = fd < 0 ? 0 : mw_cgroup_pids(fd, true, pids, ARRAY_SIZE(pids));

	for (ssize_t k = 0; k < n && k < (ssize_t)ARRAY_SIZE(pids) && !is_found(b, i); k++) {
		b->who[i].pid = pids[k];
		b->who[i].flags &= ~(__u32)MW_NEWCOMER_EXEC;
		b->status[i] = mw_facts_read("/proc", b->mount, pids[k], b->attributes, &b->facts[i]);
	}
}

int mw_look_facts(void *arg, char *text, size_t size)
{
	struct mw_facts_batch *b = arg;

	for (size_t i = 0; i < b->n; i++) {
		b->status[i] = mw_facts_read("/proc", b->mount, b->who[i].pid, b->attributes, &b->facts[i]);
		if (!is_found(b, i) && b->who[i].flags & MW_NEWCOMER_CGROUP && b->who[i].cgroup_id)
			look_at_another(b, i);
	}
	snprintf(text, size, "%zu newcomers looked at", b->n);
	return 0;
}

int mw_look_container(void *arg, char *text, size_t size)
{
	struct mw_asking *a = arg;
	const struct mw_container_question q = {.cgroup = a->cgroup};
	struct mw_error err = {0};
	_cleanup_close_ int fd = -1;
	char path[sizeof(a->container.cgroup) + 512]; /* each cgroup, below the mount */
	int r = mw_container_ask(&q, &a->container, &err);

	snprintf(text, size, "%s", err.text);
	if (r < 0) {
		snprintf(path, sizeof(path), "%s%s", a->mount, a->cgroup);
		return access(path, F_OK) ? -ENODEV : r; /* there is nothing to ask again for */
	}
	snprintf(path, sizeof(path), "%s%s", a->mount, a->container.cgroup);
	fd = mw_cgroup_open(path);
	a->id = fd < 0 ? 0 : mw_cgroup_id(fd);
	if (!a->id)
		return -ESRCH;
	mw_facts_attributes(a->mount, a->container.cgroup, a->trusted, a->user);
	return 0;
}

int mw_look_scan(void *arg, char *text, size_t size)
{
	_cleanup_closedir_ DIR *d = opendir("/proc");
	_cleanup_free_ pid_t *pids = calloc(PIDS_MAX, sizeof(*pids));
	struct mw_proc_scan *s = arg;
	struct dirent *e;
	pid_t *fitting;
	size_t n = 0;

	if (!d || !pids)
		return -ENOMEM;
	while (n < PIDS_MAX && (e = readdir(d))) {
		if (isdigit((unsigned char)e->d_name[0]))
			pids[n++] = atoi(e->d_name);
	}
	fitting = realloc(pids, (n + 1) * sizeof(*pids));
	if (!fitting)
		return -ENOMEM;
	pids = NULL;
	s->pids = fitting;
	s->n = n;
	snprintf(text, size, "%zu processes", n);
	return 0;
}
