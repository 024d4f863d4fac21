/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/demangle.h"
#include "symbols/jit.h"
#include "symbols/object.h"
#include "util/cleanup.h"
#include "util/clock.h"

struct resolver {
	const struct mw_question *q;
	struct mw_opened *o;
	struct mw_known *known; /* of each object */
	struct mw_jit_code *code; /* of each address; name NULL: it is none that was written at run time */
	int sock;
	__u64 deadline_ns;
	struct mw_symbols *symbols;
};

/* Of an address: where it is mapped. */
struct spot {
	__u64 address; /* within the call, not behind it */
	const struct mw_module *module; /* NULL: nothing is there */
	int object; /* -1: no file */
};

static struct spot spot_of(const struct resolver *r, size_t i)
{
	const struct mw_address *a = &r->q->addresses[i];
	struct spot s = {.address = a->pc - a->is_return, .object = -1};

	s.module = mw_modules_find(r->o->modules, s.address);
	if (s.module)
		s.object = r->o->object_of[s.module - r->o->modules->at];
	return s;
}

static void tell(struct mw_symbols *s, const char *path, int why)
{
	if (!s->unread++)
		snprintf(s->problem, sizeof(s->problem), "%.180s: %s", path,
			 why == -ESTALE	   ? "it is another file now"
			 : why == -ENOEXEC ? "not an ELF file"
					   : strerror(-why));
}

static void load(struct resolver *r, const struct spot *s)
{
	struct mw_known *k = &r->known[s->object];
	int why;

	if (k->loaded || mw_now_ns() >= r->deadline_ns)
		return;
	why = mw_known_open(k, &r->o->objects[s->object], s->module);
	if (why)
		tell(r->symbols, s->module->path, why);
	why = mw_known_load(k, r->o, (size_t)(s->module - r->o->modules->at), r->sock, r->deadline_ns);
	if (!why)
		return;
	/* More than there is memory for: then nothing of it, and the others as they are. */
	mw_known_free(k);
	k->loaded = true;
	tell(r->symbols, s->module->path, why);
}

static int compare(const void *a, const void *b)
{
	const struct spot *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* What lies in no file, or in one that is not of code: perhaps its program has listed it. */
static int look_up_code(struct resolver *r, const char *text, size_t n)
{
	_cleanup_free_ struct spot *spots = calloc(r->q->n + 1, sizeof(*spots));
	_cleanup_free_ __u64 *addresses = calloc(r->q->n + 1, sizeof(*addresses));
	_cleanup_free_ struct mw_jit_code *found = calloc(r->q->n + 1, sizeof(*found));
	size_t wanted = 0;

	if (!spots || !addresses || !found)
		return -ENOMEM;
	for (size_t i = 0; i < r->q->n; i++) {
		struct spot s = spot_of(r, i);

		if (s.object >= 0 && (r->known[s.object].image.elf || !r->known[s.object].loaded))
			continue;
		s.object = (int)i; /* from here on: whose it is */
		spots[wanted++] = s;
	}
	qsort(spots, wanted, sizeof(*spots), compare);
	for (size_t i = 0; i < wanted; i++)
		addresses[i] = spots[i].address;
	mw_jit_find(text, n, addresses, wanted, found);
	for (size_t i = 0; i < wanted; i++)
		r->code[spots[i].object] = found[i];
	return 0;
}

static int read_code(struct resolver *r)
{
	off_t size = r->o->jit_fd < 0 ? 0 : lseek(r->o->jit_fd, 0, SEEK_END);
	char *text;

	if (*r->o->jit_problem && !r->symbols->unread++)
		snprintf(r->symbols->problem, sizeof(r->symbols->problem), "%s", r->o->jit_problem);
	if (size < 1 || size > MW_JIT_BYTES)
		return 0;
	text = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, r->o->jit_fd, 0);
	if (text == MAP_FAILED)
		return 0;
	/* It stays mapped: names point into it. */
	return look_up_code(r, text, (size_t)size);
}

static int add_code(struct resolver *r, const struct spot *s, const struct mw_jit_code *code, __u64 pc)
{
	struct mw_jit_name name;
	struct mw_frame f = {.module = s->module && *s->module->path ? s->module->path : "[jit]", .offset = pc};

	mw_jit_split(code->name, code->name_n, &name);
	f.function = name.function;
	f.file = name.file;
	f.line = name.line;
	f.column = name.column;
	return mw_symbols_frame(r->symbols, &f);
}

