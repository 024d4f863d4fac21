// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A worker that uses libmemweir: a command a line on standard input, an answer a line. Only the public headers.
 *	enrol [KEY=VALUE]...  class, name, max_heap, max_bin_heap, socket, require, no_daemon, no_move
 *	limits, usage, validate, exact, can, why BIT, refresh, hibernate, begin, end
 *	grow BYTES, free, file PATH (reads 16 MiB), on, told, wait MS, limiter BYTES EVERY [NAME], ops N
 *	pool NAME BUFFERS, lend N, report
 */
#include <errno.h>
#include <fcntl.h>
#include <memweir.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNKS 4096

static struct memweir_guard *guard;
static struct memweir_limiter *limiter;
static struct memweir_pool *pool;
static void *chunks[CHUNKS];
static size_t sizes[CHUNKS];
static int n_chunks;
static uint64_t request;
static unsigned int told[MEMWEIR_EVENT_MAX], trimmed;
static char why[64] = "-";

static void on_event(struct memweir_guard *g, const struct memweir_notice *notice, void *arg)
{
	(void)g;
	(void)arg;
	told[notice->event]++;
	snprintf(why, sizeof(why), "%s", notice->what);
}

static void free_all(void *arg)
{
	(void)arg;
	while (n_chunks)
		munmap(chunks[n_chunks - 1], sizes[n_chunks - 1]), n_chunks--;
	trimmed++;
}

static int grow(size_t bytes)
{
	void *p = n_chunks < CHUNKS ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
				    : MAP_FAILED;

	if (p == MAP_FAILED)
		return -ENOMEM;
	memset(p, 1, bytes);
	chunks[n_chunks] = p;
	sizes[n_chunks++] = bytes;
	return 0;
}

static int read_file(const char *path)
{
	static char buf[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC); /* stays: with its last user a block device loses its cache */

	if (fd < 0)
		return -errno;
	for (int i = 0; i < 256 && read(fd, buf, sizeof(buf)) > 0; i++)
		;
	return 0;
}

static int enrol(char *rest)
{
	struct memweir_guard_options o = MEMWEIR_INIT(struct memweir_guard_options);

	for (char *word = strtok(rest, " "); word; word = strtok(NULL, " ")) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (!strcmp(word, "class"))
			o.class_name = value;
		else if (!strcmp(word, "name"))
			o.name = value;
		else if (!strcmp(word, "socket"))
			o.socket_path = value;
		else if (!strcmp(word, "max_heap"))
			o.max_heap_bytes = strtoull(value, NULL, 10);
		else if (!strcmp(word, "max_bin_heap"))
			o.max_bin_heap_bytes = strtoull(value, NULL, 10);
		else if (!strcmp(word, "require"))
			o.flags |= MEMWEIR_GUARD_REQUIRE_ENFORCEMENT;
		else if (!strcmp(word, "no_daemon"))
			o.flags |= MEMWEIR_GUARD_NO_DAEMON;
		else if (!strcmp(word, "no_move"))
			o.flags |= MEMWEIR_GUARD_NO_MOVE;
	}
	memweir_pool_free(pool);
	pool = NULL;
	memweir_guard_free(guard);
	guard = NULL;
	return memweir_guard_enrol(&o, &guard);
}

static void say_limits(void)
{
	struct memweir_guard_limits l = MEMWEIR_INIT(struct memweir_guard_limits);
	int r = memweir_guard_limits(guard, &l);

	printf("%d %s %s %llu %llu %.3f\n", r, l.class_name, l.worker[0] ? l.worker : "-",
	       (unsigned long long)l.max_heap_bytes, (unsigned long long)l.max_bin_heap_bytes, l.hibernate_threshold);
}

static void say_usage(void)
{
	struct memweir_guard_usage u = MEMWEIR_INIT(struct memweir_guard_usage);
	int r = memweir_guard_usage(guard, &u);

	printf("%d %llu %llu %llu %.2f\n", r, (unsigned long long)u.heap_bytes, (unsigned long long)u.bin_bytes,
	       (unsigned long long)u.current_bytes, u.percent);
}

static void say_request(void)
{
	struct memweir_request_usage u = MEMWEIR_INIT(struct memweir_request_usage);
	int r = memweir_guard_request_end(guard, request, &u);

	printf("%d %lld %llu %llu %u %u\n", r, (long long)u.growth_bytes, (unsigned long long)u.peak_bytes,
	       (unsigned long long)u.peak_growth_bytes, u.peak_exact, u.others);
}

static void say_level(int r, double percent)
{
	printf("%d %.2f\n", r, percent);
}

static int wait_pressure(int ms)
{
	struct pollfd p = {.fd = memweir_guard_fd(guard), .events = POLLIN};

	if (p.fd < 0)
		return p.fd;
	return poll(&p, 1, ms) == 1 ? memweir_guard_dispatch(guard) : -ETIMEDOUT;
}

