/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A record of the daemon (wire.h) into a span or a log record of OTLP. */
#ifndef MW_OTLP_RECORD_H
#define MW_OTLP_RECORD_H

#include "otlp/out.h"
#include "otlp/wire.h"

/*
 * JSON of it into o, which is empty. 0: it is a record of *ret_signal. 1: it is {"metrics":{}}. -EBADMSG: it is none of
 * these, or lacks what it must have.
 */
int mw_record_write(const char *text, size_t n, __u64 wall_ns, enum mw_otlp_signal *ret_signal, struct mw_out *o);

#endif
