/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Answers that are kept: the same code is asked about again and again, and many workers run the same files. Keyed by
 * file, build id and offset. By the file too, and not by the build id alone: that is what a worker's file says of
 * itself, and nobody shall give names to the code of others.
 */
#ifndef MW_SYMBOL_CACHE_H
#define MW_SYMBOL_CACHE_H

#include "symbols/ask.h"

struct mw_symbol_cache;

/* At most so many bytes; the longest unused goes first. NULL: no memory. One thread at a time. */
struct mw_symbol_cache *mw_symbol_cache_new(size_t bytes_max);
void mw_symbol_cache_free(struct mw_symbol_cache *c); /* NULL-safe */
size_t mw_symbol_cache_bytes(const struct mw_symbol_cache *c);

/*
 * As mw_symbols_ask, but what is known is not asked for again; no program is started when all is. modules: what the
 * process has mapped now, or had when it ended (then q->modules is the same). Kept is what has a function; debug files
 * that are installed later are seen when it has gone.
 */
int mw_symbols_ask_cached(struct mw_symbol_cache *c, const struct mw_modules *modules,
			  const struct mw_symbols_question *q, struct mw_symbols *ret_symbols, struct mw_error *err);

#endif
