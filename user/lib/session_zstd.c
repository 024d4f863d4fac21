// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Sessions as zstd frames: each with a checksum of its content, without a dictionary's number, which is known. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <zstd_errors.h>

#include "lib/session_impl.h"

#define ROOM_KEPT 65536 /* of a buffer between two calls */

/* Tables for sessions of some ten KiB and a dictionary: zstd's own, for a size it does not know, take a MiB more and
 * save 0.4 % of the sessions (make bench, row sessions). */
#define HASH_LOG  14
#define CHAIN_LOG 14

size_t mw_allocated(const void *p)
{
	return p ? malloc_usable_size((void *)p) + sizeof(size_t) : 0;
}

int mw_room_make(struct mw_room *room, size_t size)
{
	void *at;

	if (size <= room->size)
		return 0;
	at = malloc(size);
	if (!at)
		return -ENOMEM;
	free(room->at);
	*room = (struct mw_room){at, size};
	return 0;
}

void mw_room_free(struct mw_room *room)
{
	free(room->at);
	*room = (struct mw_room){0};
}

static int code_of(size_t result)
{
	return ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
}

static bool set(ZSTD_CCtx *cctx, ZSTD_cParameter what, int value)
{
	return !ZSTD_isError(ZSTD_CCtx_setParameter(cctx, what, value));
}

int mw_packer_new(struct mw_packer *p, int level)
{
	*p = (struct mw_packer){.cctx = ZSTD_createCCtx(), .dctx = ZSTD_createDCtx(), .level = level};
	if (!p->cctx || !p->dctx)
		return -ENOMEM;
	if (!set(p->cctx, ZSTD_c_compressionLevel, level) || !set(p->cctx, ZSTD_c_checksumFlag, 1) ||
	    !set(p->cctx, ZSTD_c_dictIDFlag, 0) || !set(p->cctx, ZSTD_c_hashLog, HASH_LOG) ||
	    !set(p->cctx, ZSTD_c_chainLog, CHAIN_LOG))
		return -EINVAL;
	return 0;
}

static void dictionary_free(struct mw_dictionary *d)
{
	ZSTD_freeDDict(d->digested);
	free(d);
}

void mw_packer_free(struct mw_packer *p)
{
	while (p->newest) {
		struct mw_dictionary *d = p->newest;

		p->newest = d->older;
		dictionary_free(d);
	}
	ZSTD_freeCCtx(p->cctx);
	ZSTD_freeDCtx(p->dctx);
	mw_packer_rooms_free(p);
	*p = (struct mw_packer){0};
}

size_t mw_packer_bytes(const struct mw_packer *p)
{
	return ZSTD_sizeof_CCtx(p->cctx) + ZSTD_sizeof_DCtx(p->dctx) + mw_packer_rooms(p);
}

size_t mw_packer_rooms(const struct mw_packer *p)
{
	return mw_allocated(p->frame.at) + mw_allocated(p->raw.at);
}

void mw_packer_rooms_free(struct mw_packer *p)
{
	mw_room_free(&p->frame);
	mw_room_free(&p->raw);
}

size_t mw_packer_dictionary_bytes(const struct mw_packer *p)
{
	size_t bytes = 0;

	for (const struct mw_dictionary *d = p->newest; d; d = d->older)
		bytes += mw_allocated(d) + ZSTD_sizeof_DDict(d->digested);
	return bytes;
}

void mw_packer_tend(struct mw_packer *p)
{
	struct mw_dictionary **at = p->newest ? &p->newest->older : NULL;

	while (at && *at) {
		struct mw_dictionary *d = *at;

		if (d->users) {
			at = &d->older;
			continue;
		}
		*at = d->older;
		dictionary_free(d);
	}
	if (p->frame.size > ROOM_KEPT)
		mw_room_free(&p->frame);
	if (p->raw.size > ROOM_KEPT)
		mw_room_free(&p->raw);
}

int mw_pack(struct mw_packer *p, const void *data, size_t n, size_t *ret_n)
{
	size_t done;
	int r;

	r = mw_room_make(&p->frame, ZSTD_compressBound(n));
	if (r < 0)
		return r;
	done = ZSTD_compress2(p->cctx, p->frame.at, p->frame.size, data, n);
	if (ZSTD_isError(done))
		return code_of(done);
	*ret_n = done;
	return 0;
}

struct mw_session *mw_packed(struct mw_packer *p, const char *id, size_t id_n, uint32_t hash, size_t raw_n,
			     size_t frame_n)
{
	struct mw_session *s = malloc(sizeof(*s) + id_n + 1 + frame_n);

	if (!s)
		return NULL;
	*s = (struct mw_session){.dictionary = p->newest,
				 .hash = hash,
				 .raw_n = (uint32_t)raw_n,
				 .frame_n = (uint32_t)frame_n,
				 .id_n = (uint8_t)id_n};
	memcpy(s->bytes, id, id_n);
	s->bytes[id_n] = '\0';
	memcpy(mw_session_frame(s), p->frame.at, frame_n);
	if (s->dictionary)
		s->dictionary->users++;
	return s;
}

void mw_packed_free(struct mw_session *s)
{
	if (s->dictionary)
		s->dictionary->users--;
	free(s);
}

int mw_unpack(struct mw_packer *p, struct mw_session *s, void *buf)
{
	const char *frame = mw_session_frame(s);
	size_t n;

	if (s->dictionary)
		n = ZSTD_decompress_usingDDict(p->dctx, buf, s->raw_n, frame, s->frame_n, s->dictionary->digested);
	else
		n = ZSTD_decompressDCtx(p->dctx, buf, s->raw_n, frame, s->frame_n);
	if (ZSTD_isError(n))
		return code_of(n);
	return n == s->raw_n ? 0 : -EBADMSG;
}

int mw_unpack_here(struct mw_packer *p, struct mw_session *s)
{
	int r = mw_room_make(&p->raw, s->raw_n ? s->raw_n : 1);

	return r < 0 ? r : mw_unpack(p, s, p->raw.at);
}

int mw_packer_adopt(struct mw_packer *p, const void *dictionary, size_t n)
{
	struct mw_dictionary *d = malloc(sizeof(*d));

	if (!d)
		return -ENOMEM;
	*d = (struct mw_dictionary){.older = p->newest, .digested = ZSTD_createDDict(dictionary, n)};
	if (!d->digested) {
		free(d);
		return -ENOMEM;
	}
	p->newest = d;
	/* Where this fails frames stand alone, which d reads as well. */
	if (ZSTD_isError(ZSTD_CCtx_loadDictionary(p->cctx, dictionary, n)))
		ZSTD_CCtx_loadDictionary(p->cctx, NULL, 0);
	return 0;
}

void mw_packer_abandon(struct mw_packer *p)
{
	struct mw_dictionary *d = p->newest;

	p->newest = d->older;
	dictionary_free(d);
	ZSTD_CCtx_loadDictionary(p->cctx, NULL, 0);
}