static int make_limiter(const char *rest)
{
	struct memweir_limiter_options o = MEMWEIR_INIT(struct memweir_limiter_options);
	unsigned long long max;
	unsigned int every;
	char name[32] = "";

	if (sscanf(rest, "%llu %u %31s", &max, &every, name) < 2)
		return -EINVAL;
	if (*name) {
		o.guard = guard;
		o.name = name;
	}
	o.max_bytes = max;
	o.every = every;
	o.trim = free_all;
	memweir_limiter_free(limiter);
	limiter = NULL;
	return memweir_limiter_new(&o, &limiter);
}

static int make_pool(const char *rest)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	char name[32];

	if (pool || sscanf(rest, "%31s %zu", name, &o.buffers) != 2)
		return -EINVAL;
	o.buffer_bytes = 4096;
	o.guard = guard;
	o.name = name;
	return memweir_pool_new(&o, &pool);
}

/* How many could not be had. */
static int lend(int n)
{
	int refused = 0;
	void *buffer;

	for (int i = 0; i < n; i++)
		refused += memweir_pool_checkout(pool, 0, &buffer) < 0;
	return refused;
}

static void run_ops(int n)
{
	struct memweir_limiter_stats s = MEMWEIR_INIT(struct memweir_limiter_stats);
	int refused = 0;

	for (int i = 0; i < n; i++)
		refused += memweir_limiter_check(limiter) == -ENOMEM;
	memweir_limiter_stats(limiter, &s);
	printf("%d %llu %llu %llu\n", refused, (unsigned long long)s.looks, (unsigned long long)s.trims,
	       (unsigned long long)s.refusals);
}

/* Those that need a guard. */
static void of_guard(const char *verb, char *rest)
{
	double percent = 0;
	char text[300] = "";
	int r;

	if (!guard) {
		printf("no guard\n");
	} else if (!strcmp(verb, "limits")) {
		say_limits();
	} else if (!strcmp(verb, "usage")) {
		say_usage();
	} else if (!strcmp(verb, "validate")) {
		r = memweir_guard_validate(guard, &percent);
		say_level(r, percent);
	} else if (!strcmp(verb, "exact")) {
		r = memweir_guard_validate_exact(guard, &percent);
		say_level(r, percent);
	} else if (!strcmp(verb, "can")) {
		printf("%llu\n", (unsigned long long)memweir_guard_capabilities(guard));
	} else if (!strcmp(verb, "why")) {
		r = memweir_guard_capability_text(guard, (enum memweir_capability)atoi(rest), text, sizeof(text));
		printf("%d %s\n", r, text);
	} else if (!strcmp(verb, "refresh")) {
		printf("%d\n", memweir_guard_refresh(guard));
	} else if (!strcmp(verb, "hibernate")) {
		printf("%lld\n", (long long)memweir_guard_hibernate(guard));
	} else if (!strcmp(verb, "begin")) {
		printf("%d\n", memweir_guard_request_begin(guard, &request));
	} else if (!strcmp(verb, "end")) {
		say_request();
	} else if (!strcmp(verb, "on")) {
		for (int e = 0; e < MEMWEIR_EVENT_MAX; e++)
			memweir_guard_on_level(guard, (enum memweir_event)e, on_event, NULL);
		printf("0\n");
	} else if (!strcmp(verb, "pool")) {
		printf("%d\n", make_pool(rest));
	} else if (!strcmp(verb, "lend")) {
		printf("%d\n", lend(atoi(rest)));
	} else if (!strcmp(verb, "report")) {
		printf("%d\n", memweir_guard_report(guard));
	} else if (!strcmp(verb, "wait")) {
		printf("%d\n", wait_pressure(atoi(rest)));
	} else {
		printf("unknown\n");
	}
}

int main(void)
{
	char line[1024];

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		char *rest = line + strcspn(line, " \n");

		line[strcspn(line, "\n")] = '\0';
		if (*rest == ' ')
			*rest++ = '\0';
		if (!strcmp(line, "enrol"))
			printf("%d\n", enrol(rest));
		else if (!strcmp(line, "grow"))
			printf("%d\n", grow(strtoull(rest, NULL, 10)));
		else if (!strcmp(line, "free"))
			free_all(NULL), printf("0\n");
		else if (!strcmp(line, "file"))
			printf("%d\n", read_file(rest));
		else if (!strcmp(line, "told"))
			printf("%u %u %u %s\n", told[0], told[1], told[2], why);
		else if (!strcmp(line, "limiter"))
			printf("%d\n", make_limiter(rest));
		else if (!strcmp(line, "ops"))
			run_ops(atoi(rest));
		else
			of_guard(line, rest);
	}
	memweir_limiter_free(limiter);
	memweir_pool_free(pool);
	memweir_guard_free(guard);
	return 0;
}
