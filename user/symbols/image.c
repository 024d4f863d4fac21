/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/image.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <gelf.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "util/cleanup.h"

#define UNPACKED_MAX  (64U << 20) /* of .gnu_debugdata */
#define UNPACK_MEMORY (128U << 20)
#define PAGE	      4096ULL
#define PAGE_MASK     (~(PAGE - 1))

static void read_build_id(struct mw_image *i)
{
	const void *bits;
	ssize_t n = dwelf_elf_gnu_build_id(i->elf, &bits);

	if (n < 1 || (size_t)n > (sizeof(i->build_id) - 1) / 2)
		return;
	for (ssize_t at = 0; at < n; at++)
		sprintf(i->build_id + 2 * at, "%02x", ((const unsigned char *)bits)[at]);
}

/* From memory, so that no library looks for the file's name or other files. */
static int begin(struct mw_image *i)
{
	GElf_Ehdr head;

	elf_version(EV_CURRENT);
	i->elf = elf_memory(i->bytes, i->size);
	if (!i->elf || elf_kind(i->elf) != ELF_K_ELF || !gelf_getehdr(i->elf, &head) ||
	    (head.e_type != ET_EXEC && head.e_type != ET_DYN && head.e_type != ET_REL)) /* REL: what dwz shares */
		return -ENOEXEC;
	read_build_id(i);
	return 0;
}

/*
 * Where a section is decompressed libelf writes so into its header, in place. Pages of our own there, and not
 * everywhere: what may be written counts as memory.
 */
static int own_headers(const struct mw_image *i, int fd)
{
	GElf_Ehdr head;
	__u64 from, to;
	size_t n;

	if (!gelf_getehdr(i->elf, &head) || elf_getshdrnum(i->elf, &n))
		return -ENOEXEC;
	from = head.e_shoff & PAGE_MASK;
	if (!n || !head.e_shentsize || head.e_shoff >= i->size || n > (i->size - head.e_shoff) / head.e_shentsize)
		return 0;
	to = (head.e_shoff + n * head.e_shentsize + PAGE - 1) & PAGE_MASK;
	if (mmap(i->bytes + from, to - from, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, (off_t)from) ==
	    MAP_FAILED)
		return -errno;
	return 0;
}

