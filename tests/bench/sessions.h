/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Made-up states of MCP sessions, the same ones for the same seed: what a server keeps of a client. Names, numbers,
 * paths and texts differ from one to the next; tool lists are those of SESSIONS_SERVERS servers, as in a fleet. Texts
 * are taken from a corpus, each piece once, or made of words as often as they come in English.
 */
#ifndef MW_BENCH_SESSIONS_H
#define MW_BENCH_SESSIONS_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SESSIONS_SERVERS 12
#define SESSION_ROOM	 65536 /* of one */

struct session_maker {
	uint64_t state; /* not 0 */
	const char *corpus; /* or NULL */
	size_t corpus_n, corpus_at;
	const char *const *tools; /* JSON arrays of real servers, which stand for the first ones */
	size_t n_tools;
	char *buf;
	size_t n, room;
};

static const char *const session_words[] = {
	"the",	     "of",	   "to",	"and",	      "a",	   "in",	"is",	     "for",
	"it",	     "that",	   "this",	"with",	      "on",	   "be",	"not",	     "as",
	"are",	     "from",	   "by",	"or",	      "an",	   "at",	"was",	     "if",
	"file",	     "when",	   "which",	"error",      "can",	   "has",	"no",	     "all",
	"value",     "line",	   "test",	"should",     "there",	   "you",	"request",   "but",
	"one",	     "will",	   "set",	"data",	      "use",	   "after",	"have",	     "only",
	"server",    "result",	   "user",	"returns",    "been",	   "some",	"call",	     "name",
	"found",     "more",	   "other",	"memory",     "into",	   "function",	"first",     "list",
	"same",	     "would",	   "client",	"then",	      "change",	   "because",	"before",    "each",
	"version",   "type",	   "without",	"branch",     "time",	   "where",	"does",	     "default",
	"three",     "path",	   "commit",	"query",      "still",	   "than",	"build",     "index",
	"new",	     "any",	   "run",	"issue",      "timeout",   "may",	"table",     "between",
	"failed",    "config",	   "open",	"while",      "could",	   "missing",	"input",     "over",
	"two",	     "output",	   "read",	"connection", "again",	   "most",	"write",     "page",
	"customer",  "such",	   "message",	"about",      "schema",	   "every",	"release",   "cache",
	"removed",   "response",   "under",	"column",     "added",	   "parser",	"since",     "token",
	"expected",  "report",	   "its",	"until",      "order",	   "module",	"review",    "process",
	"warning",   "deploy",	   "against",	"session",    "through",   "limit",	"document",  "cannot",
	"container", "directory",  "migration", "reference",  "somebody",  "upstream",	"duplicate", "encoding",
	"retry",     "summary",	   "quarterly", "invoice",    "latency",   "protocol",	"weather",   "northern",
	"fragment",  "backlog",	   "merchant",	"gradient",   "calendar",  "threshold", "battery",   "harvest",
	"signature", "permission", "velocity",	"archive",    "inventory", "museum",	"elevation", "keyboard",
	"translate", "diagnosis",  "momentum",	"chapter",    "satellite", "railway",	"kitchen",   "ambient",
};
#define SESSION_WORDS (sizeof(session_words) / sizeof(session_words[0]))

static inline uint64_t session_draw(struct session_maker *m, uint64_t below)
{
	m->state ^= m->state << 13;
	m->state ^= m->state >> 7;
	m->state ^= m->state << 17;
	return (m->state >> 11) % below;
}

/* SESSION_WORDS to the power of 1/2, 1/4 and so on, without the mathematics library. */
static inline double session_root(int i)
{
	static double roots[8];

	if (roots[i] == 0) {
		double of = i ? session_root(i - 1) : SESSION_WORDS, x = of;

		for (int t = 0; t < 30; t++)
			x = (x + of / x) / 2;
		roots[i] = x;
	}
	return roots[i];
}

/* The n-th word comes about n times less often than the first. */
static inline const char *session_word(struct session_maker *m)
{
	double u = (double)session_draw(m, 1 << 20) / (1 << 20), at = 1;

	for (int i = 0; i < 8; i++) /* SESSION_WORDS^u */
		if ((u *= 2) >= 1) {
			at *= session_root(i);
			u -= 1;
		}
	return session_words[(size_t)at - 1 < SESSION_WORDS ? (size_t)at - 1 : 0];
}

static inline __attribute__((format(printf, 2, 3))) void session_say(struct session_maker *m, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(m->buf + m->n, m->room - m->n, fmt, ap);
	va_end(ap);
	m->n += (size_t)n < m->room - m->n ? (size_t)n : m->room - m->n - 1;
}

static inline void session_byte(struct session_maker *m, char c)
{
	if (c == '\n')
		session_say(m, "\\n");
	else if (c == '"' || c == '\\')
		session_say(m, "\\%c", c);
	else if ((unsigned char)c >= ' ')
		session_say(m, "%c", c);
}

/* About n bytes, as the inside of a JSON string. */
static inline void session_text(struct session_maker *m, size_t n)
{
	size_t end = m->n + n;

	if (m->corpus && m->corpus_n > n) {
		if (m->corpus_at + n > m->corpus_n)
			m->corpus_at = 0;
		for (size_t i = 0; i < n; i++)
			session_byte(m, m->corpus[m->corpus_at++]);
		return;
	}
	while (m->n < end && m->n + 64 < m->room) {
		uint64_t what = session_draw(m, 40);

		if (what == 0)
			session_say(m, "%s/%s_%s.%s ", session_word(m), session_word(m), session_word(m),
				    session_draw(m, 2) ? "ts" : "py");
		else if (what == 1)
			session_say(m, "%llu ", (unsigned long long)session_draw(m, 1 << session_draw(m, 20)));
		else if (what == 2)
			session_say(m, "%07llx ", (unsigned long long)session_draw(m, 1 << 28));
		else
			session_say(m, "%s%s", session_word(m), what == 3 ? ".\\n" : what < 6 ? ", " : " ");
	}
}

