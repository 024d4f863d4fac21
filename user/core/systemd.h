/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What we ask of PID 1, over sd-bus. systemd.c is the only file of core that includes libsystemd. Each call may block
 * for MW_SYSTEMD_TIMEOUT_S. */
#ifndef MW_SYSTEMD_H
#define MW_SYSTEMD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

#define MW_SYSTEMD_TIMEOUT_S 5

/*
 * Whom to ask: PID 1 of the host below root, at ROOT/run/systemd/private, and nobody else; and how long it has to
 * answer. For tests, before anything is asked; root stays the caller's. "" and 0: this host's.
 */
void mw_systemd_at(const char *root, unsigned int timeout_ms);
const char *mw_systemd_root(void);

bool mw_systemd_running(void); /* systemd is PID 1 here (sd_booted) */

/* A transient scope. */
struct mw_scope {
	const char *name, *slice, *description; /* "memweir-workers.scope", "memweir.slice" */
	pid_t pid; /* its first process */
};
/*
 * Start it with Delegate=memory, no limit of tasks (the default would end at some 4,900 for all
 * workers together), forgotten when it ends. Returns when PID 1 has taken the job, not when the process has moved.
 * -EEXIST when the unit is there; -ECONNREFUSED or another -errno when PID 1 cannot be reached.
 */
int mw_systemd_start_scope(const struct mw_scope *s, struct mw_error *err);

/* A property of a slice, scope or service that is text: ManagedOOMSwap, ... -ENOENT, -E2BIG, or another -errno when PID
 * 1 cannot be reached. */
int mw_systemd_text(const char *unit, const char *property, char *ret_text, size_t size, struct mw_error *err);

/* The same for properties that are numbers; MW_UNLIMITED is infinity. Together, in one connection. */
int mw_systemd_numbers(const char *unit, const char *const *properties, size_t n, __u64 *ret_values,
		       struct mw_error *err);

/* A property of a unit that is a number: MemoryMax, MemoryLow, ...; MW_UNLIMITED is infinity. */
struct mw_unit_value {
	const char *property;
	__u64 value;
};
/* SetUnitProperties until the next boot (or the unit's end). PID 1 writes the files a moment after. -ENOENT: no such
 * unit. */
int mw_systemd_set(const char *unit, const struct mw_unit_value *values, size_t n, struct mw_error *err);

#endif
