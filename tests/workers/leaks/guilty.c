/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Leaks of each kind, at a pace. guilty KIND [rate=BYTES a second] [size=BYTES of an object] [base=BYTES in use first]
 * [churn=OBJECTS that come and go for each that stays] [period=SECONDS] [swing=BYTES]
 *   objects   malloc                          thread   malloc in one of four threads, the others only churn
 *   array     one that realloc makes longer   child    malloc in a forked child; the parent waits
 *   map       anonymous mmap                  shared   anonymous mmap, shared
 *   memfd     a memfd that grows, mapped      swinging malloc below a buffer of swing bytes that comes and goes
 *   lumps     malloc, once in a period        requests malloc, some requests only, at a random pace
 *   tmpfs     files in /dev/shm, written      fds, sockets, pipes   opened and never closed: kernel memory
 * What is guilty has a name that begins with forget_.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS	  50
#define RING	  256
#define THREADS	  4
#define PIPE_FILL 65536

static struct {
	double rate, size, base, churn, period, swing;
} with = {.rate = 100e3, .size = 1000, .period = 10};

static void *kept;

static void *must(void *p)
{
	if (!p || p == MAP_FAILED)
		_exit(9);
	return p;
}

__attribute__((noinline)) static void forget_object(size_t size)
{
	void **p = must(malloc(size < sizeof(p) ? sizeof(p) : size));

	memset(p, 0x5a, size);
	*p = kept;
	kept = p;
}

__attribute__((noinline)) static void forget_map(size_t size)
{
	memset(must(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), 1, size);
}

__attribute__((noinline)) static void forget_shared(size_t size)
{
	memset(must(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)), 1, size);
}

__attribute__((noinline)) static void forget_element(size_t size)
{
	static size_t held, room;
	static char *all;

	if (held + size > room) {
		room += room / 8 + size;
		all = must(realloc(all, room));
	}
	memset(all + held, 1, size);
	held += size;
}

__attribute__((noinline)) static void forget_memfd(size_t size)
{
	static int fd = -1;
	static off_t held;
	void *p;

	size = (size + 4095) / 4096 * 4096;
	if (fd < 0)
		fd = memfd_create("kept", MFD_CLOEXEC);
	if (ftruncate(fd, held + (off_t)size) < 0)
		_exit(9);
	p = must(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, held));
	memset(p, 1, size);
	held += (off_t)size;
}

__attribute__((noinline)) static void forget_file(size_t size)
{
	static unsigned n;
	char name[64], block[4096];
	int fd;

	snprintf(name, sizeof(name), "/dev/shm/guilty-%d-%u", (int)getpid(), n++);
	fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	unlink(name); /* open for good: it goes with the program */
	memset(block, 1, sizeof(block));
	for (size_t done = 0; done < size; done += sizeof(block))
		if (write(fd, block, sizeof(block)) < 0)
			_exit(9);
}

__attribute__((noinline)) static void forget_fd(size_t size)
{
	(void)size;
	if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
		_exit(9);
}

__attribute__((noinline)) static void forget_socket(size_t size)
{
	char block[4096] = {1};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
		_exit(9);
	for (size_t done = 0; done < size && write(pair[0], block, sizeof(block)) > 0; done += sizeof(block))
		;
}

__attribute__((noinline)) static void forget_pipe(size_t size)
{
	char block[4096] = {1};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		_exit(9);
	for (size_t done = 0; done < size && done < PIPE_FILL && write(ends[1], block, sizeof(block)) > 0;
	     done += sizeof(block))
		;
}

/* What comes and goes: more than what stays, and no two alike. */
__attribute__((noinline)) static void handle_request(unsigned *seed)
{
	static __thread void *ring[RING];
	size_t most = with.size > 2000 ? 2000 : (size_t)with.size;
	size_t n = 16 + (size_t)rand_r(seed) % (2 * most);
	void **at = &ring[rand_r(seed) % RING];

	free(*at);
	*at = must(malloc(n));
	memset(*at, 1, n);
}

