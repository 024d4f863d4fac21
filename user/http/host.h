/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What a request says of where it comes from. A browser on the administrator's machine runs strangers' pages and
 * reaches what the administrator reaches, through a forwarded socket as root: so no browser changes anything here, and
 * no page but ours reads. Pure.
 */
#ifndef MW_HOST_H
#define MW_HOST_H

#include <stdbool.h>

/* Headers as they came; NULL: not sent. */
struct mw_origin {
	const char *method;
	const char *host;
	const char *origin;
	const char *referer;
	const char *user_agent;
	const char *fetch_site; /* Sec-Fetch-Site, and so on */
	const char *fetch_mode;
	const char *fetch_dest;
	bool tcp; /* else over the unix socket */
};

/*
 * 0, or the HTTP status to refuse with and *ret_why a sentence (static, without quotes):
 *  - 421 for a Host that is not this machine's: a stranger's name that was made to lead here (DNS rebinding). Over TCP
 * it has to be localhost, 127.x.y.z or [::1], with any port, since a forwarded one differs. Over the unix socket a name
 *    without a dot, or none, will do as well: programs put there what they like, and none of these is a stranger's.
 *  - 403 for anything but GET and HEAD with a header that only browsers send, from whatever page.
 *  - 403 for anything but GET and HEAD over TCP.
 *  - 403 for a page of another origin that reads; a link that is followed (navigate to a document) is no reading.
 */
unsigned mw_origin_check(const struct mw_origin *o, const char **ret_why);

/* Is it localhost, 127.x.y.z or [::1], with a port or without? */
bool mw_host_is_loopback(const char *host);

#endif
