/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Writes of a size into a file in memory, each way by turns: lib_writer BYTES ROUNDS.
 * Prints "WAY NS" lines: CPU time of one write. writer: gathered; stdio: fwrite(3), with a buffer as large; plain:
 * write(2).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <memweir/writer.h>

#define TOTAL_BYTES (64UL << 20)
#define BUFFER	    65536

static char bytes[1 << 20];

static void must(int condition, const char *what)
{
	if (condition)
		return;
	perror(what);
	exit(1);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void by_writer(int fd, size_t size, size_t n)
{
	struct memweir_writer *writer;

	must(memweir_writer_fd(NULL, fd, &writer) == 0, "a writer");
	for (size_t i = 0; i < n; i++)
		must(memweir_writer_write(writer, bytes, size, NULL) == 0, "writing");
	must(memweir_writer_flush(writer) == 0, "flush");
	memweir_writer_free(writer);
}

static void by_stdio(int fd, size_t size, size_t n)
{
	FILE *f = fdopen(dup(fd), "w");

	must(f && setvbuf(f, NULL, _IOFBF, BUFFER) == 0, "a stream");
	for (size_t i = 0; i < n; i++)
		must(fwrite(bytes, size, 1, f) == 1, "writing");
	must(fclose(f) == 0, "fclose");
}

static void by_write(int fd, size_t size, size_t n)
{
	for (size_t i = 0; i < n; i++)
		must(write(fd, bytes, size) == (ssize_t)size, "write");
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"writer", "stdio", "plain"};
	static void (*const ways[])(int, size_t, size_t) = {by_writer, by_stdio, by_write};
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 0) : 64;
	int rounds = argc > 2 ? atoi(argv[2]) : 5, fd = memfd_create("out", 0);

	must(fd >= 0 && size && size <= sizeof(bytes), "arguments");
	by_write(fd, sizeof(bytes), TOTAL_BYTES / sizeof(bytes)); /* so that its pages are there */
	for (int turn = 0; turn < rounds * 3; turn++) {
		size_t n = TOTAL_BYTES / size;
		double began;

		must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
		began = cpu_ns();
		ways[turn % 3](fd, size, n);
		printf("%s %.1f\n", names[turn % 3], (cpu_ns() - began) / (double)n);
	}
	return 0;
}
