/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A client of $MEMORY_PRESSURE_WATCH that is none of ours: sd-event of systemd 254 or later listens, and frees.
 * sd_event [own]: without "own" sd-event's default handler is called, with it one that counts and then does the same.
 * On standard input: a number takes so many MB in pieces and gives them back to malloc(), which keeps them; each line
 * is answered with what was seen so far: "told=N resident=BYTES iterations=N cpu_ms=N". The end of input ends it.
 *
 * The library is the first libsystemd.so.0 the dynamic linker finds ($LD_LIBRARY_PATH); 77: that one has no such
 * client.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define TOO_OLD 77
#define PIECE	4000 /* small ones come from the heap: malloc() returns big ones at once, without being asked */

static struct {
	__typeof__(sd_event_default) *open;
	__typeof__(sd_event_add_io) *add_io;
	__typeof__(sd_event_loop) *loop;
	__typeof__(sd_event_exit) *exit;
	__typeof__(sd_event_get_iteration) *iteration;
	/* From 254 on: not in every header. */
	int (*add_memory_pressure)(sd_event *e, sd_event_source **s, sd_event_handler_t callback, void *userdata);
	int (*trim_memory)(void);
} sd;

static unsigned told;

static int has_symbol(void *library, const char *name, void *ret_function)
{
	void *function = dlsym(library, name);

	memcpy(ret_function, &function, sizeof(function));
	return function != NULL;
}

static int find_library(void)
{
	void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		printf("%s\n", dlerror());
		return TOO_OLD;
	}
	if (!has_symbol(library, "sd_event_default", &sd.open) || !has_symbol(library, "sd_event_add_io", &sd.add_io) ||
	    !has_symbol(library, "sd_event_loop", &sd.loop) || !has_symbol(library, "sd_event_exit", &sd.exit) ||
	    !has_symbol(library, "sd_event_get_iteration", &sd.iteration) ||
	    !has_symbol(library, "sd_event_add_memory_pressure", &sd.add_memory_pressure) ||
	    !has_symbol(library, "sd_event_trim_memory", &sd.trim_memory)) {
		printf("this system's %s\n", dlerror());
		return TOO_OLD;
	}
	return 0;
}

static void take_and_free(size_t mb)
{
	size_t n = mb * 1000000 / PIECE;
	void **pieces = calloc(n + 1, sizeof(*pieces));

	for (size_t i = 0; pieces && i < n; i++) {
		pieces[i] = malloc(PIECE);
		if (pieces[i])
			memset(pieces[i], 'x', PIECE);
	}
	/* The last one stays, and with it the heap as long as it is: what is freed lies below. */
	for (size_t i = 0; pieces && i + 1 < n; i++)
		free(pieces[i]);
	free(pieces);
}

static void answer(sd_event *e)
{
	unsigned long pages = 0, resident = 0;
	uint64_t iterations = 0;
	struct rusage used;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f) {
		if (fscanf(f, "%lu %lu", &pages, &resident) != 2)
			resident = 0;
		fclose(f);
	}
	getrusage(RUSAGE_SELF, &used);
	sd.iteration(e, &iterations);
	printf("told=%u resident=%lu iterations=%llu cpu_ms=%ld\n", told,
	       resident * (unsigned long)sysconf(_SC_PAGESIZE), (unsigned long long)iterations,
	       (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
		       (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000);
}

static int asked(sd_event_source *s, int fd, uint32_t events, void *e)
{
	char line[64];
	ssize_t n = read(fd, line, sizeof(line) - 1);

	(void)s, (void)events;
	if (n <= 0)
		return sd.exit(e, 0);
	line[n] = '\0';
	if (*line >= '0' && *line <= '9')
		take_and_free(strtoul(line, NULL, 10));
	answer(e);
	return 0;
}

static int pressed(sd_event_source *s, void *userdata)
{
	(void)s, (void)userdata;
	told++;
	return sd.trim_memory();
}

int main(int argc, char **argv)
{
	int own = argc > 1 && strcmp(argv[1], "own") == 0, r = find_library();
	sd_event *e = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (r)
		return r;
	r = sd.open(&e);
	if (r >= 0)
		r = sd.add_memory_pressure(e, NULL, own ? pressed : NULL, NULL);
	if (r >= 0)
		r = sd.add_io(e, NULL, STDIN_FILENO, EPOLLIN, asked, e);
	if (r < 0) {
		printf("sd-event: %s\n", strerror(-r));
		return 1;
	}
	puts("ready");
	return sd.loop(e);
}
