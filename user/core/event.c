/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/event.h"

#include <errno.h>
#include <string.h>

int mw_event_valid(const void *data, size_t size)
{
	struct mw_event e;

	if (!data || size != sizeof(e))
		return -EINVAL;
	memcpy(&e, data, sizeof(e));
	if (e.size != sizeof(e) || (__u32)e.type <= MW_EVENT_NONE || (__u32)e.type >= MW_EVENT_MAX)
		return -EINVAL;
	if ((__u32)e.kind >= MW_PAUSE_MAX || (e.type == MW_EVENT_LIMIT && e.flags >= MW_LIMIT_KIND_MAX))
		return -EINVAL;
	if (!memchr(e.comm, 0, sizeof(e.comm)) || !memchr(e.worker, 0, sizeof(e.worker)))
		return -EINVAL;
	return 0;
}
