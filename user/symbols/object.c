/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/object.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <string.h>

#include "symbols/fetch.h"
#include "util/cleanup.h"

#define CRC_BYTES (256U << 20) /* of a file without a build id: to sum it up all of it is read */

int mw_known_open(struct mw_known *k, struct mw_object *object, const struct mw_module *module)
{
	int r = object->why;

	if (object->bytes)
		r = mw_image_take(TAKE_PTR(object->bytes), object->size, &k->image);
	else if (object->fd >= 0)
		r = mw_image_map(object->fd, &k->image);
	mw_close(&object->fd);
	if (!r && *module->build_id && strcmp(module->build_id, k->image.build_id) != 0) {
		mw_image_free(&k->image);
		r = -ESTALE;
	}
	return r;
}

/* The first candidate that fits. */
static bool fetch(int sock, struct mw_want *w, bool (*fits)(const struct mw_image *i, const void *arg), const void *arg,
		  struct mw_image *ret)
{
	for (w->candidate = 0;; w->candidate++) {
		_cleanup_close_ int fd = mw_fetch(sock, w);
		struct mw_image i;

		if (fd == -ERANGE || fd == -EINVAL || fd == -EPIPE)
			return false;
		if (fd < 0 || mw_image_map(fd, &i))
			continue;
		if (fits(&i, arg)) {
			*ret = i;
			return true;
		}
		mw_image_free(&i);
	}
}

static bool has_build_id(const struct mw_image *i, const void *arg)
{
	return !strcmp(i->build_id, arg);
}

static bool fetch_build_id(int sock, const char *build_id, struct mw_image *ret)
{
	struct mw_want w = {.kind = MW_WANTED_BUILD_ID};

	if (!*build_id)
		return false;
	strcpy(w.name, build_id);
	return fetch(sock, &w, has_build_id, build_id, ret);
}

struct link {
	const char *build_id;
	__u32 crc;
};

static bool is_linked(const struct mw_image *i, const void *arg)
{
	const struct link *l = arg;

	if (*i->build_id && *l->build_id)
		return !strcmp(i->build_id, l->build_id);
	return i->size <= CRC_BYTES && mw_image_crc(i) == l->crc;
}

static bool fetch_link(int sock, const struct mw_image *of, size_t module, struct mw_image *ret)
{
	struct link l = {.build_id = of->build_id};
	struct mw_want w = {.kind = MW_WANTED_LINK, .module = (__u32)module};
	GElf_Word crc;
	const char *name = of->elf ? dwelf_elf_gnu_debuglink(of->elf, &crc) : NULL;

	if (!name || !*name || strlen(name) >= sizeof(w.name))
		return false;
	strcpy(w.name, name);
	l.crc = crc;
	return fetch(sock, &w, is_linked, &l, ret);
}

/* What several debug files share is in one of its own: names of functions, too. */
static void load_shared(struct mw_known *k, int sock, __u64 deadline_ns)
{
	char id[MW_BUILD_ID];

	if (!mw_debug_shared(k->debug, id) || !fetch_build_id(sock, id, &k->shared_image))
		return;
	if (!mw_debug_open(&k->shared_image, deadline_ns, &k->shared))
		mw_debug_share(k->debug, k->shared);
}

int mw_known_fetch(struct mw_known *k, const struct mw_opened *o, size_t module, int sock)
{
	const char *id = *k->image.build_id ? k->image.build_id : o->modules->at[module].build_id;

	if (fetch_build_id(sock, id, &k->debug_image) || fetch_link(sock, &k->image, module, &k->debug_image))
		return 0;
	return -ENOENT;
}

int mw_known_load(struct mw_known *k, const struct mw_opened *o, size_t module, int sock, __u64 deadline_ns)
{
	const struct mw_image *dwarf = &k->image;
	int r;

	k->loaded = true;
	if (!mw_image_has_dwarf(&k->image) && mw_known_fetch(k, o, module, sock) == 0)
		dwarf = &k->debug_image;
	if (dwarf->elf && mw_debug_open(dwarf, deadline_ns, &k->debug) == 0)
		load_shared(k, sock, deadline_ns);
	r = mw_symtab_add(&k->symtab, &k->image);
	r = r ? r : mw_symtab_add(&k->symtab, &k->debug_image);
	if (!r && k->image.elf && !k->debug_image.elf && !mw_image_unpack(&k->image, &k->unpacked))
		r = mw_symtab_add(&k->symtab, &k->unpacked);
	mw_symtab_sort(&k->symtab);
	return r;
}

void mw_known_free(struct mw_known *k)
{
	mw_debug_free(k->debug);
	mw_debug_free(k->shared);
	mw_symtab_free(&k->symtab);
	mw_image_free(&k->unpacked);
	mw_image_free(&k->shared_image);
	mw_image_free(&k->debug_image);
	mw_image_free(&k->image);
	*k = (struct mw_known){0};
}