/* The file's own number for an address. */
static bool own_address(const struct mw_known *k, const struct spot *s, __u64 *ret)
{
	__u64 into = s->address - s->module->start;

	if (k->image.elf)
		return mw_image_address(&k->image, s->module->offset + into, ret);
	*ret = s->module->address + into;
	return s->module->has_address;
}

static size_t frames_of(struct mw_known *k, const struct spot *s, struct mw_frame *frames, char *name, size_t size)
{
	const char *symbol;
	bool plain = true;
	__u64 address;
	size_t n;

	frames[0] = (struct mw_frame){0};
	if (!own_address(k, s, &address))
		return 1;
	n = k->debug ? mw_debug_find(k->debug, address, frames, MW_FRAMES_MAX, &plain) : 0;
	if (!n)
		frames[0] = (struct mw_frame){0};
	n = n ? n : 1;
	symbol = plain ? mw_symtab_find(&k->symtab, address) : NULL;
	/* Without debug information of its unit, or with a name that says less. */
	if (symbol && (mw_demangle(symbol, name, size) || !frames[n - 1].function || !*frames[n - 1].function))
		frames[n - 1].function = name;
	return n;
}

static int add_known(struct resolver *r, const struct spot *s, __u64 pc)
{
	struct mw_known *k = &r->known[s->object];
	const char *id = *k->image.build_id ? k->image.build_id : s->module->build_id;
	struct mw_frame frames[MW_FRAMES_MAX] = {0};
	char name[MW_FUNCTION_TEXT];
	size_t n = 1;
	int bad = 0;

	if (k->loaded)
		n = frames_of(k, s, frames, name, sizeof(name));
	if (!k->loaded || (k->debug && mw_debug_spent(k->debug)))
		r->symbols->unfinished++;
	for (size_t i = 0; !bad && i < n; i++) {
		frames[i].module = s->module->path;
		frames[i].build_id = id;
		frames[i].offset = pc - s->module->start + s->module->offset;
		bad = mw_symbols_frame(r->symbols, &frames[i]);
	}
	return bad;
}

static int add_place(struct resolver *r, size_t i)
{
	struct spot s = spot_of(r, i);
	struct mw_frame f = {.offset = r->q->addresses[i].pc};
	int bad = mw_symbols_place(r->symbols);

	if (bad)
		return bad;
	if (r->code[i].name)
		return add_code(r, &s, &r->code[i], f.offset);
	if (s.object >= 0)
		return add_known(r, &s, f.offset);
	if (s.module) {
		f.module = s.module->path;
		f.build_id = s.module->build_id;
		if (s.module->inode)
			f.offset += s.module->offset - s.module->start;
	}
	return mw_symbols_frame(r->symbols, &f);
}

int mw_resolve(const struct mw_question *q, struct mw_opened *o, int sock, __u64 deadline_ns,
	       struct mw_symbols *ret_symbols)
{
	struct resolver r = {.q = q, .o = o, .sock = sock, .deadline_ns = deadline_ns, .symbols = ret_symbols};
	int bad = 0;

	*ret_symbols = (struct mw_symbols){0};
	r.known = calloc(o->n_objects + 1, sizeof(*r.known));
	r.code = calloc(q->n + 1, sizeof(*r.code));
	if (!r.known || !r.code)
		bad = -ENOMEM;
	for (size_t i = 0; !bad && i < q->n; i++) {
		struct spot s = spot_of(&r, i);

		if (s.object >= 0)
			load(&r, &s);
	}
	bad = bad ? bad : read_code(&r);
	for (size_t i = 0; !bad && i < q->n; i++)
		bad = add_place(&r, i);
	for (size_t i = 0; r.known && i < o->n_objects; i++)
		mw_known_free(&r.known[i]);
	free(r.known);
	free(r.code);
	return bad;
}

void mw_resolve_modules(struct mw_opened *o)
{
	for (size_t object = 0; object < o->n_objects; object++) {
		struct mw_known k = {0};

		for (size_t i = 0; i < o->own.n; i++) {
			struct mw_module *m = &o->own.at[i];

			if (o->object_of[i] != (int)object)
				continue;
			if (!k.image.elf && mw_known_open(&k, &o->objects[object], m))
				break;
			strcpy(m->build_id, k.image.build_id);
			m->has_address = mw_image_address(&k.image, m->offset, &m->address);
		}
		mw_known_free(&k);
	}
}
