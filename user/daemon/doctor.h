/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Shared by the doctor*.c files and nobody else. */
#ifndef MW_DOCTOR_H
#define MW_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config.h"
#include "daemon/kernel.h"

struct json_object;

struct mw_finding {
	const char *name;
	bool have;
	char found[600];
	const char *lost, *how;
};

#define MW_FINDINGS_MAX (MW_CAP_MAX + 22)

struct mw_findings {
	struct mw_finding rows[MW_FINDINGS_MAX];
	size_t n;
	struct json_object *access; /* of members, for the document; NULL: the configuration is wrong */
	char mount[256];
	int mount_fd;
};

struct mw_finding *mw_finding_add(struct mw_findings *f, const char *name, bool have, const char *lost,
				  const char *how);
/* doctor_peace.c: a row for each. root: the tree of ours, without a leading slash; "": not known. */
void mw_doctor_peace(struct mw_findings *f, const char *root);
/* doctor_probes.c: may allocators be probed on this kernel? */
void mw_doctor_probes(struct mw_findings *f);
/* doctor_members.c: rows and document of the configured group. up: the daemon listens. */
void mw_doctor_members(struct mw_findings *f, const struct mw_config *cfg, const char *socket_path, bool up);
/* doctor_http.c: the same of TCP. */
void mw_doctor_http(struct mw_findings *f, const struct mw_config *cfg, const char *socket_path, bool up);
/* doctor_otlp.c: does a collector take what is sent to it? */
void mw_doctor_otlp(struct mw_findings *f, const char *socket_path, bool up);

#endif
