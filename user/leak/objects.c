/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/objects.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap/chance.h"
#include "util/cleanup.h"

void mw_object_weigh(struct mw_heap_record *r)
{
	if (r->pad[MW_OBJECT_PAD_MEAN])
		r->weight = mw_heap_weight(r->size, r->pad[MW_OBJECT_PAD_MEAN]);
}

bool mw_object_stays(struct mw_heap_record *r, __u64 mean_bytes, __u64 *random)
{
	__u64 was = r->pad[MW_OBJECT_PAD_MEAN];
	double u = (double)(mw_heap_random(random) >> 11) * 0x1p-53, old, now;

	if (!was || mean_bytes <= was)
		return true;
	old = mw_heap_one_less_exp((double)r->size / (double)was);
	now = mw_heap_one_less_exp((double)r->size / (double)mean_bytes);
	if (u * old >= now)
		return false;
	r->pad[MW_OBJECT_PAD_MEAN] = mean_bytes;
	return true;
}

void mw_object_cut(struct mw_heap_record *r, bool (*is_code)(__u64 address, const void *arg), const void *arg)
{
	for (__u32 i = 1; i < r->n_frames; i++) {
		if (is_code(r->frames[i], arg))
			continue;
		memset(&r->frames[i], 0, (r->n_frames - i) * sizeof(r->frames[0]));
		r->n_frames = i;
	}
}

/* A register's name, in each of its widths, and where struct pt_regs has it: both are fixed. */
#if defined(__x86_64__)
#define AT(number) (8 * (number))
static const struct {
	const char *names[4];
	__u32 at;
} registers[] = {
	{{"r15", "r15d", "r15w", "r15b"}, AT(0)}, {{"r14", "r14d", "r14w", "r14b"}, AT(1)},
	{{"r13", "r13d", "r13w", "r13b"}, AT(2)}, {{"r12", "r12d", "r12w", "r12b"}, AT(3)},
	{{"rbp", "ebp", "bp", "bpl"}, AT(4)},	  {{"rbx", "ebx", "bx", "bl"}, AT(5)},
	{{"r11", "r11d", "r11w", "r11b"}, AT(6)}, {{"r10", "r10d", "r10w", "r10b"}, AT(7)},
	{{"r9", "r9d", "r9w", "r9b"}, AT(8)},	  {{"r8", "r8d", "r8w", "r8b"}, AT(9)},
	{{"rax", "eax", "ax", "al"}, AT(10)},	  {{"rcx", "ecx", "cx", "cl"}, AT(11)},
	{{"rdx", "edx", "dx", "dl"}, AT(12)},	  {{"rsi", "esi", "si", "sil"}, AT(13)},
	{{"rdi", "edi", "di", "dil"}, AT(14)},	  {{"rip", "eip", "ip", "-"}, AT(16)},
	{{"rsp", "esp", "sp", "spl"}, AT(19)},
};

static bool find_register(const char *name, __u32 *ret_at)
{
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(registers[i].names); j++) {
			if (strcmp(registers[i].names[j], name) == 0) {
				*ret_at = registers[i].at;
				return true;
			}
		}
	}
	return false;
}
#define FORM_NUMBER   "$%lld%n"
#define FORM_REGISTER "%%%7[a-z0-9]%n"
#define FORM_BARE     "(%%%7[a-z0-9])%n"

/* -20(%rbp) */
static bool take_offset(const char *text, long long *number, char *name, int *n)
{
	return sscanf(text, "%lld(%%%7[a-z0-9])%n", number, name, n) == 2 && *n;
}
#else
/* arm64: x0 to x30, their lower halves w0 to w30, and sp behind them. */
static bool find_register(const char *name, __u32 *ret_at)
{
	unsigned long number = 31;
	char *end;

	if (strcmp(name, "sp") != 0) {
		number = name[0] == 'x' || name[0] == 'w' ? strtoul(name + 1, &end, 10) : 32;
		if (number > 30 || end == name + 1 || *end)
			return false;
	}
	*ret_at = 8 * (__u32)number;
	return true;
}
#define FORM_NUMBER   "%lld%n"
#define FORM_REGISTER "%7[a-z0-9]%n"
#define FORM_BARE     "[%7[a-z0-9]]%n"

/* [sp, 12] */
static bool take_offset(const char *text, long long *number, char *name, int *n)
{
	return sscanf(text, "[%7[a-z0-9], %lld]%n", name, number, n) == 2 && *n;
}
#endif

/* Without its size. Returns its length; 0: it is none. */
static int parse_place(const char *text, struct mw_argument *a)
{
	long long number = 0;
	char name[8];
	int n = 0;

	if (sscanf(text, FORM_NUMBER, &number, &n) == 1 && n && (text[n] == ' ' || !text[n]))
		a->kind = MW_ARGUMENT_NUMBER;
	else if ((n = 0, sscanf(text, FORM_REGISTER, name, &n) == 1) && n)
		a->kind = MW_ARGUMENT_REGISTER;
	else if ((n = 0, take_offset(text, &number, name, &n)) ||
		 (n = 0, number = 0, sscanf(text, FORM_BARE, name, &n) == 1 && n))
		a->kind = MW_ARGUMENT_MEMORY;
	else
		return 0;
	a->number = number;
	return a->kind == MW_ARGUMENT_NUMBER || find_register(name, &a->at) ? n : 0;
}

int mw_otel_arguments_parse(const char *text, unsigned n, struct mw_otel_arguments *ret_arguments)
{
	struct mw_otel_arguments all = {0};

	for (unsigned i = 0; i < n && i < MW_OTEL_ARGUMENTS; i++) {
		char *end;
		long bytes = strtol(text, &end, 10), size = labs(bytes);
		int length;

		if (end == text || *end != '@' || (size != 1 && size != 2 && size != 4 && size != 8))
			return -EINVAL;
		all.at[i].bytes = (__u32)size;
		all.at[i].is_signed = bytes < 0;
		length = parse_place(end + 1, &all.at[i]);
		text = end + 1 + length;
		if (!length || (*text && *text != ' '))
			return -EINVAL;
		text += strspn(text, " ");
	}
	*ret_arguments = all;
	return 0;
}
