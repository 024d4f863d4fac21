/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* doctor: who else kills when memory is short, and whether it may hit a worker that only meets its limits. */
#include <stdio.h>
#include <string.h>

#include "core/peace.h"
#include "core/systemd.h"
#include "daemon/doctor.h"
#include "util/cleanup.h"

#define UNITS_MAX 8

/* What PID 1 has told systemd-oomd of the units above the workers; 0: it cannot be asked. */
static size_t ask_units(const char *root, struct mw_oomd_unit *units, size_t max)
{
	size_t n = mw_systemd_running() ? mw_units_above(root, units, max) : 0, asked = 0;

	for (size_t i = 0; i < n; i++) {
		char text[32];

		if (mw_systemd_text(units[i].name, "ManagedOOMMemoryPressure", text, sizeof(text), NULL) < 0)
			continue; /* not there yet */
		asked++;
		units[i].pressure = strcmp(text, "kill") == 0;
		if (mw_systemd_text(units[i].name, "ManagedOOMSwap", text, sizeof(text), NULL) == 0)
			units[i].swap = strcmp(text, "kill") == 0;
	}
	return asked ? n : 0;
}

void mw_doctor_peace(struct mw_findings *f, const char *root)
{
	struct mw_killer_seen seen[MW_KILLERS];
	struct mw_oomd_unit units[UNITS_MAX];
	size_t n = 0;

	mw_killers_find("/proc", seen);
	if (seen[MW_KILLER_SYSTEMD_OOMD].pid)
		n = ask_units(root, units, ARRAY_SIZE(units));
	for (enum mw_killer k = 0; k < MW_KILLERS; k++) {
		struct mw_finding *row = mw_finding_add(
			f, mw_killer_name(k), !mw_killer_threatens(k, &seen[k], units, n),
			"a worker that only meets its limits may be killed, whole",
			"systemctl set-property UNIT ManagedOOMMemoryPressure=auto, for the unit that is named");

		mw_killer_says(k, &seen[k], units, n, row->found, sizeof(row->found));
	}
}
