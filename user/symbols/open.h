/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The part of memweir-symbols that has rights: it opens what the part without them reads. Nothing that a process wrote
 * is read here, but for what the kernel says of it in /proc.
 */
#ifndef MW_OPEN_H
#define MW_OPEN_H

#include "symbols/question.h"

#define MW_OBJECTS_MAX 1024 /* files open at once */

/* A file that is mapped, once or more often. */
struct mw_object {
	int fd; /* -1: bytes, or why it is not open */
	int why; /* -errno */
	char *bytes; /* owned; of [vdso], which is no file */
	size_t size; /* of them */
};

struct mw_opened {
	const struct mw_modules *modules; /* of the process, or the question's own */
	struct mw_modules own; /* where they were read now */
	int *object_of; /* of each module: index into objects; -1: no address is there, or too many files */
	struct mw_object *objects;
	size_t n_objects;
	int root_fd; /* folder in which the process's paths begin */
	int host_fd; /* our own */
	int jit_fd; /* its list of run-time code; -1: there is none */
	char jit_problem[128]; /* why a list that is there was not taken; "": none */
};

/*
 * 0; -ESRCH; -EACCES; -ENOMEM, -ENOSYS without openat2 (before 5.6). A file that cannot be opened is no failure.
 */
int mw_open_all(const struct mw_question *q, struct mw_opened *ret, struct mw_error *err);
void mw_opened_free(struct mw_opened *o);

/* What the other part may ask for, one file at a time. */
enum mw_wanted {
	MW_WANTED_BUILD_ID, /* a debug file of that build id */
	MW_WANTED_LINK, /* a debug file of that name, for that module */
	MW_WANTED_MAX,
};
struct mw_want {
	__u32 kind;
	__u32 module; /* index; of MW_WANTED_LINK */
	__u32 candidate; /* 0 and on: there may be several */
	char name[256]; /* ends with a NUL */
};
/* A descriptor, or -errno; -ERANGE: there are no more candidates; -EINVAL: a name that may not be asked for. */
int mw_open_wanted(const struct mw_opened *o, const struct mw_want *w);

#endif
