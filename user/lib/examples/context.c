// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A context that keeps what was said, forgets the older half of it on a warning, and takes nothing more on an error.
 *
 *	context [-m MB] < FILE           a line is a message
 *	context [-m MB] -n N -b BYTES    N messages of BYTES, made up
 *
 * -m: a limit of its own, in MB; else that of its worker, or of class context. It prints what became of the messages.
 */
#include <malloc.h>
#include <memweir/guard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_MAX 1000000

static char *history[HISTORY_MAX];
static size_t kept;
static unsigned long forgotten, rejected, warnings;

/* The older half goes; what malloc has free then goes back to the kernel, or it would count on. */
static void forget_half(void)
{
	size_t half = (kept + 1) / 2;

	for (size_t i = 0; i < half; i++)
		free(history[i]);
	memmove(history, history + half, (kept - half) * sizeof(history[0]));
	kept -= half;
	forgotten += half;
	malloc_trim(0);
}

/* Called from memweir_guard_validate() below, so there is nothing to lock. */
static void on_warning(struct memweir_guard *guard, const struct memweir_notice *notice, void *arg)
{
	(void)guard;
	(void)arg;
	warnings++;
	fprintf(stderr, "context: %s, %.1f %%: forgetting half of %zu messages\n", notice->what, notice->percent, kept);
	forget_half();
}

static int over(struct memweir_guard *guard)
{
	return memweir_guard_validate_exact(guard, NULL) == MEMWEIR_LEVEL_ERROR;
}

/* 0, or why it was not taken. */
static const char *add(struct memweir_guard *guard, const char *message)
{
	char *copy;

	/* The exact one, since a message may be large; it costs some microseconds. */
	if (over(guard)) { /* that has called on_warning, if it was not called just now: look again */
		if (over(guard))
			return "over the limit";
	}
	if (kept == HISTORY_MAX)
		forget_half();
	copy = strdup(message);
	if (!copy)
		return "no memory";
	history[kept++] = copy;
	return NULL;
}

static void take(struct memweir_guard *guard, const char *message)
{
	const char *why = add(guard, message);

	if (why && !rejected++)
		fprintf(stderr, "context: a message of %zu bytes is rejected: %s\n", strlen(message), why);
}

static void take_lines(struct memweir_guard *guard)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0)
		take(guard, line);
	free(line);
}

static int take_made_up(struct memweir_guard *guard, unsigned long n, size_t bytes)
{
	char *message = malloc(bytes + 1);

	if (!message)
		return -1;
	for (unsigned long i = 0; i < n; i++) {
		memset(message, 'a' + (int)(i % 26), bytes);
		message[bytes] = '\0';
		take(guard, message);
	}
	free(message);
	return 0;
}

static void say_guard(struct memweir_guard *guard)
{
	struct memweir_guard_limits l = MEMWEIR_INIT(struct memweir_guard_limits);
	char text[300];

	if (memweir_guard_limits(guard, &l) == 0)
		fprintf(stderr, "context: class %s, %.1f MB\n", l.class_name, (double)l.max_heap_bytes / 1e6);
	if (memweir_guard_capability_text(guard, MEMWEIR_CAN_ENFORCE, text, sizeof(text)) == 0)
		fprintf(stderr, "context: %s\n", text);
}

int main(int argc, char **argv)
{
	struct memweir_guard_options o = MEMWEIR_INIT(struct memweir_guard_options);
	struct memweir_guard_usage u = MEMWEIR_INIT(struct memweir_guard_usage);
	struct memweir_guard *guard;
	unsigned long n = 0, bytes = 1000;
	int c, r;

	o.class_name = getenv("MEMWEIR_CLASS") ? NULL : "context";
	while ((c = getopt(argc, argv, "m:n:b:")) != -1) {
		if (c == 'm')
			o.max_heap_bytes = strtoull(optarg, NULL, 10) * 1000000;
		else if (c == 'n')
			n = strtoul(optarg, NULL, 10);
		else if (c == 'b')
			bytes = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	r = memweir_guard_enrol(&o, &guard);
	if (r < 0) {
		fprintf(stderr, "context: cannot enrol: %s\n", strerror(-r));
		return 1;
	}
	say_guard(guard);
	memweir_guard_on_level(guard, MEMWEIR_EVENT_WARNING, on_warning, NULL);
	if (!n)
		take_lines(guard);
	else if (take_made_up(guard, n, bytes))
		return 1;
	if (memweir_guard_usage(guard, &u) == 0)
		printf("kept %zu, forgotten %lu, rejected %lu, warnings %lu, %.1f %% of the limit\n", kept, forgotten,
		       rejected, warnings, u.percent);
	memweir_guard_free(guard);
	for (size_t i = 0; i < kept; i++)
		free(history[i]);
	return 0;
}