int mw_image_map(int fd, struct mw_image *ret)
{
	struct mw_image i = {.mapped = true};
	off_t size = lseek(fd, 0, SEEK_END); /* fstat may not be called any more */
	int r;

	if (size < (off_t)sizeof(Elf32_Ehdr))
		return size < 0 ? -errno : -ENOEXEC;
	i.size = (size_t)size;
	i.bytes = mmap(NULL, i.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (i.bytes == MAP_FAILED)
		return -errno;
	r = begin(&i);
	r = r ? r : own_headers(&i, fd);
	if (r)
		mw_image_free(&i);
	else
		*ret = i;
	return r;
}

int mw_image_take(char *bytes, size_t n, struct mw_image *ret)
{
	struct mw_image i = {.bytes = bytes, .size = n};
	int r = begin(&i);

	if (r)
		mw_image_free(&i);
	else
		*ret = i;
	return r;
}

void mw_image_free(struct mw_image *i)
{
	if (i->elf)
		elf_end(i->elf);
	if (i->mapped && i->bytes)
		munmap(i->bytes, i->size);
	else
		free(i->bytes);
	*i = (struct mw_image){0};
}

bool mw_image_address(const struct mw_image *i, __u64 offset, __u64 *ret)
{
	GElf_Phdr p;
	size_t n;

	if (!i->elf || elf_getphdrnum(i->elf, &n))
		return false;
	for (size_t at = 0; at < n && at < 65536; at++) {
		if (!gelf_getphdr(i->elf, (int)at, &p) || p.p_type != PT_LOAD)
			continue;
		if (!(p.p_flags & PF_X) || !p.p_filesz || p.p_offset > i->size || p.p_filesz > i->size)
			continue;
		/* A mapping begins and ends with a page. */
		if (offset < (p.p_offset & PAGE_MASK) || offset >= ((p.p_offset + p.p_filesz + PAGE - 1) & PAGE_MASK))
			continue;
		*ret = p.p_vaddr + (offset - p.p_offset);
		return true;
	}
	return false;
}

bool mw_image_offset(const struct mw_image *i, __u64 address, __u64 *ret)
{
	GElf_Phdr p;
	size_t n;

	if (!i->elf || elf_getphdrnum(i->elf, &n))
		return false;
	for (size_t at = 0; at < n && at < 65536; at++) {
		if (!gelf_getphdr(i->elf, (int)at, &p) || p.p_type != PT_LOAD)
			continue;
		if (address < p.p_vaddr || address - p.p_vaddr >= p.p_filesz || p.p_offset > i->size)
			continue;
		*ret = p.p_offset + (address - p.p_vaddr);
		return true;
	}
	return false;
}

static Elf_Scn *find_section(const struct mw_image *i, const char *name, GElf_Shdr *ret_head)
{
	size_t names;

	if (!i->elf || elf_getshdrstrndx(i->elf, &names))
		return NULL;
	for (Elf_Scn *s = NULL; (s = elf_nextscn(i->elf, s));) {
		const char *its = gelf_getshdr(s, ret_head) ? elf_strptr(i->elf, names, ret_head->sh_name) : NULL;

		if (its && !strcmp(its, name))
			return s;
	}
	return NULL;
}

bool mw_image_section_address(const struct mw_image *i, const char *name, __u64 *ret)
{
	GElf_Shdr head;

	if (!find_section(i, name, &head))
		return false;
	*ret = head.sh_addr;
	return true;
}

const void *mw_image_section(const struct mw_image *i, const char *name, size_t *ret_n)
{
	GElf_Shdr head;
	Elf_Scn *s = find_section(i, name, &head);
	Elf_Data *data;

	if (!s || head.sh_type == SHT_NOBITS)
		return NULL;
	if (head.sh_flags & SHF_COMPRESSED && elf_compress(s, 0, 0) < 0)
		return NULL;
	data = elf_getdata(s, NULL);
	if (!data || !data->d_buf)
		return NULL;
	*ret_n = data->d_size;
	return data->d_buf;
}

bool mw_image_has_dwarf(const struct mw_image *i)
{
	GElf_Shdr head;

	return (find_section(i, ".debug_info", &head) || find_section(i, ".zdebug_info", &head)) &&
	       head.sh_type != SHT_NOBITS;
}

/* Until it ends; a little file may unpack to any size. */
static int unpack(lzma_stream *z, char **bytes, size_t *ret_n)
{
	size_t room = 0;
	lzma_ret r = LZMA_OK;

	while (r == LZMA_OK) {
		if (z->total_out == room) {
			size_t more = room ? 2 * room : 1U << 20;
			char *bigger = more > UNPACKED_MAX ? NULL : realloc(*bytes, more);

			if (!bigger)
				return -ENOMEM;
			*bytes = bigger;
			room = more;
		}
		z->next_out = (uint8_t *)*bytes + z->total_out;
		z->avail_out = room - z->total_out;
		r = lzma_code(z, LZMA_FINISH);
	}
	*ret_n = z->total_out;
	return r == LZMA_STREAM_END ? 0 : r == LZMA_MEM_ERROR || r == LZMA_MEMLIMIT_ERROR ? -ENOMEM : -EBADMSG;
}

int mw_image_unpack(const struct mw_image *i, struct mw_image *ret)
{
	_cleanup_free_ char *bytes = NULL;
	lzma_stream z = LZMA_STREAM_INIT;
	const void *packed;
	size_t n;
	int r;

	packed = mw_image_section(i, ".gnu_debugdata", &n);
	if (!packed)
		return -ENOENT;
	if (lzma_stream_decoder(&z, UNPACK_MEMORY, 0) != LZMA_OK)
		return -ENOMEM;
	z.next_in = packed;
	z.avail_in = n;
	r = unpack(&z, &bytes, &n);
	lzma_end(&z);
	return r ? r : mw_image_take(TAKE_PTR(bytes), n, ret);
}

__u32 mw_image_crc(const struct mw_image *i)
{
	return (__u32)crc32_z(0, (const unsigned char *)i->bytes, i->size);
}
