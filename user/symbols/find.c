/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/find.h"

#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>

#include "symbols/object.h"
#include "util/cleanup.h"

#define GLOBAL	  3U /* in a symbol's rank: global or weak, so that others may call it */
#define NOTE_USDT 3 /* type of a note in .note.stapsdt */

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

/* What allocators call their functions where they do not take libc's own names. */
static const char *const prefixes[] = {"", "je_", "_rjem_", "mi_"};

static bool is_ours(const struct mw_image *i)
{
	GElf_Ehdr head;

	return i->elf && gelf_getehdr(i->elf, &head) && head.e_ident[EI_CLASS] == ELFCLASS64 &&
	       head.e_machine == MACHINE;
}

/* The mapping of a file that has this byte of it. */
static const struct mw_module *mapping_of(const struct mw_opened *o, int object, __u64 offset)
{
	for (size_t i = 0; i < o->own.n; i++) {
		const struct mw_module *m = &o->own.at[i];

		if (o->object_of[i] == object && offset >= m->offset && offset - m->offset < m->end - m->start)
			return m;
	}
	return NULL;
}

static bool is_known(const struct mw_allocators *a, const struct mw_allocator_place *p)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->at[i].start == p->start && a->at[i].offset == p->offset)
			return true; /* one function has several names: aligned_alloc is memalign */
	}
	return false;
}

static void add(struct mw_allocators *a, const struct mw_opened *o, int object, const struct mw_image *image,
		struct mw_allocator_place *p)
{
	const struct mw_module *m = mapping_of(o, object, p->offset);
	size_t n = p->offset < image->size ? image->size - p->offset : 0;

	if (!m)
		return;
	p->start = m->start;
	p->end = m->end;
	snprintf(p->path, sizeof(p->path), "%s", m->path);
	memcpy(p->code, image->bytes + (n ? p->offset : 0), n < sizeof(p->code) ? n : sizeof(p->code));
	if (is_known(a, p))
		return;
	if (a->n == MW_ALLOCATOR_PLACES)
		a->left_out++;
	else
		a->at[a->n++] = *p;
}

static bool is_function_of(const struct mw_symbol *s, const char *prefix, enum mw_allocator_fn fn)
{
	size_t n = strlen(prefix);

	return strncmp(s->name, prefix, n) == 0 && strcmp(s->name + n, mw_allocator_name(fn)) == 0;
}

/*
 * One that allocates and frees, or it is no allocator. One of both is for others to call: the linker makes the other
 * one local where it ties a whole program together.
 */
static bool has_both(const struct mw_symtab *t, const char *prefix)
{
	bool allocates = false, frees = false, is_public = false;

	for (size_t i = 0; i < t->n; i++) {
		bool one = is_function_of(&t->at[i], prefix, MW_FN_MALLOC),
		     other = is_function_of(&t->at[i], prefix, MW_FN_FREE);

		allocates = allocates || one;
		frees = frees || other;
		is_public = is_public || ((one || other) && t->at[i].rank & GLOBAL);
	}
	return allocates && frees && is_public;
}

static void add_functions(struct mw_allocators *a, const struct mw_opened *o, int object, const struct mw_image *image,
			  const struct mw_symtab *t)
{
	const char *prefix = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes) && !prefix; i++)
		prefix = has_both(t, prefixes[i]) ? prefixes[i] : NULL;
	for (enum mw_allocator_fn fn = 0; prefix && fn < MW_FN_OTEL_ALLOC; fn++) {
		for (size_t i = 0; i < t->n; i++) {
			struct mw_allocator_place p = {.fn = fn};

			if (is_function_of(&t->at[i], prefix, fn) &&
			    mw_image_offset(image, t->at[i].address, &p.offset))
				add(a, o, object, image, &p);
		}
	}
}

/* A text that ends within what is left; moves behind it. NULL: it does not. */
static const char *take_text(const char **at, const char *end)
{
	const char *text = *at, *nul = memchr(text, '\0', (size_t)(end - text));

	if (!nul)
		return NULL;
	*at = nul + 1;
	return text;
}

