/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* HTTP: all of libcurl. One request of each signal at a time, over connections that stay. */
#ifndef MW_OTLP_SENDER_H
#define MW_OTLP_SENDER_H

#include "otlp/answer.h"
#include "otlp/settings.h"
#include "util/error.h"

struct mw_sender;

/* Reads certificates and keys: while there are rights to. -EINVAL, -errno of a file: err says which. */
int mw_sender_new(const struct mw_settings *s, struct mw_sender **ret_sender, struct mw_error *err);
void mw_sender_free(struct mw_sender *s);
/* body stays the caller's until the end of the attempt. 0, or -errno: it has not begun. */
int mw_sender_start(struct mw_sender *s, enum mw_otlp_signal signal, const char *body, size_t size);

/* The end of an attempt; a is good until fn returns. */
typedef void (*mw_sent_fn)(enum mw_otlp_signal signal, const struct mw_attempt *a, void *arg);
/* Wait for what happens on fds (-1: none; at most 4) or on a connection, at most so long; then do what is to be done.
 */
void mw_sender_run(struct mw_sender *s, const int *fds, unsigned n, int timeout_ms, mw_sent_fn fn, void *arg);

#endif