/* A server's tools: the same ones each time it is asked. */
static inline void session_tools(struct session_maker *m, size_t server)
{
	struct session_maker own = {.state = 0x9e3779b97f4a7c15ULL * (server + 1),
				    .buf = m->buf,
				    .n = m->n,
				    .room = m->room};
	size_t n_tools = 6 + session_draw(&own, 14);

	if (server < m->n_tools) {
		session_say(m, "%s", m->tools[server]);
		return;
	}
	session_say(&own, "[");
	for (size_t t = 0; t < n_tools; t++) {
		session_say(&own, "%s{\"name\":\"%s_%s\",\"description\":\"", t ? "," : "", session_word(&own),
			    session_word(&own));
		session_text(&own, 60 + session_draw(&own, 260));
		session_say(&own, "\",\"inputSchema\":{\"type\":\"object\",\"properties\":{");
		for (size_t p = 0, n = 1 + session_draw(&own, 4); p < n; p++) {
			session_say(&own, "%s\"%s\":{\"type\":\"%s\",\"description\":\"", p ? "," : "",
				    session_word(&own), session_draw(&own, 3) ? "string" : "number");
			session_text(&own, 20 + session_draw(&own, 60));
			session_say(&own, "\"}");
		}
		session_say(&own,
			    "},\"required\":[\"%s\"],\"additionalProperties\":false,\"$schema\":\"http://"
			    "json-schema.org/draft-07/schema#\"}}",
			    session_word(&own));
	}
	session_say(&own, "]");
	m->n = own.n;
}

static inline void session_history(struct session_maker *m)
{
	size_t turns = 1 + session_draw(m, 7);

	for (size_t i = 0; i < turns && m->n + 8192 < m->room; i++) {
		session_say(m,
			    "%s{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"tools/"
			    "call\",\"params\":{\"name\":\"%s_%s\",\"arguments\":{\"%s\":\"",
			    i ? "," : "", i + 2, session_word(m), session_word(m), session_word(m));
		session_text(m, 10 + session_draw(m, 120));
		session_say(m, "\",\"limit\":%llu},\"_meta\":{\"progressToken\":%llu}}},",
			    (unsigned long long)session_draw(m, 500), (unsigned long long)session_draw(m, 100000));
		session_say(m,
			    "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"",
			    i + 2);
		session_text(m, 40 + session_draw(m, 1 << (6 + session_draw(m, 6))));
		session_say(m, "\"}],\"isError\":%s}}", session_draw(m, 12) ? "false" : "true");
	}
}

/* The next session into m->buf; its size is m->n. */
static inline size_t session_make(struct session_maker *m)
{
	static const char *const clients[] = {"claude-desktop", "vscode", "cursor", "mcp-inspector", "agent-runner"};
	size_t server = (size_t)session_draw(m, SESSIONS_SERVERS), client = (size_t)session_draw(m, 5);

	m->n = 0;
	session_say(m,
		    "{\"sessionId\":\"%016llx%016llx\",\"createdAt\":\"2026-%02u-%02uT%02u:%02u:%02u.%03uZ\","
		    "\"protocolVersion\":\"%s\",",
		    (unsigned long long)session_draw(m, 1ULL << 52) << 11,
		    (unsigned long long)session_draw(m, 1ULL << 52) << 9, (unsigned int)session_draw(m, 12) + 1,
		    (unsigned int)session_draw(m, 28) + 1, (unsigned int)session_draw(m, 24),
		    (unsigned int)session_draw(m, 60), (unsigned int)session_draw(m, 60),
		    (unsigned int)session_draw(m, 1000), session_draw(m, 4) ? "2025-06-18" : "2025-03-26");
	session_say(m,
		    "\"clientInfo\":{\"name\":\"%s\",\"version\":\"%u.%u.%u\"},\"clientCapabilities\":{%s\"sampling\":{"
		    "}%s},",
		    clients[client], (unsigned int)session_draw(m, 3), (unsigned int)session_draw(m, 20),
		    (unsigned int)session_draw(m, 10), client < 3 ? "\"roots\":{\"listChanged\":true}," : "",
		    client == 1 ? ",\"elicitation\":{}" : "");
	session_say(m,
		    "\"serverInfo\":{\"name\":\"server-%zu\",\"version\":\"0.6.%zu\"},\"serverCapabilities\":{"
		    "\"tools\":{\"listChanged\":%s},"
		    "\"resources\":{\"subscribe\":true},\"prompts\":{},\"logging\":{}},\"tools\":",
		    server, server * 7 % 5, server % 3 ? "true" : "false");
	session_tools(m, server);
	session_say(m, ",\"roots\":[{\"uri\":\"file:///home/%s/src/%s-%s\",\"name\":\"%s\"}],\"subscriptions\":[",
		    session_word(m), session_word(m), session_word(m), session_word(m));
	for (size_t i = 0, n = session_draw(m, 5); i < n; i++)
		session_say(m, "%s\"file:///srv/%s/%llu/%s.json\"", i ? "," : "", session_word(m),
			    (unsigned long long)session_draw(m, 9000), session_word(m));
	session_say(m, "],\"logLevel\":\"%s\",\"lastEventId\":%llu,\"history\":[",
		    session_draw(m, 3) ? "info" : "debug", (unsigned long long)session_draw(m, 1 << 20));
	session_history(m);
	session_say(m, "]}");
	return m->n;
}

#endif
