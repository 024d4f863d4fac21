/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Guilty, with a sampler of its own that publishes otel_memory:alloc and otel_memory:free: one object in 16, with the
 * weight of sixteen. Keeps 900 bytes at a time behind three that come and go. otel [MS between rounds]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Without them nobody from outside sees who called the sampler. */
#pragma GCC optimize("no-omit-frame-pointer")

#if defined(__x86_64__)
#define ALLOC_ARGUMENTS "8@%%rdi 8@%%rsi 8@%%rdx"
#define FREE_ARGUMENTS	"8@%%rdi"
#else
#define ALLOC_ARGUMENTS "8@x0 8@x1 8@x2"
#define FREE_ARGUMENTS	"8@x0"
#endif

/* What sys/sdt.h makes of a probe: an instruction that does nothing, a note about it, and a count of who listens. */
__attribute__((used, section(".probes"))) unsigned short otel_memory_alloc_semaphore, otel_memory_free_semaphore;
#define PROBE(name, instruction, arguments)                                                                            \
	__asm__ volatile("990: " instruction "\n"                                                                      \
			 ".pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"                                       \
			 ".4byte 992f-991f, 994f-993f, 3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"                   \
			 "993: .8byte 990b, _.stapsdt.base, otel_memory_" name "_semaphore\n"                          \
			 ".asciz \"otel_memory\"\n.asciz \"" name "\"\n.asciz \"" arguments "\"\n"                     \
			 "994: .balign 4\n.popsection\n"                                                               \
			 ".ifndef _.stapsdt.base\n"                                                                    \
			 ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"                       \
			 ".weak _.stapsdt.base\n.hidden _.stapsdt.base\n_.stapsdt.base: .space 1\n"                    \
			 ".size _.stapsdt.base, 1\n.popsection\n.endif\n"                                              \
			 :                                                                                             \
			 :                                                                                             \
			 : "memory")

#define SIZE   900
#define EACH   16
#define WINDOW 256

struct object {
	struct object *next;
	int sampled;
	char rest[SIZE - 16];
};

static struct object *kept, *window[WINDOW];

/* The arguments stay where they come in: nothing else is done. */
__attribute__((noinline)) static void tell_alloc(void *p, unsigned long size, unsigned long weight)
{
	__asm__ volatile("" : : "r"(p), "r"(size), "r"(weight));
	PROBE("alloc", "nop", ALLOC_ARGUMENTS);
}

__attribute__((noinline)) static void tell_free(void *p)
{
	__asm__ volatile("" : : "r"(p));
	PROBE("free", "nop", FREE_ARGUMENTS);
}

static struct object *allocate(void)
{
	static unsigned long random = 1;
	struct object *o = malloc(sizeof(*o));

	if (!o)
		_exit(9);
	memset(o, 0x5a, sizeof(*o));
	random = random * 6364136223846793005UL + 1442695040888963407UL;
	o->sampled = (random >> 33) % EACH == 0;
	if (o->sampled && *(volatile unsigned short *)&otel_memory_alloc_semaphore)
		tell_alloc(o, sizeof(*o), sizeof(*o) * EACH);
	return o;
}

static void release(struct object *o)
{
	if (o && o->sampled && *(volatile unsigned short *)&otel_memory_free_semaphore)
		tell_free(o);
	free(o);
}

__attribute__((noinline)) static void forget_to_release(void)
{
	struct object *o = allocate();

	o->next = kept;
	kept = o;
	__asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) static void churn(void)
{
	static unsigned at;

	release(window[at % WINDOW]);
	window[at++ % WINDOW] = allocate();
	__asm__ volatile("" : : : "memory");
}

int main(int argc, char **argv)
{
	long ms = argc > 1 ? strtol(argv[1], NULL, 10) : 20;
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	puts("ready");
	fflush(stdout);
	for (;;) {
		for (int i = 0; i < 37; i++) {
			forget_to_release();
			for (int j = 0; j < 3; j++)
				churn();
		}
		nanosleep(&pause, NULL);
	}
}
