// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "member.h"

#include <errno.h>
#include <string.h>

#define DEPTH 64

struct scan {
	const char *p, *end;
};

static int peek(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
		s->p++;
	return s->p < s->end ? (unsigned char)*s->p : -1;
}

static int escape(struct scan *s)
{
	if (s->p == s->end)
		return -EINVAL;
	if (*s->p != 'u')
		return memchr("\"\\/bfnrt", *s->p++, 8) ? 0 : -EINVAL;
	if (s->end - s->p < 5)
		return -EINVAL;
	for (int i = 1; i <= 4; i++)
		if (!memchr("0123456789abcdefABCDEF", s->p[i], 22))
			return -EINVAL;
	s->p += 5;
	return 0;
}

static int string(struct scan *s)
{
	for (s->p++; s->p < s->end; s->p++) {
		unsigned char c = (unsigned char)*s->p;

		if (c == '"') {
			s->p++;
			return 0;
		}
		if (c < ' ')
			return -EINVAL;
		if (c == '\\') {
			s->p++;
			if (escape(s) < 0)
				return -EINVAL;
			s->p--;
		}
	}
	return -EINVAL;
}

static size_t digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return (size_t)(s->p - from);
}

static int number(struct scan *s)
{
	int zero;

	s->p += *s->p == '-';
	zero = s->p < s->end && *s->p == '0';
	if ((digits(s) > 1 && zero) || s->p[-1] == '-')
		return -EINVAL;
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!digits(s))
			return -EINVAL;
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		s->p += s->p < s->end && (*s->p == '+' || *s->p == '-');
		if (!digits(s))
			return -EINVAL;
	}
	return 0;
}

static int word(struct scan *s, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
		return -EINVAL;
	s->p += n;
	return 0;
}

static int scalar(struct scan *s, int c)
{
	if (c == '"')
		return string(s);
	if (c == '-' || (c >= '0' && c <= '9'))
		return number(s);
	return c == 't' ? word(s, "true") : c == 'f' ? word(s, "false") : c == 'n' ? word(s, "null") : -EINVAL;
}

/* A name and its colon. */
static int name(struct scan *s)
{
	if (peek(s) != '"' || string(s) < 0 || peek(s) != ':')
		return -EINVAL;
	s->p++;
	return 0;
}

/* Behind a value: what closes goes, a comma leads to the next one. 1: there is a next; 0: the outermost is closed. */
static int behind(struct scan *s, const char *open, int *depth)
{
	while (*depth > 0) {
		int c = peek(s);

		if (c == ',') {
			s->p++;
			return open[*depth - 1] == '{' && name(s) < 0 ? -EINVAL : 1;
		}
		if (c != (open[*depth - 1] == '{' ? '}' : ']'))
			return -EINVAL;
		s->p++;
		--*depth;
	}
	return 0;
}

/* Over one value, however deep, without recursion. */
static int value(struct scan *s)
{
	char open[DEPTH];
	int depth = 0, r = 1;

	while (r > 0) {
		int c = peek(s);

		if (c == '{' || c == '[') {
			if (depth == DEPTH)
				return -E2BIG;
			s->p++;
			open[depth++] = (char)c;
			if (peek(s) != (c == '{' ? '}' : ']')) {
				if (c == '{' && name(s) < 0)
					return -EINVAL;
				continue;
			}
		} else if (scalar(s, c) < 0) {
			return -EINVAL;
		}
		r = behind(s, open, &depth);
	}
	return r;
}

static void note(struct member *members, size_t count, const char *key, size_t key_bytes, const char *text,
		 size_t bytes)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(members[i].name) == key_bytes && memcmp(members[i].name, key, key_bytes) == 0) {
			members[i].text = text;
			members[i].bytes = bytes;
		}
}

int members_find(const char *text, size_t bytes, struct member *members, size_t count)
{
	struct scan s = {text, text + bytes};
	int more, r;

	if (peek(&s) != '{')
		return -EINVAL;
	s.p++;
	more = peek(&s) != '}';
	s.p += !more && s.p < s.end;
	while (more) {
		const char *key = peek(&s) == '"' ? s.p + 1 : NULL, *key_end, *from;

		if (!key || string(&s) < 0)
			return -EINVAL;
		key_end = s.p - 1;
		if (peek(&s) != ':')
			return -EINVAL;
		s.p++;
		peek(&s);
		from = s.p;
		r = value(&s);
		if (r < 0)
			return r;
		note(members, count, key, (size_t)(key_end - key), from, (size_t)(s.p - from));
		more = peek(&s) == ',';
		if (!more && peek(&s) != '}')
			return -EINVAL;
		s.p++;
	}
	return peek(&s) == -1 ? 0 : -EINVAL;
}
