/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/idle.h"

bool mw_idle_candidate(struct mw_idle *idle, __u64 bytes, __u64 after_ns)
{
	__u64 room = idle->bytes / 50 > MW_IDLE_GROWTH ? idle->bytes / 50 : MW_IDLE_GROWTH;

	if (bytes < MW_IDLE_BYTES || !after_ns || (idle->since_ns && bytes > idle->bytes + room))
		*idle = (struct mw_idle){0};
	return bytes >= MW_IDLE_BYTES && after_ns;
}

bool mw_idle_due(const struct mw_idle *idle, __u64 after_ns, __u64 now_ns)
{
	return !idle->since_ns || now_ns - idle->looked_ns >= after_ns / MW_IDLE_LOOKS;
}

static void window(struct mw_idle *idle, __u64 cpu_us, __u64 bytes, __u64 now_ns)
{
	idle->window_ns = now_ns;
	idle->cpu_us = cpu_us;
	idle->bytes = bytes;
}

bool mw_idle_look(struct mw_idle *idle, __u64 cpu_us, __u64 bytes, __u64 after_ns, __u64 now_ns)
{
	double most_us = MW_IDLE_CPU * (double)after_ns / 1000;

	/* A counter that went back is another cgroup's, or a sum over processes of which one ended. */
	if (!idle->since_ns || cpu_us < idle->cpu_us || (double)(cpu_us - idle->cpu_us) >= most_us) {
		*idle = (struct mw_idle){.since_ns = now_ns};
		window(idle, cpu_us, bytes, now_ns);
	} else if (now_ns - idle->window_ns >= after_ns) {
		window(idle, cpu_us, bytes, now_ns);
	}
	idle->looked_ns = now_ns;
	return now_ns - idle->since_ns >= after_ns;
}
