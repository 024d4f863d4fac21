/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Opens, with the caller's rights, each file that may matter, and reads none: what is in them is looked at when the
 * rights are gone. Where engines keep their files is a table.
 */
#ifndef MW_SCAN_H
#define MW_SCAN_H

#include "containers/found.h"

enum mw_source_kind {
	MW_SOURCE_RUNC, /* state.json: it runs */
	MW_SOURCE_CRUN, /* status: it runs */
	MW_SOURCE_MACHINE, /* of machined: it runs */
	MW_SOURCE_OCI, /* a bundle's config.json */
	MW_SOURCE_DOCKER, /* config.v2.json */
	MW_SOURCE_STORAGE, /* containers.json: of many containers */
	MW_SOURCE_LINK, /* a name in /var/log/containers; no file is opened */
	MW_SOURCE_MAX,
};

struct mw_source {
	enum mw_source_kind kind;
	const char *engine; /* whose folder it is; "": any that uses containers/storage */
	uid_t uid; /* 0, or the user below whose folder it stands */
	char id[MW_CONTAINER_NAME]; /* from the path; of a link its whole name; "" of MW_SOURCE_STORAGE */
	char namespace[MW_CONTAINER_ID]; /* containerd's, from the path */
	int fd; /* regular, no larger than its kind may be; -1: a link */
	size_t size;
};

struct mw_scan {
	struct mw_source *sources;
	size_t n;
	struct mw_answer *answer; /* counts what could not be opened, names what was looked at */
};

#define MW_SCAN_MAX	 4096 /* files open at once */
#define MW_SCAN_USER_MAX 256 /* of them below one user's folders */

/* root stands for /. 0, -ENOENT and others when it cannot be opened, -ENOMEM, -ENOSYS without openat2 (before 5.6). */
int mw_scan(const char *root, struct mw_answer *answer, struct mw_scan *ret_scan, struct mw_error *err);
void mw_scan_free(struct mw_scan *s);

/* The whole file, with a NUL behind it. -ENOMEM or what read says. */
int mw_source_read(const struct mw_source *s, char **ret_text, size_t *ret_n);

#endif
