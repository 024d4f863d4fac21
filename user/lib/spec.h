/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What stripping and the store share. */
#ifndef MW_LIB_SPEC_H
#define MW_LIB_SPEC_H

#include <memweir/spec.h>

/* Where the result goes, and who counts what comes in; both get arg. */
struct mw_spec_target {
	int (*write)(void *arg, const void *bytes, size_t count);
	int (*account)(void *arg, int64_t more); /* bytes of the input more, less before another pass; or NULL */
	int (*again)(void *arg); /* forget what was written; or NULL: io->again does that */
	void *arg;
	uint64_t max_bytes; /* 0: as the options have it */
};

/* memweir_spec_strip() with another target than io's; io is of our size. */
int mw_spec_run(const struct memweir_spec_options *options, const struct memweir_spec_io *io,
		const struct mw_spec_target *target, struct memweir_spec_stats *ret_stats,
		struct memweir_spec_error *ret_error);

#endif
