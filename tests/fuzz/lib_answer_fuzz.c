/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Any bytes as a daemon's answer to a guard (lib/json_find.h). Built and run as config_fuzz.c says. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_find.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_in(const char *json)
{
	static const char *const keys[] = {"name", "workers", "max_heap_bytes", "hibernate_threshold", "error", ""};
	char text[16], quoted[24];
	double ratio;
	__u64 n;

	for (size_t i = 0; json && i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *v = mw_find_member(json, keys[i]);

		if (v && (v < json || v > json + strlen(json)))
			abort(); /* outside of the text */
		if (mw_find_text(v, text, sizeof(text)) && strlen(text) >= sizeof(text))
			abort();
		if (mw_find_text(v, text, sizeof(text)))
			mw_json_quote(text, quoted, sizeof(quoted));
		mw_find_u64(v, &n);
		mw_find_limit(v, &n);
		if (mw_find_ratio(v, &ratio) && ratio < 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *json = malloc(size + 1);

	if (!json)
		return 0;
	memcpy(json, data, size);
	json[size] = '\0';
	look_in(json);
	look_in(mw_find_first(mw_find_member(json, "workers")));
	look_in(mw_find_first(json));
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
