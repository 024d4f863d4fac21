// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "http/host.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* ":PORT" or nothing. */
static bool port_or_end(const char *s)
{
	unsigned port = 0;

	if (!*s)
		return true;
	if (*s++ != ':' || !*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		port = port * 10 + (unsigned)(*s - '0');
		if (port > 65535)
			return false;
	}
	return port;
}

/* Behind "127.X.Y.Z", or NULL. Numbers in the plain form only: browsers write no other. */
static const char *behind_127(const char *s)
{
	for (int part = 0; part < 4; part++) {
		unsigned value = 0, digits = 0;

		for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
			value = value * 10 + (unsigned)(*s - '0');
		if (!digits || digits > 3 || value > 255 || (part == 0 && value != 127))
			return NULL;
		if (part < 3 && *s++ != '.')
			return NULL;
	}
	return s;
}

bool mw_host_is_loopback(const char *host)
{
	const char *end = behind_127(host);

	if (!end && strncasecmp(host, "localhost", 9) == 0)
		end = host + 9;
	if (!end && strncmp(host, "[::1]", 5) == 0)
		end = host + 5;
	return end && port_or_end(end);
}

/* A label, which no name server of a stranger answers for. */
static bool dotless(const char *host)
{
	size_t n = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return port_or_end(host + n) && n < 64;
}

static bool host_is_ours(const struct mw_origin *o)
{
	if (!o->host)
		return !o->tcp;
	return mw_host_is_loopback(o->host) || (!o->tcp && dotless(o->host));
}

/* Every browser says it is Mozilla, and adds one of the others where it may. */
static bool from_browser(const struct mw_origin *o)
{
	return o->origin || o->referer || o->fetch_site || o->fetch_mode || o->fetch_dest ||
	       (o->user_agent && strncasecmp(o->user_agent, "Mozilla/", 8) == 0);
}

static bool is(const char *value, const char *what)
{
	return value && strcasecmp(value, what) == 0;
}

/* Does a page of this origin ask, or a person: by the address bar, a bookmark, a link? */
static bool may_read(const struct mw_origin *o)
{
	if (o->origin && (!o->host || strncasecmp(o->origin, "http://", 7) != 0 || !is(o->origin + 7, o->host)))
		return false;
	if (!o->fetch_site || is(o->fetch_site, "same-origin") || is(o->fetch_site, "none"))
		return true;
	return is(o->fetch_mode, "navigate") && is(o->fetch_dest, "document");
}

unsigned mw_origin_check(const struct mw_origin *o, const char **ret_why)
{
	bool reads = strcmp(o->method, "GET") == 0 || strcmp(o->method, "HEAD") == 0;

	if (!host_is_ours(o)) {
		*ret_why = o->tcp ? "the Host header has to be localhost, 127.0.0.1 or [::1]: memweir answers to no "
				    "other name"
				  : "the Host header has to be localhost or a name without a dot: memweir answers to "
				    "no other name";
		return 421;
	}
	if (!reads && from_browser(o)) {
		*ret_why = "a browser may look and not act: use memweir on the command line";
		return 403;
	}
	if (!reads && o->tcp) {
		*ret_why = "over TCP there is only reading: use the unix socket";
		return 403;
	}
	if (reads && !may_read(o)) {
		*ret_why = "a page from elsewhere may not read this";
		return 403;
	}
	return 0;
}
