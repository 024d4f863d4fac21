/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Any bytes as a daemon's answer to a guard (lib/answer.h). Built and run as config_fuzz.c says. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const pointers[] = {
		"", "/name", "/workers/0", "/workers/0/max_heap_bytes", "/hibernate_threshold", "/error"};
	char *json = malloc(size + 1), text[16], quoted[24];
	double ratio;
	__u64 n;

	if (!json)
		return 0;
	memcpy(json, data, size);
	json[size] = '\0';
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		if (mw_answer_text(json, pointers[i], text, sizeof(text))) {
			if (strlen(text) >= sizeof(text))
				abort();
			mw_answer_quote(text, quoted, sizeof(quoted));
		}
		mw_answer_u64(json, pointers[i], &n);
		mw_answer_limit(json, pointers[i], &n);
		if (mw_answer_ratio(json, pointers[i], &ratio) && !(ratio >= 0 && ratio <= 1))
			abort();
	}
	free(json);
	return 0;
}

#ifdef MW_FUZZ_MAIN
#include "mutate.h"

static const char *const seeds[] = {
	"{\"schema\":1,\"workers\":[{\"name\":\"web\",\"container\":{\"name\":\"x\"},\"max_heap_bytes\":5,"
	"\"hibernate_threshold\":0.85}]}",
	"{\"error\":\"class \\\"tool\\\" is\\u0020not \\\\ yours\"}",
	"[ {\"name\" : null, \"max_heap_bytes\" : [1,[2,{\"a\":[]}]] } , true ]",
};

static const char *const words[] = {
	"\"", "\\", "{", "}", "[", "]", ":", ",", "\"name\":", "null", "99999999999999999999", "0.5"};

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}

#endif
