// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/answer.h"

#include <memweir/json.h>
#include <string.h>

#include "memweir/abi.h"

#define TEXT_MAX 4096

static const char *value_at(const char *json, const char *pointer, size_t *ret_n)
{
	const char *value;

	return json && memweir_json_get(json, strlen(json), pointer, &value, ret_n) == 0 ? value : NULL;
}

static bool is(const char *json, const char *pointer, const char *word)
{
	size_t n;
	const char *v = value_at(json, pointer, &n);

	return v && n == strlen(word) && memcmp(v, word, n) == 0;
}

bool mw_answer_has(const char *json, const char *pointer)
{
	size_t n;

	return value_at(json, pointer, &n) != NULL;
}

bool mw_answer_text(const char *json, const char *pointer, char *ret, size_t size)
{
	char text[TEXT_MAX];
	size_t n, length;
	const char *v = value_at(json, pointer, &n);

	if (!v || memweir_json_string(v, n, text, sizeof(text), &length) < 0 || length >= size ||
	    strlen(text) != length)
		return false;
	memcpy(ret, text, length + 1);
	return true;
}

bool mw_answer_u64(const char *json, const char *pointer, __u64 *ret)
{
	uint64_t number;
	size_t n;
	const char *v = value_at(json, pointer, &n);

	if (!v || memweir_json_uint64(v, n, &number) < 0)
		return false;
	*ret = number;
	return true;
}

bool mw_answer_limit(const char *json, const char *pointer, __u64 *ret)
{
	if (!is(json, pointer, "null"))
		return mw_answer_u64(json, pointer, ret);
	*ret = MW_UNLIMITED;
	return true;
}

bool mw_answer_ratio(const char *json, const char *pointer, double *ret)
{
	double number;
	size_t n;
	const char *v = value_at(json, pointer, &n);

	if (!v || memweir_json_double(v, n, &number) < 0 || !(number >= 0 && number <= 1))
		return false;
	*ret = number;
	return true;
}

bool mw_answer_true(const char *json, const char *pointer)
{
	return is(json, pointer, "true");
}

const char *mw_answer_quote(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	buf[n++] = '"';
	for (; *text && n + 2 < size; text++) {
		unsigned char c = (unsigned char)*text;

		buf[n++] = c < ' ' || c >= 0x7f || c == '"' || c == '\\' ? '_' : *text;
	}
	buf[n++] = '"';
	buf[n] = '\0';
	return buf;
}
