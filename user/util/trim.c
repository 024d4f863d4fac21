/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * By the program headers, not by /proc/self/maps: there a page that was written once (relocations,
 * then made read-only) looks like one that can be had from the file again.
 */
#include "util/trim.h"

#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24 /* Linux 5.18 */
#endif

/* Part of a mapping, whole pages. */
struct range {
	unsigned long start, end;
};

static unsigned long page_down(unsigned long address)
{
	return address & -(unsigned long)sysconf(_SC_PAGESIZE);
}

static unsigned long page_up(unsigned long address)
{
	return page_down(address + (unsigned long)sysconf(_SC_PAGESIZE) - 1);
}

static void *at_address(unsigned long address)
{
	return (void *)address; /* NOLINT(performance-no-int-to-ptr): program headers have numbers */
}

static struct range code_of(const struct dl_phdr_info *object, const ElfW(Phdr) * segment)
{
	unsigned long at = object->dlpi_addr + segment->p_vaddr;

	return (struct range){page_down(at), page_up(at + segment->p_memsz)};
}

static void advise(struct range r, int advice)
{
	if (r.start < r.end)
		(void)!madvise(at_address(r.start), r.end - r.start, advice); /* a refusal costs memory, nothing else */
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const ElfW(Phdr) * segment_of(const struct dl_phdr_info *object, ElfW(Word) type)
{
	for (ElfW(Half) i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == type)
			return &object->dlpi_phdr[i];
	return NULL;
}

static const ElfW(Dyn) * dynamic_of(const struct dl_phdr_info *object)
{
	const ElfW(Phdr) *segment = segment_of(object, PT_DYNAMIC);

	return segment ? at_address(object->dlpi_addr + segment->p_vaddr) : NULL;
}

/* ---- code ---- */

struct program {
	const ElfW(Dyn) * dynamic; /* of the program itself: what it is linked with */
	const char *names; /* its string table */
	const char *linker; /* libraries that bind late need it at any time */
	bool known;
};

static void read_program(struct program *p, const struct dl_phdr_info *object)
{
	const ElfW(Phdr) *interpreter = segment_of(object, PT_INTERP);

	p->known = true;
	p->dynamic = dynamic_of(object);
	p->linker = interpreter ? at_address(object->dlpi_addr + interpreter->p_vaddr) : "";
	for (const ElfW(Dyn) *d = p->dynamic; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag != DT_STRTAB)
			continue;
		p->names = at_address(d->d_un.d_ptr < object->dlpi_addr ? object->dlpi_addr + d->d_un.d_ptr
									: d->d_un.d_ptr);
	}
}

static bool linked_with(const struct program *p, const char *path)
{
	if (!strcmp(base_of(path), base_of(p->linker)))
		return true;
	for (const ElfW(Dyn) *d = p->dynamic; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_NEEDED && !strcmp(base_of(path), p->names + d->d_un.d_val))
			return true;
	return false;
}

/* Relocations in the code itself: then it is not what the file holds. */
static bool relocates_code(const struct dl_phdr_info *object)
{
	for (const ElfW(Dyn) *d = dynamic_of(object); d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && d->d_un.d_val & DF_TEXTREL))
			return true;
	return false;
}

static int trim_code(struct dl_phdr_info *object, size_t size, void *arg)
{
	struct program *p = arg;
	bool itself = !p->known;

	(void)size;
	if (itself) /* comes first */
		read_program(p, object);
	if (!p->dynamic || !p->names)
		return 1;
	if (!itself && (object->dlpi_name[0] != '/' || linked_with(p, object->dlpi_name) || relocates_code(object)))
		return 0;
	for (ElfW(Half) i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
			advise(code_of(object, segment), itself ? MADV_POPULATE_READ : MADV_DONTNEED_LOCKED);
	}
	return 0;
}

void mw_trim_after_start(void)
{
	struct program p = {0};

	dl_iterate_phdr(trim_code, &p);
}

/* ---- zeros ---- */

static bool all_zero(const unsigned char *page, size_t size)
{
	return !page[0] && !memcmp(page, page + 1, size - 1);
}

static int trim_zeros(struct dl_phdr_info *object, size_t size, void *library)
{
	unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE);

	(void)size;
	if (strncmp(base_of(object->dlpi_name), library, strlen(library)) != 0)
		return 0;
	for (ElfW(Half) i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		unsigned long at = object->dlpi_addr + segment->p_vaddr;
		/* behind what the file fills */
		struct range r = {page_up(at + segment->p_filesz), page_down(at + segment->p_memsz)};

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W))
			continue;
		for (at = r.start; at < r.end; at += page) {
			if (all_zero(at_address(at), page))
				continue;
			advise((struct range){r.start, at}, MADV_DONTNEED_LOCKED);
			r.start = at + page;
		}
		advise(r, MADV_DONTNEED_LOCKED);
	}
	return 1;
}

void mw_trim_zeros(const char *library)
{
	dl_iterate_phdr(trim_zeros, (void *)library);
}
