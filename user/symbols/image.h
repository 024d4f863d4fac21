/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* An ELF file in memory: what may be asked of it without its debug information. Parses; needs no rights at all. */
#ifndef MW_IMAGE_H
#define MW_IMAGE_H

#include <libelf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "symbols/modules.h"

struct mw_image {
	Elf *elf; /* NULL: none */
	char *bytes;
	size_t size;
	bool mapped; /* else allocated */
	char build_id[MW_BUILD_ID];
};

/* Maps the file; fd is the caller's. -ENOEXEC: no program, library or debug file in ELF; what mmap says. */
int mw_image_map(int fd, struct mw_image *ret);
/* bytes were allocated, and belong to the image, or are freed. */
int mw_image_take(char *bytes, size_t n, struct mw_image *ret);
void mw_image_free(struct mw_image *i);

/* What the byte at that place of the file has for an address in there: by the segments that are loaded. */
bool mw_image_address(const struct mw_image *i, __u64 offset, __u64 *ret);
/* The other way: where in the file the byte at an address is; false: it is not from there. */
bool mw_image_offset(const struct mw_image *i, __u64 address, __u64 *ret);
/* The address of a section. */
bool mw_image_section_address(const struct mw_image *i, const char *name, __u64 *ret);
/* The bytes of a section, decompressed where need be; they live as long as the image. NULL: it has none. */
const void *mw_image_section(const struct mw_image *i, const char *name, size_t *ret_n);
/* Symbols or lines may be in there: .debug_info, or compressed the old way. */
bool mw_image_has_dwarf(const struct mw_image *i);

/* The ELF file that is packed into .gnu_debugdata: symbols of what was stripped. -ENOENT; -EBADMSG; -ENOMEM. */
int mw_image_unpack(const struct mw_image *i, struct mw_image *ret);

/* CRC-32 of the whole file, as .gnu_debuglink has it. */
__u32 mw_image_crc(const struct mw_image *i);

#endif
