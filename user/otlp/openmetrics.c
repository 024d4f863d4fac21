/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/openmetrics.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static const struct {
	const char *word;
	enum mw_om_kind kind;
} words[] = {{"TYPE", MW_OM_TYPE}, {"UNIT", MW_OM_UNIT}, {"HELP", MW_OM_HELP}};

/* Letters, digits, _ and :, from *at on, which is then behind them. NULL: none. */
static char *take_name(char **at)
{
	char *from = *at;

	while (isalnum((unsigned char)**at) || **at == '_' || **at == ':')
		++*at;
	return *at == from || isdigit((unsigned char)*from) ? NULL : from;
}

/* \\, \" and \n, in place, up to end: NUL, or an unescaped quote. Where that was; NULL: there is none. */
static char *unescape(char *text, char end)
{
	char *to = text;

	for (; *text && *text != end; text++) {
		if (*text == '\\' && text[1]) {
			text++;
			*to++ = *text == 'n' ? '\n' : *text;
		} else {
			*to++ = *text;
		}
	}
	if (*text != end)
		return NULL;
	*to = '\0';
	return text;
}

static int parse_comment(char *line, struct mw_om_line *l)
{
	char *at = line + 2, *word = at, *name;

	if (strcmp(line, "# EOF") == 0) {
		l->kind = MW_OM_EOF;
		return 0;
	}
	if (line[1] != ' ')
		return 0;
	at += strcspn(at, " ");
	if (!*at)
		return 0;
	*at++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i].word) != 0)
			continue;
		name = take_name(&at);
		if (!name || (*at && *at != ' '))
			return -EINVAL;
		if (*at)
			*at++ = '\0';
		unescape(at, '\0');
		l->kind = words[i].kind;
		l->name = name;
		l->text = at;
	}
	return 0;
}

/* {key="value",...} from *at on. */
static int parse_labels(char **at, struct mw_om_line *l)
{
	char *key, *value, *end;

	while (**at && **at != '}') {
		key = take_name(at);
		if (!key || (*at)[0] != '=' || (*at)[1] != '"' || l->n_labels == MW_OM_LABELS_MAX)
			return -EINVAL;
		**at = '\0';
		value = *at + 2;
		end = unescape(value, '"');
		if (!end)
			return -EINVAL;
		l->labels[l->n_labels].key = key;
		l->labels[l->n_labels++].value = value;
		*at = end + 1;
		if (**at == ',')
			++*at;
		else if (**at != '}')
			return -EINVAL;
	}
	if (**at != '}')
		return -EINVAL;
	++*at;
	return 0;
}

static int parse_value(char *text, struct mw_om_line *l)
{
	char *end;

	if (!*text || isspace((unsigned char)*text))
		return -EINVAL;
	l->value = strtod(text, &end);
	if (end == text || (*end && *end != ' '))
		return -EINVAL;
	errno = 0;
	l->number = strtoll(text, &text, 10);
	l->whole = text == end && !errno;
	if (*end != ' ' || end[1] == '#' || !end[1])
		return 0;
	l->time_s = strtod(end + 1, &text);
	return text == end + 1 || (*text && *text != ' ') || !(l->time_s > 0 && l->time_s < 1e11) ? -EINVAL : 0;
}

int mw_om_parse(char *line, struct mw_om_line *ret_line)
{
	struct mw_om_line l = {0};
	char *at = line, *name, *rest;
	int r = 0;

	if (*line == '#') {
		r = parse_comment(line, &l);
	} else if (*line) {
		name = take_name(&at);
		if (!name)
			return -EINVAL;
		rest = at;
		if (*rest == '{') {
			at++;
			r = parse_labels(&at, &l);
		}
		if (r < 0 || *at != ' ')
			return -EINVAL;
		r = parse_value(at + 1, &l);
		*rest = '\0';
		l.kind = MW_OM_SAMPLE;
		l.name = name;
	}
	if (r < 0)
		return r;
	*ret_line = l;
	return 0;
}

const char *mw_om_label(const struct mw_om_line *l, const char *key)
{
	for (size_t i = 0; i < l->n_labels; i++)
		if (strcmp(l->labels[i].key, key) == 0)
			return l->labels[i].value;
	return NULL;
}
