/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What doctor says of probes: tried out here and now, on a child of its own. */
#include <stdio.h>
#include <unistd.h>

#include "daemon/doctor.h"
#include "daemon/probe_check.h"

void mw_doctor_probes(struct mw_findings *f)
{
	struct mw_probe_check c = {.why = "needs root"};
	struct mw_finding *row;

	if (!geteuid())
		mw_probe_check_run(&c);
	row = mw_finding_add(f, "object-probes", c.ok,
			     "leaking code is named behind churn only in workers whose heap is sampled",
			     "a kernel with uprobes that pass; or heap_sample = yes");
	if (!c.ok) {
		snprintf(row->found, sizeof(row->found), "%s", c.why);
		return;
	}
	snprintf(row->found, sizeof(row->found),
		 "work; a call of malloc or free then takes %.1f us instead of %llu ns%s%s", (double)c.call_ns / 1000,
		 c.bare_ns, c.nop_ok ? "" : "; not where a five-byte nop stands: ", c.nop_ok ? "" : c.nop_why);
}
