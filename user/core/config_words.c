/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/config_words.h"

#include <string.h>

#include "core/config_impl.h"

static void values(const struct mw_key *key, const char *before, FILE *out)
{
	static const char *const yes_no[] = {"yes", "no", NULL};
	const char *const *names = key->type == MW_KEY_BOOL ? yes_no : key->type == MW_KEY_CHOICE ? key->names : NULL;

	while (names && *names)
		fprintf(out, "%s%s=%s\n", before, key->name, *names++);
}

void mw_config_words(const char *section, const char *word, const char *before, FILE *out)
{
	size_t n = 0, length = strcspn(word, "=");

	for (int kind = 0; kind < MW_SECTION_MAX; kind++) {
		const struct mw_key *keys = mw_keys(kind, &n);

		if (strcmp(mw_section_kind_name(kind), section) != 0)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (!mw_key_find(kind, keys[i].name)) /* of classes only */
				continue;
			if (!word[length])
				fprintf(out, "%s%s=\t%s\n", before, keys[i].name, keys[i].doc);
			else if (strlen(keys[i].name) == length && !strncmp(keys[i].name, word, length))
				values(&keys[i], before, out);
		}
	}
}
