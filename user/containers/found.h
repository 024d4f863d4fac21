/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A container as files describe it, before the kernel was asked. The helper finds, mw_container_ask checks. */
#ifndef MW_FOUND_H
#define MW_FOUND_H

#include "containers/container.h"

#define MW_FOUND_MAX	   8 /* told of one question; more are counted */
#define MW_LABEL_KEY_MAX   255
#define MW_LABEL_VALUE_MAX 1023
#define MW_ANSWER_MAX	   (2U << 20) /* bytes: eight containers with all their labels, each character escaped */

/* memweir-container's own arguments, beside the question. */
#define MW_FIND_NAME	"--name"
#define MW_FIND_CGROUP	"--cgroup"
#define MW_FIND_ROOT	"--root"
#define MW_FIND_TIMEOUT "--timeout"

struct mw_found {
	struct mw_container c; /* pid 0: no state file, it does not run */
	char unit[MW_CONTAINER_NAME]; /* nspawn: the unit of systemd it is in; c.cgroup is then empty */
	bool bare; /* its runtime made it no cgroup: c.cgroup is then empty too */
	uid_t uid; /* of the engine: 0, or the user whose rootless engine it is */
};

/* A question's answer. */
struct mw_answer {
	struct mw_found found[MW_FOUND_MAX]; /* all match equally well */
	size_t n_found;
	size_t left_out; /* more that match */
	size_t unread; /* files that may have mattered: too large, no access, too many, not understood */
	char problem[256]; /* about the first of those */
	char looked[512]; /* the folders that were there, with commas between */
};
void mw_answer_free(struct mw_answer *a);

/* [A-Za-z0-9_+.-], 1 to 127 bytes, no leading dot: what runc takes, and what may become part of a path. */
bool mw_container_id_valid(const char *id, size_t n);
/* The same with slashes between parts, and one ENGINE: before it: what may be asked for. */
bool mw_container_name_valid(const char *name);
/* An absolute path of which no part is empty, "." or "..", and not the root itself. */
bool mw_cgroup_path_valid(const char *path);

/*
 * Keep a label: text is cleaned. One whose key is there stays as it was. What is over MW_CONTAINER_LABELS or too long
 * is counted; our own (memweir.…) push others out. 0 or -ENOMEM.
 */
int mw_container_add_label(struct mw_container *c, enum mw_label_kind kind, const char *key, size_t key_n,
			   const char *value, size_t value_n);

/* An answer as JSON, and back. The text is the caller's to free; -ENOMEM. */
int mw_answer_write(const struct mw_answer *a, char **ret_text);
/* -EPROTO when a member is missing, of another type, too long or not plain text; err says which. */
int mw_answer_read(const char *text, size_t n, struct mw_answer *ret_answer, struct mw_error *err);

/*
 * Does it run, and where the files say? The process is there since f->c.pid_start and is in the cgroup or one below
 * (of a unit: anywhere in it). Fills in cgroup (of a unit) and pid_start (where no file gave it).
 * 0; -ENOENT no state file; -ESRCH the process is gone or another; -EXDEV it is elsewhere; err says which.
 */
int mw_found_check(const char *root, struct mw_found *f, struct mw_error *err);

#endif
