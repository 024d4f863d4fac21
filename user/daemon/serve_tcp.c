/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* [http] listen: where the daemon is heard over TCP, if anywhere; opened at start, changed by reload and set. */
#include <string.h>
#include <unistd.h>

#include "daemon/serve.h"
#include "daemon/serve_tcp.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define RETRY_NS (60 * MW_NS_PER_S)

static void use(struct mw_guard *g, int fd, const char *where)
{
	struct mw_error err = {0};

	if (mw_server_set_tcp(g->server, fd, &err) < 0) {
		mw_say(g->tell, LOG_ERR, "[http] listen: %s", err.text);
		mw_close(&fd);
		return;
	}
	if (*where)
		mw_say(g->tell, LOG_NOTICE, "listening on %s: who can connect there may read everything", where);
	else if (*g->http_on)
		mw_say(g->tell, LOG_NOTICE, "no longer listening on %s", g->http_on);
	snprintf(g->http_on, sizeof(g->http_on), "%s", where);
}

int mw_serve_tcp_open(struct mw_guard *g, const struct mw_config *fresh, int *ret_fd, struct mw_error *err)
{
	const char *wanted = fresh->http.listen;

	if (!*wanted || !strcmp(wanted, g->http_on) || !strcmp(wanted, g->cfg.http.listen))
		return 0; /* the last: it is tried now and then, and must not keep other settings from being read */
	return mw_server_listen_tcp(wanted, ret_fd, err);
}

void mw_serve_tcp_take(struct mw_guard *g, int fd)
{
	const char *wanted = g->cfg.http.listen;

	if (fd >= 0 || (!*wanted && *g->http_on))
		use(g, fd, wanted);
}

static void try(struct mw_guard *g, __u64 now_ns, bool say)
{
	struct mw_error err = {0};
	int fd = -1;

	g->http_retry_ns = now_ns + RETRY_NS;
	if (mw_server_listen_tcp(g->cfg.http.listen, &fd, &err) < 0) {
		if (say)
			mw_say(g->tell, LOG_WARNING,
			       "[http] listen: %s: guarding without, and trying again every minute", err.text);
		return;
	}
	use(g, fd, g->cfg.http.listen);
}

void mw_serve_tcp_start(struct mw_guard *g)
{
	if (*g->cfg.http.listen)
		try(g, mw_now_ns(), true);
}

void mw_serve_tcp_tick(struct mw_guard *g, __u64 now_ns)
{
	if (*g->cfg.http.listen && strcmp(g->cfg.http.listen, g->http_on) != 0 && now_ns >= g->http_retry_ns)
		try(g, now_ns, false);
}

static void add(struct json_object *o, const char *key, __u64 value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

struct json_object *mw_serve_tcp_json(const struct mw_guard *g)
{
	static const char *const answered[] = {NULL, NULL, "ok", "redirected", "client_errors", "server_errors"};
	const struct mw_server_counts c = mw_server_counts(g->server);
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "listen", *g->http_on ? json_object_new_string(g->http_on) : NULL);
	add(o, "connections", c.now);
	add(o, "streams", c.streams);
	add(o, "held_bytes", c.held_bytes);
	add(o, "connections_unix", c.connections[0]);
	add(o, "connections_tcp", c.connections[1]);
	for (size_t i = 0; i < ARRAY_SIZE(answered); i++)
		if (answered[i])
			add(o, answered[i], c.answered[i]);
	add(o, "refused", c.refused);
	add(o, "timed_out", c.timed_out);
	add(o, "unasked", c.unasked);
	add(o, "slow", c.slow);
	add(o, "busy", c.busy);
	add(o, "events_lost", c.events_lost);
	add(o, "bytes", c.bytes);
	return o;
}
