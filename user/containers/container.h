/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Containers as their engines wrote them down: from a name or ID to a cgroup, and back. Read from state files, no
 * engine need run. The files are untrusted: a helper process of its own (memweir-container) opens, gives up all rights
 * and parses; what it prints is checked again by mw_container_ask.
 */
#ifndef MW_CONTAINER_H
#define MW_CONTAINER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

#define MW_CONTAINER_ID	    128
#define MW_CONTAINER_NAME   256
#define MW_CONTAINER_CGROUP 1024
#define MW_CONTAINER_LABELS 64 /* kept of one container; more are counted */

enum mw_label_kind {
	MW_LABEL_LABEL, /* of the engine: docker --label */
	MW_LABEL_ANNOTATION, /* of the OCI bundle, or of the pod */
	MW_LABEL_MAX,
};

struct mw_label {
	enum mw_label_kind kind;
	char *key, *value; /* owned; key at most 255 bytes, value at most 1023 */
};

/* Texts are UTF-8 without control characters; "": unknown. */
struct mw_container {
	char engine[16]; /* "docker", "podman", "containerd", "cri-o", "runc", "crun", "nspawn" */
	char id[MW_CONTAINER_ID];
	char name[MW_CONTAINER_NAME]; /* as the engine shows it; Kubernetes: the container's name in its pod */
	char image[MW_CONTAINER_NAME];
	char pod[MW_CONTAINER_NAME], namespace[MW_CONTAINER_NAME]; /* Kubernetes; namespace also: containerd's */
	char cgroup[MW_CONTAINER_CGROUP]; /* path from the cgroup root, with a leading slash; exists and holds pid */
	pid_t pid; /* its first process, in the initial pid namespace; checked by its start time and its cgroup */
	__u64 pid_start; /* clock ticks since boot */
	struct mw_label *labels;
	size_t n_labels, labels_left_out;
};
void mw_container_free(struct mw_container *c); /* contents; NULL-safe, idempotent */
/* The value of a label or annotation; NULL: it has none. */
const char *mw_container_label(const struct mw_container *c, enum mw_label_kind kind, const char *key);

/* What is asked for: exactly one of the two is set. */
struct mw_container_question {
	/* A name, an ID or the beginning of one; of Kubernetes also POD/NAME and NAMESPACE/POD/NAME; "ENGINE:NAME"
	 * where two engines have it. Root's engines go before those of users. */
	const char *name;
	const char *cgroup; /* the container whose cgroup this is, or is above or below it; path from the cgroup root */
	const char *root; /* folder that stands for /; NULL: the host */
	const char *helper; /* memweir-container; NULL: where it was installed */
	__u32 timeout_ms; /* 1..60000; 0: 2000 */
};
/*
 * Blocks: for an action thread or the command line. -ENOENT nobody of that name runs (err says where was looked);
 * -EEXIST more than one (err lists them); -ETIMEDOUT; -EPROTO the helper's answer is not one; -ENOEXEC it cannot be
 * started; -EINVAL a name that no container can have; -ESRCH the files name a process that has ended, is another one
 * now or is in another cgroup (err says which). What a file could not be read for is in err too.
 */
int mw_container_ask(const struct mw_container_question *q, struct mw_container *ret_container, struct mw_error *err);

#endif