bool mw_usdt_read(const char *desc, size_t n, struct mw_usdt *ret)
{
	const char *at = desc + 24, *end = desc + n, *provider, *name;

	if (n < 24)
		return false;
	memcpy(&ret->address, desc, 8);
	memcpy(&ret->base, desc + 8, 8);
	memcpy(&ret->semaphore, desc + 16, 8);
	provider = take_text(&at, end);
	name = provider ? take_text(&at, end) : NULL;
	ret->arguments = name ? take_text(&at, end) : NULL;
	if (!ret->arguments || strcmp(provider, "otel_memory") != 0)
		return false;
	ret->fn = strcmp(name, "alloc") == 0  ? MW_FN_OTEL_ALLOC
		  : strcmp(name, "free") == 0 ? MW_FN_OTEL_FREE
					      : MW_FN_MAX;
	return ret->fn != MW_FN_MAX;
}

static void add_usdt(struct mw_allocators *a, const struct mw_opened *o, int object, const struct mw_image *image,
		     const struct mw_usdt *u)
{
	struct mw_allocator_place p = {.fn = u->fn};
	__u64 base, moved = 0;

	/* The section stands there to say how far the linker's work was moved afterwards. */
	if (u->base && mw_image_section_address(image, ".stapsdt.base", &base))
		moved = base - u->base;
	if (strlen(u->arguments) >= sizeof(p.arguments) || !mw_image_offset(image, u->address + moved, &p.offset))
		return;
	if (u->semaphore && !mw_image_offset(image, u->semaphore + moved, &p.semaphore))
		return;
	strcpy(p.arguments, u->arguments);
	add(a, o, object, image, &p);
}

static size_t padded(__u32 n)
{
	return ((size_t)n + 3) & ~(size_t)3;
}

static void add_notes(struct mw_allocators *a, const struct mw_opened *o, int object, const struct mw_image *image)
{
	size_t n = 0;
	const char *at = mw_image_section(image, ".note.stapsdt", &n), *end = at + n;

	while (at && (size_t)(end - at) >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr head;
		struct mw_usdt u;
		size_t left;

		memcpy(&head, at, sizeof(head));
		at += sizeof(head);
		left = (size_t)(end - at);
		if (head.n_namesz > left || padded(head.n_namesz) > left ||
		    head.n_descsz > left - padded(head.n_namesz))
			return;
		if (head.n_type == NOTE_USDT && head.n_namesz == sizeof("stapsdt") &&
		    memcmp(at, "stapsdt", sizeof("stapsdt")) == 0 &&
		    mw_usdt_read(at + padded(head.n_namesz), head.n_descsz, &u))
			add_usdt(a, o, object, image, &u);
		left -= padded(head.n_namesz);
		at += padded(head.n_namesz) + (padded(head.n_descsz) < left ? padded(head.n_descsz) : left);
	}
}

static int look_into(struct mw_opened *o, int object, const struct mw_module *m, struct mw_allocators *a)
{
	struct mw_known k = {0};
	int r = mw_known_open(&k, &o->objects[object], m) || !is_ours(&k.image) ? 0
										: mw_symtab_add(&k.symtab, &k.image);

	if (!r && is_ours(&k.image)) {
		/* What was stripped may still be there, packed. */
		if (!has_both(&k.symtab, "") && !mw_image_unpack(&k.image, &k.unpacked))
			r = mw_symtab_add(&k.symtab, &k.unpacked);
		if (!r)
			add_functions(a, o, object, &k.image, &k.symtab);
		add_notes(a, o, object, &k.image);
	}
	mw_known_free(&k);
	return r;
}

int mw_find_allocators(struct mw_opened *o, struct mw_allocators *ret_allocators)
{
	int r = 0;

	for (size_t object = 0; !r && object < o->n_objects; object++) {
		const struct mw_module *m = NULL;

		for (size_t i = 0; i < o->own.n && !m; i++)
			m = o->object_of[i] == (int)object && o->own.at[i].inode ? &o->own.at[i] : NULL;
		if (m)
			r = look_into(o, (int)object, m, ret_allocators);
	}
	return r;
}
