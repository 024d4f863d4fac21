/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What addresses were found to be. */
#ifndef MW_SYMBOLS_H
#define MW_SYMBOLS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define MW_FRAMES_MAX	 64 /* of one address: itself, and what the compiler put it into */
#define MW_FUNCTION_TEXT 512 /* bytes with the NUL, as the next two; what is longer is cut */
#define MW_FILE_TEXT	 1024
#define MW_PLACE_TEXT	 16384 /* of all frames of one address; what is further out is left out */

/* Texts are UTF-8 without control characters; "": not known. */
struct mw_frame {
	const char *function; /* demangled; of Rust's older names without the hash */
	const char *file;
	__u32 line, column; /* 0: not known */
	const char *module; /* path, "[vdso]", "[jit]"; "": nothing is mapped there, or nothing with a name */
	const char *build_id;
	__u64 offset; /* of the pc in the module's file, as the kernel counts in stacks with build ids; else the pc */
	bool inlined; /* the next frame is the function it was put into, and has the line it stands in */
};

/* Of one address: frames[first] is the innermost, n follow each other. */
struct mw_place {
	size_t first, n;
	size_t bytes; /* of their texts */
};

struct mw_text_block;
struct mw_symbols {
	struct mw_place *places;
	size_t n;
	struct mw_frame *frames;
	size_t n_frames;
	size_t unfinished; /* addresses whose files were not read, since time was up: module and offset are there */
	size_t unread; /* files that could not be */
	char problem[256]; /* about the first of those */
	struct mw_text_block *texts; /* what the frames point to */
};
void mw_symbols_free(struct mw_symbols *s); /* contents; idempotent */

/* Begin the next place; its frames follow. -ENOMEM. */
int mw_symbols_place(struct mw_symbols *s);
/*
 * To the last place. Texts are cleaned, cut and copied; NULL is "". Past MW_FRAMES_MAX and MW_PLACE_TEXT it is left
 * out. -ENOMEM.
 */
int mw_symbols_frame(struct mw_symbols *s, const struct mw_frame *f);

#endif
