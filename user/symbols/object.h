/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* All that is known of one file that a process has mapped: itself, its debug files, what is in them. */
#ifndef MW_OBJECT_H
#define MW_OBJECT_H

#include "symbols/debug.h"
#include "symbols/open.h"
#include "symbols/symtab.h"

struct mw_known {
	bool loaded;
	struct mw_image image, debug_image, shared_image, unpacked; /* elf NULL: not there */
	struct mw_symtab symtab;
	struct mw_debug *debug, *shared; /* NULL: none */
};

/*
 * The file itself: its build id and addresses. module is one of its mappings: where that has a build id another file
 * is none of it. -ENOEXEC it is no ELF; -ESTALE it is another one; what the object says it could not be opened for.
 */
int mw_known_open(struct mw_known *k, struct mw_object *object, const struct mw_module *module);
/* Its debug file, where it is another one and can be had. -ENOENT. */
int mw_known_fetch(struct mw_known *k, const struct mw_opened *o, size_t module, int sock);
/* And its symbols, from there or from debug files, which are fetched through the socket. -ENOMEM. */
int mw_known_load(struct mw_known *k, const struct mw_opened *o, size_t module, int sock, __u64 deadline_ns);
void mw_known_free(struct mw_known *k);

#endif
