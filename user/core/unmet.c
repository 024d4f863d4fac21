/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/unmet.h"

#include <errno.h>
#include <string.h>

static __u64 wait_after(unsigned tries)
{
	__u64 wait = MW_UNMET_FIRST_NS;

	while (--tries && wait < MW_UNMET_LAST_NS)
		wait *= 2;
	return wait < MW_UNMET_LAST_NS ? wait : MW_UNMET_LAST_NS;
}

bool mw_unmet_failed(struct mw_unmet *u, __u64 want, int status, __u64 now_ns)
{
	bool news = !u->since_ns || u->want != want || u->status != status;

	if (!u->since_ns)
		u->since_ns = now_ns;
	if (news)
		u->tries = 0;
	u->want = want;
	u->status = status;
	u->tries++;
	u->total++;
	u->tried_ns = now_ns;
	u->due_ns = now_ns + wait_after(u->tries);
	return news;
}

void mw_unmet_forget(struct mw_unmet *u)
{
	*u = (struct mw_unmet){.total = u->total};
}

bool mw_unmet_met(struct mw_unmet *u, struct mw_unmet *ret_was)
{
	if (!u->since_ns)
		return false;
	*ret_was = *u;
	mw_unmet_forget(u);
	return true;
}

bool mw_unmet_due(const struct mw_unmet *u, __u64 used, __u64 now_ns)
{
	bool fits = u->status == -EBUSY && used && used <= u->want && now_ns - u->tried_ns >= MW_UNMET_FIRST_NS;

	return u->due_ns && (now_ns >= u->due_ns || fits);
}

const char *mw_unmet_why(const struct mw_unmet *u)
{
	if (u->status == -EBUSY)
		return "more is in use, and the kernel cannot reclaim it";
	return u->status == -ENOENT ? "systemd does not know its unit" : strerror(-u->status);
}
