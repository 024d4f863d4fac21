/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/modules.h"
#include "util/cleanup.h"
#include "util/utf8.h"

#define BLOCK_BYTES 65536
#define RECENT	    1024

/* Texts one behind the other; modules and files come again and again, and most are found among the recent ones. */
struct mw_text_block {
	struct mw_text_block *next;
	size_t used;
	const char *recent[RECENT]; /* of the first block only */
	char bytes[BLOCK_BYTES];
};

void mw_symbols_free(struct mw_symbols *s)
{
	while (s->texts) {
		struct mw_text_block *next = s->texts->next;

		free(s->texts);
		s->texts = next;
	}
	free(s->places);
	free(s->frames);
	*s = (struct mw_symbols){0};
}

static size_t hash(const char *text)
{
	size_t h = 5381;

	while (*text)
		h = h * 33 ^ (unsigned char)*text++;
	return h;
}

static const char *keep(struct mw_symbols *s, const char *text)
{
	size_t n = strlen(text) + 1, slot = hash(text) % RECENT;
	struct mw_text_block *b = s->texts;

	if (!*text)
		return "";
	if (b && b->recent[slot] && !strcmp(b->recent[slot], text))
		return b->recent[slot];
	if (!b || BLOCK_BYTES - b->used < n) {
		b = calloc(1, sizeof(*b));
		if (!b)
			return NULL;
		if (s->texts)
			memcpy(b->recent, s->texts->recent, sizeof(b->recent));
		b->next = s->texts;
		s->texts = b;
	}
	b->recent[slot] = memcpy(b->bytes + b->used, text, n);
	b->used += n;
	return b->recent[slot];
}

/* As keep, from anybody. */
static const char *keep_plain(struct mw_symbols *s, const char *text, size_t size)
{
	char plain[MW_FILE_TEXT];

	mw_utf8_take(plain, size, text ? text : "", text ? strlen(text) : 0);
	return keep(s, plain);
}

int mw_symbols_place(struct mw_symbols *s)
{
	if (!(s->n & (s->n - 1))) {
		struct mw_place *more = reallocarray(s->places, s->n ? 2 * s->n : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->places = more;
	}
	s->places[s->n++] = (struct mw_place){.first = s->n_frames};
	return 0;
}

int mw_symbols_frame(struct mw_symbols *s, const struct mw_frame *f)
{
	struct mw_place *place = &s->places[s->n - 1];
	struct mw_frame copy = *f;
	size_t bytes;

	if (place->n == MW_FRAMES_MAX || place->bytes == MW_PLACE_TEXT)
		return 0;
	if (!(s->n_frames & (s->n_frames - 1))) {
		struct mw_frame *more = reallocarray(s->frames, s->n_frames ? 2 * s->n_frames : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->frames = more;
	}
	copy.function = keep_plain(s, f->function, MW_FUNCTION_TEXT);
	copy.file = keep_plain(s, f->file, MW_FILE_TEXT);
	copy.module = keep_plain(s, f->module, MW_FILE_TEXT);
	copy.build_id = keep_plain(s, f->build_id, MW_BUILD_ID);
	if (!copy.function || !copy.file || !copy.module || !copy.build_id)
		return -ENOMEM;
	bytes = strlen(copy.function) + strlen(copy.file) + strlen(copy.module) + strlen(copy.build_id);
	if (place->bytes + bytes > MW_PLACE_TEXT) {
		place->bytes = MW_PLACE_TEXT; /* nor what comes behind it */
		return 0;
	}
	s->frames[s->n_frames++] = copy;
	place->bytes += bytes;
	place->n++;
	return 0;
}
