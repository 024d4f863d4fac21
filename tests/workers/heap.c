/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Programs for the heap sampler: a little that leaks behind much that comes and goes. heap MODE [SIZE] [MB of a step]
 * After each step it says "ready BYTES BEGIN END PID": what the guilty code holds by now, where that code is, and whose
 * it is; then it waits for a line, and ends with its input.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GUILTY	  __attribute__((noinline, section("guilty")))
#define N_THREADS 8
#define N(a)	  (sizeof(a) / sizeof((a)[0]))

extern const char __start_guilty[], __stop_guilty[];

static size_t size = 256, step = 16 << 20;
static atomic_size_t held;
static _Atomic(void *) kept;
static pid_t who;

static GUILTY void leak_object(void)
{
	void **p = malloc(size);

	if (!p)
		_exit(9);
	*p = atomic_exchange(&kept, p);
	held += size;
}

static GUILTY void leak_map(void)
{
	if (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		_exit(9);
	held += size;
}

static GUILTY void grow_one(void)
{
	static char *p;

	held += size;
	p = realloc(p, held);
	if (!p)
		_exit(9);
	p[held - 1] = 1;
}

static GUILTY void grow_map(void)
{
	static char *p;
	size_t before = held;

	held += size;
	p = p ? mremap(p, before, held, MREMAP_MAYMOVE)
	      : mmap(NULL, held, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		_exit(9);
}

/* Much more than what leaks, and no two alike. */
__attribute__((noinline)) static void churn(unsigned *seed)
{
	static __thread void *ring[512];

	for (int i = 0; i < 20; i++) {
		size_t n = 16 + (size_t)rand_r(seed) % (2 * size);
		void **at = &ring[rand_r(seed) % 512];

		if (rand_r(seed) % 4) {
			free(*at);
			*at = rand_r(seed) % 8 ? malloc(n) : calloc(1, n);
		} else {
			*at = realloc(*at, n);
		}
		if (*at)
			memset(*at, 1, 8);
	}
}

__attribute__((noinline)) static void churn_maps(unsigned *seed)
{
	size_t n = (1 + (size_t)rand_r(seed) % 8) * size;
	char *p = mmap(NULL, 3 * n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(9);
	munmap(p, n); /* the head, the tail and what is left, as who aligns does */
	munmap(p + 2 * n, n);
	mmap(p + n, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	munmap(p + n, n);
}

static void objects(void)
{
	static unsigned seed = 1;

	for (size_t end = held + step; held < end;) {
		churn(&seed);
		leak_object();
	}
}

static void maps(void)
{
	static unsigned seed = 1;

	for (size_t end = held + step; held < end;) {
		churn_maps(&seed);
		leak_map();
	}
}

static void grow(void)
{
	static unsigned seed = 1;

	for (size_t end = held + step; held < end;) {
		churn(&seed);
		grow_one();
	}
}

static void remap(void)
{
	for (size_t end = held + step; held < end;)
		grow_map();
}

static void *one_of_many(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;

	for (size_t end = step / size / 2; end; end--) {
		churn(&seed);
		if (seed % 2)
			leak_object();
	}
	return NULL;
}

static void threads(void)
{
	pthread_t id[N_THREADS];

	for (size_t i = 0; i < N_THREADS; i++)
		pthread_create(&id[i], NULL, one_of_many, (void *)(i + 1));
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(id[i], NULL);
}

static _Atomic(void *) exchanged[16384];

/* What one thread allocates another one frees, or moves. */
static void *exchange_many(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;

	for (int i = 0; i < 200000; i++) {
		size_t n = 1 + (size_t)rand_r(&seed) % size;
		void *p = atomic_exchange(&exchanged[rand_r(&seed) % N(exchanged)], NULL);

		if (rand_r(&seed) % 2) {
			free(p);
			p = malloc(n);
		} else {
			p = realloc(p, n);
		}
		free(atomic_exchange(&exchanged[rand_r(&seed) % N(exchanged)], p));
	}
	return NULL;
}

/* Nothing is left in the end. */
static void exchange(void)
{
	pthread_t id[N_THREADS];

	for (size_t i = 0; i < N_THREADS; i++)
		pthread_create(&id[i], NULL, exchange_many, (void *)(i + 1));
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(id[i], NULL);
	for (size_t i = 0; i < N(exchanged); i++)
		free(atomic_exchange(&exchanged[i], NULL));
}

/* What a handler may do, wherever it comes: it can interrupt an allocation, and a sample of one. */
static void mapping_handler(int sig)
{
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)sig;
	if (p != MAP_FAILED)
		munmap(p, 1 << 20);
}

static void *ask_for_trouble(void *arg)
{
	static const char *const names[] = {"libm.so.6", "libutil.so.1", "libresolv.so.2", "libanl.so.1", "libdl.so.2"};
	unsigned seed = (unsigned)(size_t)arg;

	for (int i = 0; i < 400; i++) {
		void *lib = dlopen(names[rand_r(&seed) % 5], RTLD_NOW);
		pid_t pid;

		churn(&seed);
		if (lib)
			dlclose(lib);
		if (i % 40)
			continue;
		pid = fork();
		if (!pid) {
			churn(&seed);
			leak_object();
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	return NULL;
}

static void storm(void)
{
	struct itimerspec often = {{0, 100000}, {0, 100000}};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	struct sigaction handler = {.sa_handler = mapping_handler, .sa_flags = SA_RESTART};
	pthread_t id[N_THREADS];
	timer_t timer;

	sigaction(SIGALRM, &handler, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &often, NULL);
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_create(&id[i], NULL, ask_for_trouble, (void *)(i + 1));
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(id[i], NULL);
	timer_delete(timer);
}

static void filter(struct sock_filter *code, unsigned short n)
{
	struct sock_fprog program = {n, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(77);
}

#define CALL(nr, what) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, what)
#define LOAD_NR	       BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

/* A child that shuts itself in before it is sampled for the first time: what malloc itself needs is all that is left.
 */
static void sandbox(void)
{
	struct sock_filter code[] = {
		LOAD_NR,
		CALL(SYS_read, SECCOMP_RET_ALLOW),
		CALL(SYS_write, SECCOMP_RET_ALLOW),
		CALL(SYS_newfstatat, SECCOMP_RET_ALLOW),
		CALL(SYS_mmap, SECCOMP_RET_ALLOW),
		CALL(SYS_munmap, SECCOMP_RET_ALLOW),
		CALL(SYS_mremap, SECCOMP_RET_ALLOW),
		CALL(SYS_brk, SECCOMP_RET_ALLOW),
		CALL(SYS_getpid, SECCOMP_RET_ALLOW),
		CALL(SYS_gettid, SECCOMP_RET_ALLOW),
		CALL(SYS_exit_group, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};

	filter(code, N(code));
	objects();
}

/* Where no memfd can be had. */
static void refused(char **argv)
{
	struct sock_filter code[] = {
		LOAD_NR,
		CALL(SYS_memfd_create, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	filter(code, N(code));
	argv[1] = "objects";
	execv("/proc/self/exe", argv);
	_exit(9);
}

#define MUST(x)                                                                                                        \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			fprintf(stderr, "broken: %s\n", #x);                                                           \
			_exit(8);                                                                                      \
		}                                                                                                      \
	} while (0)

extern int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size) __attribute__((weak));

/* Each name behaves as libc's does, sampled (large) and not (small). */
static void names_of(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	volatile size_t many = SIZE_MAX / 2; /* so that no compiler sees what is asked for */
	void *p = NULL;
	char *c;

	errno = 4711;
	MUST((c = malloc(n)) && malloc_usable_size(c) >= n);
	memset(c, 7, n);
	MUST((c = realloc(c, 3 * n)) && c[0] == 7 && c[n - 1] == 7);
	MUST((c = reallocarray(c, n, 2)) && c[n - 1] == 7);
	free(c);
	MUST((c = calloc(n, 3)) && !c[0] && !c[3 * n - 1]);
	free(c);
	MUST((p = realloc(NULL, n)) && !realloc(p, 0));
	MUST((p = aligned_alloc(64, n / 64 * 64)) && !((uintptr_t)p % 64));
	free(p);
	MUST((p = memalign(4096, n)) && !((uintptr_t)p % 4096));
	free(p);
	MUST(!posix_memalign(&p, 1 << 21, n) && !((uintptr_t)p % (1 << 21)));
	free(p);
	MUST((p = valloc(n)) && !((uintptr_t)p % page));
	free(p);
	if (!mallctl) { /* jemalloc has none: libc's is not its to free */
		MUST((p = pvalloc(n)) && !((uintptr_t)p % page) && malloc_usable_size(p) >= page);
		free(p);
	}
	free(NULL);
	MUST(errno == 4711);
	MUST(posix_memalign(&p, 3, n) == EINVAL && errno == 4711);
	MUST(!malloc(many * 2) && errno == ENOMEM);
	MUST(!calloc(many, 4) && !reallocarray(NULL, many, 4));
	MUST((c = malloc(n)) && !realloc(c, many * 2));
	free(c);
	MUST(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
	MUST(munmap((void *)1, page) == -1 && errno == EINVAL);
}

static void names(void)
{
	for (int i = 0; i < 300; i++) {
		names_of(64);
		names_of(5000);
		names_of(300000);
	}
}

static void ready(void)
{
	printf("ready %zu %p %p %d\n", (size_t)held, (const void *)__start_guilty, (const void *)__stop_guilty,
	       (int)who);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*step)(void);
	} modes[] = {{"objects", objects}, {"maps", maps},    {"grow", grow},	     {"remap", remap},
		     {"threads", threads}, {"fork", objects}, {"clone", objects},    {"sandbox", sandbox},
		     {"storm", storm},	   {"names", names},  {"exchange", exchange}};
	const char *mode = argc > 1 ? argv[1] : "objects";

	size = argc > 2 ? strtoul(argv[2], NULL, 10) : size;
	step = argc > 3 ? strtoul(argv[3], NULL, 10) << 20 : step;
	if (!strcmp(mode, "refused"))
		refused(argv);
	if (!strcmp(mode, "fork") || !strcmp(mode, "clone") || !strcmp(mode, "sandbox")) {
		int status = 0;

		objects(); /* the parent's, which the child inherits */
		held = 0;
		who = strcmp(mode, "clone") ? fork() : (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
		if (who > 0)
			return waitpid(who, &status, 0) < 0 || status;
	}
	who = getpid();
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		while (!strcmp(mode, modes[i].name)) {
			modes[i].step();
			ready();
			if (getchar() == EOF)
				return 0;
		}
	}
	return 2;
}
