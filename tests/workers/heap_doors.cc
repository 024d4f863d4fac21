// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// Every door of an allocator: C's, C++'s, and what only jemalloc or only tcmalloc has. heap_doors DOOR [KiB of a step]:
// what is allocated there leaks, behind much that is allocated at one door and given back at another. Says "ready" as heap.c does.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <new>
#include <string>
#include <unistd.h>

#define GUILTY	__attribute__((noinline, section("guilty")))
#define MAYBE	extern "C" __attribute__((weak))
#define ALIGNED static_cast<std::align_val_t>(256)
#define LG_256	8 // of mallocx and its like: the alignment's logarithm

extern "C" const char __start_guilty[], __stop_guilty[];

MAYBE void *mallocx(size_t size, int flags);
MAYBE void *rallocx(void *p, size_t size, int flags);
MAYBE size_t xallocx(void *p, size_t size, size_t extra, int flags);
MAYBE void dallocx(void *p, int flags);
MAYBE void sdallocx(void *p, size_t size, int flags);
MAYBE void *tc_malloc(size_t size);
MAYBE void *tc_realloc(void *p, size_t size);
MAYBE void *tc_memalign(size_t alignment, size_t size);
MAYBE void tc_free(void *p);
MAYBE void tc_free_sized(void *p, size_t size);

static size_t held, step = 8 << 20;
static void *volatile kept; // or no compiler would call for it

static void *posix(size_t n)
{
	void *p = nullptr;

	return posix_memalign(&p, 256, n) ? nullptr : p;
}

// In place, if there is room: one object more or less, it stays the same.
static void *stretched(size_t n)
{
	void *p = mallocx(n / 2 + 1, 0);

	if (xallocx(p, n, 0, 0) >= n)
		return p;
	dallocx(p, 0);
	return mallocx(n, 0);
}

enum family { C, C_ALIGNED, CXX, CXX_ARRAY, CXX_ALIGNED };

// How it is taken, and whether that is to be had here; what is C's can be given back at any of C's doors.
#define DOOR(name, family, have, expression)                                                                           \
	static void *get_##name(size_t n)                                                                              \
	{                                                                                                              \
		return expression;                                                                                     \
	}                                                                                                              \
	static GUILTY void leak_##name(size_t n)                                                                       \
	{                                                                                                              \
		kept = expression;                                                                                     \
		std::memset(kept, 1, n); /* it touches its memory first */                                             \
		held += n;                                                                                             \
	}
#define DOORS                                                                                                          \
	DOOR(malloc, C, true, malloc(n))                                                                               \
	DOOR(calloc, C, true, calloc(n, 1))                                                                            \
	DOOR(realloc, C, true, realloc(malloc(n / 2 + 1), n))                                                          \
	DOOR(memalign, C_ALIGNED, true, memalign(256, n))                                                                      \
	DOOR(posix, C_ALIGNED, true, posix(n))                                                                                 \
	DOOR(new, CXX, true, ::operator new(n))                                                                        \
	DOOR(nothrow, CXX, true, ::operator new(n, std::nothrow))                                                      \
	DOOR(array, CXX_ARRAY, true, ::operator new[](n))                                                              \
	DOOR(aligned, CXX_ALIGNED, true, ::operator new(n, ALIGNED))                                                   \
	DOOR(mallocx, C_ALIGNED, mallocx != nullptr, mallocx(n, LG_256))                                                                  \
	DOOR(rallocx, C, rallocx != nullptr, rallocx(mallocx(n / 2 + 1, 0), n, 0))                                                \
	DOOR(xallocx, C, xallocx != nullptr, stretched(n))                                                                        \
	DOOR(tc_malloc, C, tc_malloc != nullptr, tc_malloc(n))                                                                    \
	DOOR(tc_realloc, C, tc_realloc != nullptr, tc_realloc(tc_malloc(n / 2 + 1), n))                                           \
	DOOR(tc_memalign, C_ALIGNED, tc_memalign != nullptr, tc_memalign(256, n))
DOORS
#undef DOOR

struct door {
	const char *name;
	enum family family;
	bool have;
	void *(*get)(size_t n);
	void (*leak)(size_t n);
};
#define DOOR(name, family, have, expression) {#name, family, have, get_##name, leak_##name},
static const door doors[] = {DOORS};
static const size_t n_doors = sizeof(doors) / sizeof(doors[0]);

// The size belongs to the alignment it was asked for with.
static void put_c(bool aligned, void *p, size_t n, unsigned how)
{
	if (how == 1 && dallocx)
		dallocx(p, 0);
	else if (how == 2 && sdallocx)
		sdallocx(p, n, aligned ? LG_256 : 0);
	else if (how == 3 && rallocx)
		dallocx(rallocx(p, n + 100, 0), 0);
	else if (how == 1 && tc_free)
		tc_free(p);
	else if (how == 2 && tc_free_sized && !aligned)
		tc_free_sized(p, n);
	else if (how == 3 && tc_realloc)
		tc_free(tc_realloc(p, n + 100));
	else
		free(p);
}

static void put(enum family family, void *p, size_t n, unsigned how)
{
	switch (family) {
	case C:
	case C_ALIGNED:
		return put_c(family == C_ALIGNED, p, n, how);
	case CXX:
		return how % 2 ? ::operator delete(p, n) : ::operator delete(p);
	case CXX_ARRAY:
		return how % 2 ? ::operator delete[](p, n) : ::operator delete[](p);
	case CXX_ALIGNED:
		return how % 2 ? ::operator delete(p, n, ALIGNED) : ::operator delete(p, ALIGNED);
	}
}

static void churn(unsigned *seed)
{
	static struct {
		const door *from;
		void *p;
		size_t n;
	} ring[128];

	for (int i = 0; i < 30; i++) {
		auto &at = ring[static_cast<size_t>(rand_r(seed)) % 128];
		const door *from = &doors[static_cast<size_t>(rand_r(seed)) % n_doors];

		if (at.p)
			put(at.from->family, at.p, at.n, static_cast<unsigned>(rand_r(seed)) % 4);
		at.p = nullptr;
		if (!from->have)
			continue;
		at.from = from;
		at.n = 16 + static_cast<size_t>(rand_r(seed)) % 2000;
		at.p = from->get(at.n);
		if (!at.p || malloc_usable_size(at.p) < at.n)
			_exit(8);
		std::memset(at.p, 1, at.n);
	}
	std::string(static_cast<size_t>(rand_r(seed)) % 1000 + 20, 'y').append("z");
}

int main(int argc, char **argv)
{
	unsigned seed = 1;

	if (argc > 2)
		step = std::strtoul(argv[2], nullptr, 10) << 10;
	for (const door &d : doors) {
		while (argc > 1 && d.have && !std::strcmp(d.name, argv[1])) {
			for (size_t end = held + step; held < end;) {
				churn(&seed);
				d.leak(900);
			}
			std::printf("ready %zu %p %p %d\n", held, static_cast<const void *>(__start_guilty),
				    static_cast<const void *>(__stop_guilty), static_cast<int>(getpid()));
			std::fflush(stdout);
			if (std::getchar() == EOF)
				return 0;
		}
	}
	return 2;
}
