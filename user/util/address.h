/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* An address to listen on that nobody but this machine reaches, as configuration and browsers write it. */
#ifndef MW_ADDRESS_H
#define MW_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

struct mw_address {
	socklen_t size;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/*
 * "127.0.0.1:PORT" (any of 127.0.0.0/8) or "[::1]:PORT", PORT 1 to 65535. -EINVAL for anything else, other addresses
 * too: there is neither password nor encryption.
 */
int mw_address_parse(const char *text, struct mw_address *ret_address);

#endif
