/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Can anything in this program allocate, or free, past entry.c: is there C++, or a call of what only jemalloc or
 * tcmalloc has. What the dynamic linker has read is read once more: names that each object needs from others.
 */
#include <link.h>
#include <string.h>

#include "heap/impl.h"

struct object {
	const ElfW(Sym) * symbols;
	const char *names;
	const __u32 *gnu_hash, *hash;
};

static bool begins_with_one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (!strncmp(name, *list, strlen(*list)))
			return true;
	return false;
}

/* C++'s, by another object's code: its own library allocates too, for strings. */
static bool is_cplusplus(const char *library)
{
	static const char *const libraries[] = {"libstdc++.so", "libc++.so", "libc++abi.so", NULL};

	return begins_with_one_of(library, libraries);
}

static bool is_door(const char *name)
{
	static const char *const names[] = {"_Znw",    "_Zna",	   "mallocx", "rallocx", "xallocx",
					    "dallocx", "sdallocx", "tc_",     NULL};

	return begins_with_one_of(name, names);
}

/* Addresses in it are moved by the dynamic linker already; but not the kernel's vdso. */
static const void *at(const struct dl_phdr_info *info, ElfW(Addr) where)
{
	if (where < info->dlpi_addr)
		where += info->dlpi_addr;
	return (const void *)where; /* NOLINT(performance-no-int-to-ptr): as ELF has them */
}

static const ElfW(Dyn) * dynamic(const struct dl_phdr_info *info, struct object *ret_object)
{
	const ElfW(Dyn) *begin = NULL;
	struct object o = {NULL};

	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			begin = at(info, info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (const ElfW(Dyn) *d = begin; d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_SYMTAB)
			o.symbols = at(info, d->d_un.d_ptr);
		else if (d->d_tag == DT_STRTAB)
			o.names = at(info, d->d_un.d_ptr);
		else if (d->d_tag == DT_GNU_HASH)
			o.gnu_hash = at(info, d->d_un.d_ptr);
		else if (d->d_tag == DT_HASH)
			o.hash = at(info, d->d_un.d_ptr);
	}
	*ret_object = o;
	return o.names ? begin : NULL;
}

/* What it needs from others stands before what others find in it. */
static bool calls_a_door(const struct object *o)
{
	__u32 n = o->gnu_hash ? o->gnu_hash[1] : o->hash ? o->hash[1] : 0;

	for (__u32 i = 1; o->symbols && i < n; i++)
		if (o->symbols[i].st_shndx == SHN_UNDEF && is_door(o->names + o->symbols[i].st_name))
			return true;
	return false;
}

static bool is_the_allocator(const struct dl_phdr_info *info)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    mw_heap_is_allocator(at(info, info->dlpi_addr + info->dlpi_phdr[i].p_vaddr)))
			return true;
	return false;
}

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
	const ElfW(Dyn) * d;
	struct object o;

	(void)size;
	(void)arg;
	d = dynamic(info, &o);
	if (!d || is_the_allocator(info))
		return 0;
	for (; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_NEEDED && is_cplusplus(o.names + d->d_un.d_val))
			return 1;
	return calls_a_door(&o);
}

bool mw_heap_has_doors(void)
{
	return dl_iterate_phdr(look_at, NULL);
}
