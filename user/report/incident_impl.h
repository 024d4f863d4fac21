/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The store of incidents, for those who write it (incident.c) and read it (incident_read.c). */
#ifndef MW_INCIDENT_IMPL_H
#define MW_INCIDENT_IMPL_H

#include <pthread.h>

#include "report/incident_index.h"

struct mw_incidents {
	int dir_fd;
	__u32 max;
	pthread_mutex_t lock, writing; /* writing is taken first */
	struct mw_incident_index index;
	__u64 failures;
};

void mw_incidents_count_failure(struct mw_incidents *s);

#endif
