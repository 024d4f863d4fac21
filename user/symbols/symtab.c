/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/symtab.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define LOOK_BACK 64 /* symbols that may begin inside of one that covers them */
#define SIZED	  8U /* in a rank */
#define UNSIZED	  4096 /* bytes after one without a size, of hand-written code, that are taken for it */

/* Where the sections that hold code end, by index; 0: it holds none. */
static __u64 *code_sections(const struct mw_image *i, size_t *ret_n)
{
	__u64 *ends;
	size_t n;

	if (elf_getshdrnum(i->elf, &n))
		return NULL;
	ends = calloc(n + 1, sizeof(*ends));
	for (size_t at = 0; ends && at < n; at++) {
		GElf_Shdr head;
		Elf_Scn *s = elf_getscn(i->elf, at);

		if (s && gelf_getshdr(s, &head) && head.sh_flags & SHF_EXECINSTR)
			ends[at] = head.sh_addr + head.sh_size;
	}
	*ret_n = n;
	return ends;
}

static bool is_function(const GElf_Sym *s, const __u64 *ends, size_t n_sections)
{
	switch (GELF_ST_TYPE(s->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return s->st_shndx != SHN_UNDEF;
	case STT_NOTYPE:
		return s->st_shndx != SHN_UNDEF && s->st_shndx < n_sections && ends[s->st_shndx];
	default:
		return false;
	}
}

/* Without a size it ends with its section, or at the next symbol. */
static __u64 reach_of(const GElf_Sym *s, const __u64 *ends, size_t n_sections)
{
	__u64 end = s->st_shndx < n_sections ? ends[s->st_shndx] : 0;

	if (s->st_size)
		return s->st_size;
	if (end <= s->st_value)
		return 0;
	return end - s->st_value < UNSIZED ? end - s->st_value : UNSIZED;
}

static __u32 rank_of(const GElf_Sym *s)
{
	__u32 bind = GELF_ST_BIND(s->st_info) == STB_GLOBAL ? 2 : GELF_ST_BIND(s->st_info) == STB_WEAK ? 1 : 0;

	return bind + (GELF_ST_TYPE(s->st_info) == STT_NOTYPE ? 0 : 4) + (s->st_size ? SIZED : 0);
}

static int add_table(struct mw_symtab *t, const struct mw_image *i, Elf_Scn *section, const GElf_Shdr *head,
		     const __u64 *ends, size_t n_sections)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = data && head->sh_entsize ? data->d_size / head->sh_entsize : 0;
	struct mw_symbol *more;

	n = n < MW_SYMTAB_MAX - t->n ? n : MW_SYMTAB_MAX - t->n;
	if (!n)
		return 0;
	more = reallocarray(t->at, t->n + n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->at = more;
	for (size_t at = 0; at < n; at++) {
		GElf_Sym s;
		const char *name;

		if (!gelf_getsym(data, (int)at, &s) || !is_function(&s, ends, n_sections))
			continue;
		name = elf_strptr(i->elf, head->sh_link, s.st_name);
		if (name && *name && *name != '$') /* "$x": marks of assemblers */
			t->at[t->n++] =
				(struct mw_symbol){s.st_value, reach_of(&s, ends, n_sections), name, rank_of(&s)};
	}
	return 0;
}

int mw_symtab_add(struct mw_symtab *t, const struct mw_image *i)
{
	size_t n_sections = 0;
	_cleanup_free_ __u64 *ends = i->elf ? code_sections(i, &n_sections) : NULL;
	int r = 0;

	for (Elf_Scn *s = NULL; ends && !r && (s = elf_nextscn(i->elf, s));) {
		GElf_Shdr head;

		if (gelf_getshdr(s, &head) && (head.sh_type == SHT_SYMTAB || head.sh_type == SHT_DYNSYM))
			r = add_table(t, i, s, &head, ends, n_sections);
	}
	return r;
}

/* Of one place the best is last. */
static int compare(const void *a, const void *b)
{
	const struct mw_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return -strcmp(x->name, y->name);
}

void mw_symtab_sort(struct mw_symtab *t)
{
	if (t->n)
		qsort(t->at, t->n, sizeof(*t->at), compare);
}

void mw_symtab_free(struct mw_symtab *t)
{
	free(t->at);
	*t = (struct mw_symtab){0};
}

const char *mw_symtab_find(const struct mw_symtab *t, __u64 address)
{
	size_t low = 0, high = t->n;
	const struct mw_symbol *nearest;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->at[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	nearest = &t->at[low - 1];
	for (size_t back = 0; back < LOOK_BACK && back < low; back++) {
		const struct mw_symbol *s = nearest - back;

		if (address - s->address < s->size && (s->rank & SIZED || s->address == nearest->address))
			return s->name;
	}
	return NULL;
}
