/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the writer and the reader of recordings share; nobody else's. */
#ifndef MW_RECORD_IMPL_H
#define MW_RECORD_IMPL_H

#include "leak/record.h"

#define MW_RECORD_MAGIC	     "\x89MWREC\r\n" /* no text: one that was sent as text and changed is seen */
#define MW_RECORD_MAGIC_SIZE 8
#define MW_RECORD_ORDER	     0xfeff /* of bytes, the lowest first */

/*
 * A number is seven bits a byte, the lowest first, the highest bit says that more follow. A difference has in its first
 * byte a sign, whether it is in pages of 4096, and five bits.
 */
#define MW_RECORD_MORE	0x80
#define MW_RECORD_MINUS 0x40
#define MW_RECORD_PAGES 0x20
#define MW_RECORD_PAGE	4096

/* Room for one more worker; its usage is all 0. -ENOMEM. */
int mw_record_room(struct mw_usage **last, __u32 n_workers, __u32 *room);

/* The CSV's part of the reader. */
bool mw_record_is_csv(const void *bytes, size_t size);
int mw_record_csv_open(struct mw_record_reader *r, struct mw_error *err);
int mw_record_csv_next(struct mw_record_reader *r, struct mw_record_item *ret_item, struct mw_error *err);

#endif
