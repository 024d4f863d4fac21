// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "server.h"

#include <memweir/guard.h>
#include <memweir/json.h>
#include <memweir/pool.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A value as it stands in the line, which it points into. */
struct value {
	const char *text; /* NULL: not there */
	size_t bytes;
};

struct call {
	struct value id, params;
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
	return say(c->to, c->room, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%.*s}\n", (int)c->id.bytes, c->id.text,
		   (int)bytes, text);
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
	return c->params.text ? result(c, c->params.text, c->params.bytes) : result(c, "null", 4);
}

static long stats(struct server *s, const struct call *c)
{
	struct memweir_pool_stats p = MEMWEIR_INIT(struct memweir_pool_stats);
	double percent = 0;
	char text[1024];
	int level;
	long n;

	memweir_pool_stats(s->pool, &p);
	level = memweir_guard_validate(s->guard, &percent);
	n = say(text, sizeof(text),
		"{\"connections\":%" PRIu64 ",\"connection_bytes\":%zu,\"waiting\":%" PRIu64 ",\"accepted\":%" PRIu64
		",\"refused\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"timeouts\":%" PRIu64
		",\"waits\":%" PRIu64 ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"pool\":{\"size\":%" PRIu64
		",\"in_use\":%" PRIu64 ",\"total_created\":%" PRIu64 ",\"memory_usage\":%" PRIu64
		"},\"level\":%d,\"percent\":%.2f}",
		s->connections, sizeof(struct conn), s->waiting, s->accepted, s->refused, s->requests, s->errors,
		s->timeouts, s->waits, s->bytes_in, s->bytes_out, p.pool_size, p.in_use, p.total_created,
		p.memory_usage, level, percent);
	return n < 0 ? n : result(c, text, (size_t)n);
}

static const struct method {
	const char *name; /* as JSON writes it */
	int costs; /* memory: not near the limit */
	long (*answer)(struct server *s, const struct call *c);
} methods[] = {
	{"\"echo\"", 1, echo},	 {"\"initialize\"", 0, initialize}, {"\"ping\"", 0, ping},
	{"\"stats\"", 0, stats}, {"\"tools/list\"", 0, tools_list},
};

static const struct method *method_find(struct value v)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strlen(methods[i].name) == v.bytes && memcmp(methods[i].name, v.text, v.bytes) == 0)
			return &methods[i];
	return NULL;
}

/* 1: one JSON object, all of it, and nothing else. */
static int is_object(const char *line, size_t bytes)
{
	const char *text;
	size_t length;

	if (memweir_json_get(line, bytes, "", &text, &length) < 0 || *text != '{')
		return 0;
	for (text += length; text < line + bytes; text++)
		if (!strchr(" \t\r", *text))
			return 0;
	return 1;
}

static struct value member(const char *line, size_t bytes, const char *pointer)
{
	struct value v = {0};

	memweir_json_get(line, bytes, pointer, &v.text, &v.bytes);
	return v;
}

/* A request of JSON-RPC 2.0; its id, if it has one, is a string, a number or null. */
static int is_request(struct value version, struct value method, struct value id)
{
	return version.text && version.bytes == 5 && memcmp(version.text, "\"2.0\"", 5) == 0 && method.text &&
	       *method.text == '"' && (!id.text || !strchr("{[tf", *id.text));
}

long rpc_answer(struct server *s, const char *line, size_t bytes, char *to, size_t room)
{
	struct call c = {.to = to, .room = room};
	const struct method *method;
	struct value name;
	const char *why;
	long n;

	if (!is_object(line, bytes)) {
		n = rpc_error(NULL, 0, -32700, "no JSON object in this line", to, room);
		s->errors += n >= 0;
		return n;
	}
	c.id = member(line, bytes, "/id");
	name = member(line, bytes, "/method");
	if (!is_request(member(line, bytes, "/jsonrpc"), name, c.id)) {
		n = rpc_error(NULL, 0, -32600, "no request of JSON-RPC 2.0", to, room);
		s->errors += n >= 0;
		return n;
	}
	c.params = member(line, bytes, "/params");
	method = method_find(name);
	why = method && method->costs ? server_refuses(s) : NULL;
	if (!c.id.text) /* a notification: nobody waits for an answer */
		n = 0;
	else if (why)
		n = rpc_error(c.id.text, c.id.bytes, -32000, why, to, room);
	else if (method)
		n = method->answer(s, &c);
	else
		n = rpc_error(c.id.text, c.id.bytes, -32601, "no such method", to, room);
	s->requests += n >= 0; /* without room for its answer it is asked again */
	return n;
}
