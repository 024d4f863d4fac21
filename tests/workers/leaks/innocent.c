/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What rules of growth take for leaks, in a program that has none. innocent KIND [base=BYTES] [size=BYTES that come on
 * top] [period=SECONDS] [seed=N] [file=PATH]
 *   warmup   rises by size ever more slowly (time constant: period), then stays
 *   filling  a cache takes new keys evenly until it is full, after a period; then each replaces one
 *   zipf     a cache of size with keys some of which are asked for often: it fills ever more slowly
 *   saw      rises by size within a period, and gives all back
 *   cycle    a load that rises and falls with the period
 *   shift    now this level, now that, for about a period each
 *   walk     sessions that come and go at random, each for a period on average
 *   fork     children write to what they share with the parent, and end
 *   reader   reads a file in a circle: page cache
 *   churn    allocates and frees all the time, of all sizes
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_S 0.1
#define BLOCK  8192 /* of what comes and goes */
#define MOST   (1 << 16) /* blocks */

static struct {
	double base, size, period, seed;
	const char *file;
} with = {.base = 10e6, .size = 10e6, .period = 60, .seed = 1};

static char *blocks[MOST];
static size_t n_blocks;
static unsigned seed;
static double began;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double uniform(void)
{
	return ((double)rand_r(&seed) + 0.5) / ((double)RAND_MAX + 1);
}

static char *block(size_t n)
{
	char *p = malloc(n);

	if (!p)
		_exit(9);
	memset(p, 3, n);
	return p;
}

/* Blocks, until they come to so many bytes. */
static void hold(double bytes)
{
	size_t want = bytes > 0 ? (size_t)(bytes / BLOCK) : 0;

	want = want < MOST ? want : MOST;
	while (n_blocks > want)
		free(blocks[--n_blocks]);
	while (n_blocks < want)
		blocks[n_blocks++] = block(BLOCK);
}

static void warmup(double t)
{
	hold(with.size * (1 - exp(-t / with.period)));
}

static void replace_some(void)
{
	for (int i = 0; i < 10 && n_blocks; i++) {
		char **at = &blocks[(size_t)(uniform() * (double)n_blocks)];

		free(*at);
		*at = block(BLOCK);
	}
}

static void filling(double t)
{
	hold(with.size * fmin(1, t / with.period));
	if (t > with.period)
		replace_some();
}

/* Keys of rank r are asked for in proportion to 1 / r: those that are not there yet are added. */
static void zipf(double t)
{
	static char there[MOST];
	size_t keys = (size_t)(with.size / BLOCK);
	static size_t asked;

	keys = keys < MOST ? keys : MOST;
	for (size_t end = (size_t)(t * 3 * (double)keys / with.period); asked < end; asked++) {
		size_t rank = (size_t)pow((double)keys, uniform());

		if (rank >= keys || there[rank])
			continue;
		there[rank] = 1;
		blocks[n_blocks++] = block(BLOCK);
	}
}

static void saw(double t)
{
	hold(with.size * fmod(t, with.period) / with.period);
}

static void cycle(double t)
{
	hold(with.size / 2 * (1 + sin(2 * M_PI * (t / with.period + with.seed * 0.37))));
}

static void shift(double t)
{
	static double level, until;

	if (t >= until) {
		level = uniform();
		until = t - with.period * log(uniform());
	}
	hold(with.size * level);
}

/* Births and deaths: half of size on average. */
static void walk(double t)
{
	static unsigned sessions = 20;
	static double last;
	unsigned mean = 40, ended = 0;
	double dt = t - last, births = mean * dt / with.period;

	last = t;
	for (unsigned i = 0; i < sessions; i++)
		ended += uniform() < dt / with.period;
	sessions -= ended;
	sessions += (unsigned)births + (uniform() < births - floor(births));
	hold(with.size / 2 * fmin(2, (double)sessions / mean));
}

static void forks(double t)
{
	static double due;

	hold(with.size / 2);
	if (t < due)
		return;
	due = t + with.period;
	if (!fork()) {
		for (size_t i = 0; i < n_blocks; i++) {
			memset(blocks[i], 4, BLOCK);
			usleep((useconds_t)(with.period * 5e5 / (double)n_blocks));
		}
		_exit(0);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void reader(double t)
{
	static char buffer[1 << 20];
	static int fd = -1;

	(void)t;
	if (fd < 0 && (fd = open(with.file ? with.file : "/proc/self/exe", O_RDONLY | O_CLOEXEC)) < 0)
		_exit(8);
	for (int i = 0; i < 4; i++)
		if (read(fd, buffer, sizeof(buffer)) < (ssize_t)sizeof(buffer))
			lseek(fd, 0, SEEK_SET);
}

static void churn(double t)
{
	size_t most = (size_t)(with.size / BLOCK);

	(void)t;
	most = most < MOST ? most : MOST;
	for (int i = 0; i < 200; i++) {
		char **at = &blocks[(size_t)(uniform() * (double)most)];

		free(*at);
		*at = uniform() < 0.5 ? NULL : block((size_t)(16 + uniform() * 2 * BLOCK));
	}
}

static const struct {
	const char *name;
	void (*step)(double t);
} kinds[] = {{"warmup", warmup}, {"filling", filling}, {"zipf", zipf},	{"saw", saw},	    {"cycle", cycle},
	     {"shift", shift},	 {"walk", walk},       {"fork", forks}, {"reader", reader}, {"churn", churn}};

static void take(const char *argument)
{
	if (sscanf(argument, "base=%lf", &with.base) == 1 || sscanf(argument, "size=%lf", &with.size) == 1 ||
	    sscanf(argument, "period=%lf", &with.period) == 1 || sscanf(argument, "seed=%lf", &with.seed) == 1)
		return;
	if (strncmp(argument, "file=", 5) != 0) {
		fprintf(stderr, "innocent: found \"%s\", expected base=, size=, period=, seed= or file=\n", argument);
		exit(2);
	}
	with.file = argument + 5;
}

int main(int argc, char **argv)
{
	void (*step)(double) = NULL;

	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].name))
			step = kinds[i].step;
	if (!step) {
		fprintf(stderr, "innocent: no such kind: see its source\n");
		return 2;
	}
	for (int i = 2; i < argc; i++)
		take(argv[i]);
	seed = (unsigned)with.seed * 2654435761U + 1;
	for (size_t done = 0; done < (size_t)with.base; done += BLOCK)
		(void)block(BLOCK);
	for (began = now();;) {
		struct timespec t = {0, (long)(TICK_S * 1e9)};

		step(now() - began);
		nanosleep(&t, NULL);
	}
}
