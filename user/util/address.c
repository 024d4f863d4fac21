/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

/* The whole of text, without sign or zero in front. */
static int parse_port(const char *text, in_port_t *ret_port)
{
	unsigned port = 0;
	size_t n = strspn(text, "0123456789");

	if (!n || n > 5 || text[n] || text[0] == '0')
		return -EINVAL;
	for (; *text; text++)
		port = port * 10 + (unsigned)(*text - '0');
	if (port > 65535)
		return -EINVAL;
	*ret_port = htons((in_port_t)port);
	return 0;
}

static int parse_v6(const char *text, struct mw_address *ret_address)
{
	struct mw_address a = {.size = sizeof(a.v6),
			       .v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};

	if (strncmp(text, "[::1]:", 6) != 0 || parse_port(text + 6, &a.v6.sin6_port))
		return -EINVAL;
	*ret_address = a;
	return 0;
}

int mw_address_parse(const char *text, struct mw_address *ret_address)
{
	struct mw_address a = {.size = sizeof(a.v4), .v4 = {.sin_family = AF_INET}};
	char host[INET_ADDRSTRLEN] = "";
	const char *colon = strchr(text, ':');

	if (text[0] == '[')
		return parse_v6(text, ret_address);
	if (!colon || colon - text >= (ptrdiff_t)sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(colon - text));
	if (inet_pton(AF_INET, host, &a.v4.sin_addr) != 1 || ntohl(a.v4.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET ||
	    parse_port(colon + 1, &a.v4.sin_port))
		return -EINVAL;
	*ret_address = a;
	return 0;
}
