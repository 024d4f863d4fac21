// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "member.h"
#include "server.h"

#include <memweir/pool.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct call {
	const struct member *id, *params;
	char *to;
	size_t room;
};

__attribute__((format(printf, 3, 4))) static long say(char *to, size_t room, const char *format, ...)
{
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(to, room, format, list);
	va_end(list);
	return n < 0 || (size_t)n >= room ? -ENOBUFS : n;
}

long rpc_error(const char *id, size_t id_bytes, int code, const char *why, char *to, size_t room)
{
	return say(to, room, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":%d,\"message\":\"%s\"}}\n",
		   id ? (int)id_bytes : 4, id ? id : "null", code, why);
}

static long result(const struct call *c, const char *text, size_t bytes)
{
	return say(c->to, c->room, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%.*s}\n", (int)c->id->bytes,
		   c->id->text, (int)bytes, text);
}

static long initialize(struct server *s, const struct call *c)
{
	static const char text[] = "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},"
				   "\"serverInfo\":{\"name\":\"connections\",\"version\":\"1\"}}";

	(void)s;
	return result(c, text, sizeof(text) - 1);
}

static long ping(struct server *s, const struct call *c)
{
	(void)s;
	return result(c, "{}", 2);
}

static long tools_list(struct server *s, const struct call *c)
{
	static const char text[] = "{\"tools\":[{\"name\":\"echo\",\"description\":\"what it is given\","
				   "\"inputSchema\":{\"type\":\"object\"}}]}";

	(void)s;
	return result(c, text, sizeof(text) - 1);
}

/* What is sent back stands in the buffer that was read into; it is copied once, into the one that is written from. */
static long echo(struct server *s, const struct call *c)
{
	(void)s;
	return c->params->text ? result(c, c->params->text, c->params->bytes) : result(c, "null", 4);
}

static long stats(struct server *s, const struct call *c)
{
	struct memweir_pool_stats p = MEMWEIR_INIT(struct memweir_pool_stats);
	char text[1024];
	long n;

	memweir_pool_stats(s->pool, &p);
	n = say(text, sizeof(text),
		"{\"connections\":%" PRIu64 ",\"connection_bytes\":%zu,\"waiting\":%" PRIu64 ",\"accepted\":%" PRIu64
		",\"refused\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"timeouts\":%" PRIu64
		",\"waits\":%" PRIu64 ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"pool\":{\"size\":%" PRIu64
		",\"in_use\":%" PRIu64 ",\"total_created\":%" PRIu64 ",\"memory_usage\":%" PRIu64 "}}",
		s->connections, sizeof(struct conn), s->waiting, s->accepted, s->refused, s->requests, s->errors,
		s->timeouts, s->waits, s->bytes_in, s->bytes_out, p.pool_size, p.in_use, p.total_created,
		p.memory_usage);
	return n < 0 ? n : result(c, text, (size_t)n);
}

static const struct method {
	const char *name; /* as JSON writes it */
	long (*answer)(struct server *s, const struct call *c);
} methods[] = {
	{"\"echo\"", echo},   {"\"initialize\"", initialize}, {"\"ping\"", ping},
	{"\"stats\"", stats}, {"\"tools/list\"", tools_list},
};

static const struct method *method_find(const struct member *m)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strlen(methods[i].name) == m->bytes && memcmp(methods[i].name, m->text, m->bytes) == 0)
			return &methods[i];
	return NULL;
}

/* An id is a string, a number or null. */
static int id_valid(const struct member *id)
{
	return !id->text || (id->text[0] != '{' && id->text[0] != '[' && id->text[0] != 't' && id->text[0] != 'f');
}

long rpc_answer(struct server *s, const char *line, size_t bytes, char *to, size_t room)
{
	enum { VERSION, ID, METHOD, PARAMS };
	struct member m[] = {{.name = "jsonrpc"}, {.name = "id"}, {.name = "method"}, {.name = "params"}};
	const struct call c = {.id = &m[ID], .params = &m[PARAMS], .to = to, .room = room};
	const struct method *method;
	long n;

	if (members_find(line, bytes, m, 4) < 0) {
		n = rpc_error(NULL, 0, -32700, "no JSON object in this line", to, room);
	} else if (!m[VERSION].text || m[VERSION].bytes != 5 || memcmp(m[VERSION].text, "\"2.0\"", 5) != 0 ||
		   !m[METHOD].text || m[METHOD].text[0] != '"' || !id_valid(&m[ID])) {
		n = rpc_error(NULL, 0, -32600, "no request of JSON-RPC 2.0", to, room);
	} else if (!m[ID].text) { /* a notification: nobody waits for an answer */
		s->requests++;
		return 0;
	} else {
		method = method_find(&m[METHOD]);
		n = method ? method->answer(s, &c)
			   : rpc_error(m[ID].text, m[ID].bytes, -32601, "no such method", to, room);
		s->requests += n >= 0;
		return n;
	}
	s->errors += n >= 0;
	return n;
}
