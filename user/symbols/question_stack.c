/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A copied stack as a line of a question. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/question.h"
#include "util/cleanup.h"

int mw_question_add_stack(struct mw_question *q, const struct mw_stack *s)
{
	struct mw_stack *at;

	if (q->n_stacks == MW_STACKS_MAX || s->n > MW_STACK_BYTES)
		return -EINVAL;
	if (!q->stacks)
		q->stacks = calloc(MW_STACKS_MAX, sizeof(*q->stacks));
	if (!q->stacks)
		return -ENOMEM;
	at = &q->stacks[q->n_stacks];
	*at = *s;
	at->bytes = malloc(s->n + 1);
	if (!at->bytes)
		return -ENOMEM;
	if (s->n)
		memcpy(at->bytes, s->bytes, s->n);
	q->n_stacks++;
	return 0;
}

void mw_stack_write(FILE *out, const struct mw_stack *s)
{
	static const char digits[] = "0123456789abcdef";

	fprintf(out, "stack %llx %llx ", s->pc, s->from);
	for (size_t i = 0; i < MW_STACK_REGISTERS; i++)
		fprintf(out, "%s%llx", i ? "," : "", s->registers[i]);
	fputc(' ', out);
	if (!s->n)
		fputc('-', out);
	for (size_t i = 0; i < s->n;) {
		char text[2048];
		size_t n = 0;

		for (; i < s->n && n < sizeof(text); i++) {
			text[n++] = digits[s->bytes[i] >> 4];
			text[n++] = digits[s->bytes[i] & 15];
		}
		fwrite(text, 1, n, out); /* whether it could, the caller sees */
	}
	fputc('\n', out);
}

/* Digits up to, and with, the character behind. */
static bool take_hex(const char **at, char behind, __u64 *ret)
{
	char *end;

	if (!strchr("0123456789abcdef", **at) || !**at)
		return false;
	errno = 0;
	*ret = strtoull(*at, &end, 16);
	if (errno || *end != behind)
		return false;
	*at = end + 1;
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_bytes(const char *text, struct mw_stack *s)
{
	size_t n = strlen(text);

	if (!strcmp(text, "-"))
		return true;
	if (!n || n % 2 || n / 2 > MW_STACK_BYTES)
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		s->bytes[i] = (unsigned char)(high << 4 | low);
	}
	s->n = n / 2;
	return true;
}

int mw_stack_read(struct mw_question *q, const char *line)
{
	_cleanup_free_ unsigned char *bytes = malloc(MW_STACK_BYTES);
	struct mw_stack s = {.bytes = bytes};

	if (!bytes)
		return -ENOMEM;
	if (!take_hex(&line, ' ', &s.pc) || !take_hex(&line, ' ', &s.from))
		return -EBADMSG;
	for (size_t i = 0; i < MW_STACK_REGISTERS; i++) {
		if (!take_hex(&line, i + 1 < MW_STACK_REGISTERS ? ',' : ' ', &s.registers[i]))
			return -EBADMSG;
	}
	/* What would not lie in one piece of memory is none. */
	if (!take_bytes(line, &s) || s.from + s.n < s.from)
		return -EBADMSG;
	return mw_question_add_stack(q, &s);
}
