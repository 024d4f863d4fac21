/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A program with an allocator of its own linked in: libc's malloc is never reached. Says "ready" and waits. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA (64UL << 20)

static char *arena;
static size_t used;

void *malloc(size_t size)
{
	void *p;

	if (!arena)
		arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size = (size + 31) / 16 * 16;
	p = arena + used + 16;
	if (used + size > ARENA)
		return NULL;
	memcpy(arena + used, &size, sizeof(size));
	used += size;
	return p;
}

void free(void *p)
{
	(void)p;
}

void *calloc(size_t n, size_t size)
{
	return malloc(n * size);
}

void *realloc(void *p, size_t size)
{
	size_t had = 0;
	void *to = malloc(size);

	if (p && to) {
		memcpy(&had, (char *)p - 16, sizeof(had));
		memcpy(to, p, had - 16 < size ? had - 16 : size);
	}
	return to;
}

int main(void)
{
	for (int i = 0; i < 30; i++)
		memset(malloc(1 << 20), 1, 1 << 20);
	printf("ready 31457280 0 0 %d\n", (int)getpid());
	fflush(stdout);
	return getchar() != EOF;
}
