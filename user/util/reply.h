/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a program says that mw_inquire has started: on standard output, with plain writes. Both return an exit status.
 */
#ifndef MW_REPLY_H
#define MW_REPLY_H

#include "util/error.h"

int mw_reply(const char *text);
/* {"error": sentence, "errno": number}; without a sentence that of the code, a -errno. */
int mw_reply_error(struct mw_error *err, int code);

#endif