static void rest(double s)
{
	struct timespec t = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};

	nanosleep(&t, NULL);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double uniform(unsigned *seed)
{
	return ((double)rand_r(seed) + 0.5) / ((double)RAND_MAX + 1);
}

/* At the pace asked for: forget == NULL only churns. lumps: saved up and let go once in a period. */
static void work(void (*forget)(size_t), const char *kind)
{
	unsigned seed = (unsigned)getpid() * 7919U + (forget != NULL);
	double owed = 0, last = now(), lump_due = last + with.period;
	int lumps = !strcmp(kind, "lumps"), uneven = !strcmp(kind, "requests");
	char *swing = NULL;

	for (;;) {
		double t = now(), more = with.rate * (t - last);

		last = t;
		owed += uneven ? 2 * more * uniform(&seed) * (uniform(&seed) < 0.5 ? 2 : 0) : more;
		for (; owed >= with.size && (!lumps || t >= lump_due); owed -= with.size) {
			for (int i = 0; i < (int)with.churn; i++)
				handle_request(&seed);
			if (forget)
				forget(with.size);
		}
		if (t >= lump_due) {
			lump_due = t + with.period;
			if (with.swing > 0 && swing) {
				munmap(swing, (size_t)with.swing);
				swing = NULL;
			} else if (with.swing > 0) {
				swing = must(mmap(NULL, (size_t)with.swing, PROT_READ | PROT_WRITE,
						  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
				memset(swing, 1, (size_t)with.swing);
			}
		}
		rest(TICK_MS / 1e3);
	}
}

static void *worker_thread(void *guilty)
{
	work(guilty ? forget_object : NULL, "thread");
	return NULL;
}

static void load_tables(void)
{
	for (size_t done = 0; done < (size_t)with.base; done += 16384)
		memset(must(malloc(16384)), 2, 16384);
}

static void take(const char *argument)
{
	static const struct {
		const char *key;
		double *value;
	} keys[] = {{"rate=", &with.rate},   {"size=", &with.size},	{"base=", &with.base},
		    {"churn=", &with.churn}, {"period=", &with.period}, {"swing=", &with.swing}};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strncmp(argument, keys[i].key, strlen(keys[i].key))) {
			*keys[i].value = strtod(argument + strlen(keys[i].key), NULL);
			return;
		}
	fprintf(stderr, "guilty: found \"%s\", expected rate=, size=, base=, churn=, period= or swing=\n", argument);
	exit(2);
}

static void (*forget_of(const char *kind))(size_t)
{
	static const struct {
		const char *kind;
		void (*forget)(size_t);
	} kinds[] = {{"objects", forget_object}, {"thread", forget_object},   {"child", forget_object},
		     {"lumps", forget_object},	 {"requests", forget_object}, {"swinging", forget_object},
		     {"array", forget_element},	 {"map", forget_map},	      {"shared", forget_shared},
		     {"memfd", forget_memfd},	 {"tmpfs", forget_file},      {"fds", forget_fd},
		     {"sockets", forget_socket}, {"pipes", forget_pipe}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kind, kinds[i].kind))
			return kinds[i].forget;
	fprintf(stderr, "guilty: no kind \"%s\": see its source\n", kind);
	exit(2);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "objects";
	void (*forget)(size_t) = forget_of(kind);
	struct rlimit files = {1 << 19, 1 << 19};
	pthread_t id;

	for (int i = 2; i < argc; i++)
		take(argv[i]);
	setrlimit(RLIMIT_NOFILE, &files);
	load_tables();
	if (!strcmp(kind, "child")) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(forget, kind);
		}
		wait(NULL);
		return 0;
	}
	for (size_t i = 1; !strcmp(kind, "thread") && i <= THREADS; i++)
		pthread_create(&id, NULL, worker_thread, i == 2 ? &with : NULL);
	if (!strcmp(kind, "thread"))
		pause();
	work(forget, kind);
	return 0;
}
