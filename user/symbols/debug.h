/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Functions, inlined ones among them, files and lines by DWARF. Parses; needs no rights at all. */
#ifndef MW_DEBUG_H
#define MW_DEBUG_H

#include <elfutils/libdw.h>

#include "symbols/image.h"
#include "symbols/symbols.h"

struct mw_debug;

/* deadline_ns (monotonic): later it finds nothing more. -ENODATA: nothing in there; -ENOMEM. The image has to stay. */
int mw_debug_open(const struct mw_image *i, __u64 deadline_ns, struct mw_debug **ret);
void mw_debug_free(struct mw_debug *d);
/* The deadline is over, or there was more to look at than there is in any honest file. */
bool mw_debug_spent(const struct mw_debug *d);

/* The build id of the file that holds what several debug files share (dwz); false: there is none. */
bool mw_debug_shared(const struct mw_debug *d, char ret_build_id[MW_BUILD_ID]);
/* That file; it has to stay. */
void mw_debug_share(struct mw_debug *d, const struct mw_debug *shared);

/*
 * The frames of an address of the image, innermost first, at most max; module, build id and offset are the caller's.
 * Where only the line is known the one frame has no function. 0: nothing is known. Texts live until the next call, and
 * as long as d. *ret_plain: the last one's name is that of the source, which may lack namespaces.
 */
size_t mw_debug_find(struct mw_debug *d, __u64 address, struct mw_frame *ret_frames, size_t max, bool *ret_plain);

#endif
