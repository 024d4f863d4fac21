/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * memweir-symbols: which function is that? One part opens what a process has mapped and reads none of it; the other
 * reads, and has given up every right before. It may ask the first for debug files, whose names stand in what it reads.
 * mw_symbols_ask starts it; by hand it shows what is known of addresses.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "symbols/answer.h"
#include "symbols/fetch.h"
#include "symbols/find.h"
#include "symbols/resolve.h"
#include "symbols/unwind.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/confine.h"
#include "util/json_in.h"
#include "util/reply.h"

#define TIMEOUT_MS 5000
#define MAPS_BYTES (64ULL << 30) /* of address space for files: they are not read whole */

struct arguments {
	struct mw_question q;
	bool stack, from_stdin;
	__u64 timeout_ms;
};

static int usage(void)
{
	fputs("usage: memweir-symbols " MW_SYMBOLS_PID " PID [" MW_SYMBOLS_START " TICKS] [" MW_SYMBOLS_TIMEOUT
	      " MS] ([" MW_SYMBOLS_STACK "] ADDRESS... | " MW_SYMBOLS_MODULES " | " MW_SYMBOLS_ALLOCATORS ")\n"
	      "Prints functions, files and lines of addresses in a process, what it has mapped, or where its "
	      "allocators\n"
	      "are, as JSON.\n"
	      "With " MW_SYMBOLS_STACK " all but the first are return addresses.\n",
	      stderr);
	return 2;
}

static bool take_number(const char *text, int base, __u64 *ret)
{
	char *end;

	if (!text || !*text || *text == '-')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, base);
	return !*end && !errno;
}

/* Those with a value. 0; -ENOENT it is none of them; -EINVAL. */
static int take_option(const char *name, const char *value, struct arguments *a)
{
	__u64 pid;

	if (!strcmp(name, MW_SYMBOLS_PID)) {
		if (!take_number(value, 10, &pid) || !pid || pid > 0x7fffffff)
			return -EINVAL;
		a->q.pid = (pid_t)pid;
		return 0;
	}
	if (!strcmp(name, MW_SYMBOLS_START))
		return take_number(value, 10, &a->q.start_ticks) ? 0 : -EINVAL;
	if (!strcmp(name, MW_SYMBOLS_TIMEOUT))
		return take_number(value, 10, &a->timeout_ms) ? 0 : -EINVAL;
	return -ENOENT;
}

static int parse_arguments(int argc, char **argv, struct arguments *a)
{
	for (int i = 1; i < argc; i++) {
		int r = take_option(argv[i], argv[i + 1], a); /* NULL behind the last */
		__u64 pc;

		if (r == 0) {
			i++;
		} else if (r == -EINVAL) {
			return r;
		} else if (!strcmp(argv[i], MW_SYMBOLS_STACK)) {
			a->stack = true;
		} else if (!strcmp(argv[i], MW_SYMBOLS_MODULES)) {
			a->q.list = true;
		} else if (!strcmp(argv[i], MW_SYMBOLS_ALLOCATORS)) {
			a->q.list = a->q.allocators = true;
		} else if (!strcmp(argv[i], MW_SYMBOLS_QUESTION)) {
			a->from_stdin = true;
		} else if (!take_number(argv[i], 16, &pc) || mw_question_add(&a->q, pc, a->stack && a->q.n)) {
			return -EINVAL;
		}
	}
	/* The caller asks for a list by its argument, and by standard input whose. */
	if (a->q.list && !a->q.pid)
		a->from_stdin = true;
	if (a->timeout_ms < 1 || a->timeout_ms > 60000 || (a->q.list && a->q.n))
		return -EINVAL;
	return a->from_stdin || (a->q.pid && (a->q.n || a->q.list)) ? 0 : -EINVAL;
}

static int read_question(struct mw_question *q, struct mw_error *err)
{
	_cleanup_free_ char *text = malloc(MW_QUESTION_BYTES);
	size_t n = 0;
	ssize_t r = 1;

	if (!text)
		return -ENOMEM;
	while (r && n < MW_QUESTION_BYTES) {
		r = read(STDIN_FILENO, text + n, MW_QUESTION_BYTES - n);
		if (r < 0 && errno != EINTR)
			return mw_fail(err, -errno, "the question: %s", strerror(errno));
		n += r < 0 ? 0 : (size_t)r;
	}
	if (n == MW_QUESTION_BYTES)
		return mw_fail(err, -EINVAL, "the question is longer than %u bytes", MW_QUESTION_BYTES);
	return mw_question_read(text, n, q, err);
}

static int allocators(struct mw_opened *o, char **ret_text)
{
	struct mw_allocators *all = calloc(1, sizeof(*all));
	int r = all ? mw_find_allocators(o, all) : -ENOMEM;

	return r ? r : mw_allocators_write(all, ret_text);
}

/* The part without rights; it never returns. */
static void answer(const struct mw_question *q, struct mw_opened *o, int sock, __u32 timeout_ms)
{
	struct mw_confinement c = {.timeout_ms = timeout_ms,
				   .answer_bytes = MW_SYMBOLS_ANSWER_MAX,
				   .maps_bytes = MAPS_BYTES,
				   .fetches = true};
	__u64 deadline_ns = mw_now_ns() + timeout_ms * MW_NS_PER_MS / 4 * 3;
	struct mw_unwound unwound[MW_STACKS_MAX];
	struct mw_symbols symbols = {0};
	struct mw_error err = {""};
	char *text = NULL;
	int r = mw_confine(&c, &err);

	if (!r && q->allocators) {
		r = allocators(o, &text);
	} else if (!r && q->list) {
		mw_resolve_modules(o);
		r = mw_modules_write(&o->own, &text);
	} else if (!r && q->n_stacks) {
		r = mw_unwind(q, o, sock, deadline_ns, unwound);
		r = r ? r : mw_unwound_write(unwound, q->n_stacks, &text);
	} else if (!r) {
		r = mw_resolve(q, o, sock, deadline_ns, &symbols);
		r = r ? r : mw_symbols_write(&symbols, q->addresses, &text);
	}
	/* What is allocated and open goes with us. */
	_exit(r ? mw_reply_error(&err, r) : mw_reply(text));
}

/* Hand over what the other part asks for, and say so where it died: it has read what others wrote. */
static int serve(pid_t pid, int sock, const struct mw_opened *o, __u64 deadline_ns, struct mw_error *err)
{
	int status, r = mw_fetch_serve(sock, o, deadline_ns);

	if (r < 0)
		kill(pid, SIGKILL); /* our child, and not waited for: it is this one */
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return mw_fail(err, -errno, "waitpid: %s", strerror(errno));
	}
	if (r == -ETIMEDOUT || (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM))
		return mw_fail(err, -ETIMEDOUT, "it takes too long to read");
	if (r < 0)
		return mw_fail(err, r, "it asked for too many files");
	if (WIFSIGNALED(status))
		return mw_fail(err, -EPROTO, "the part that reads died of signal %d", WTERMSIG(status));
	return WEXITSTATUS(status) ? mw_fail(err, -EPROTO, "the part that reads failed") : 0;
}

static int run(const struct mw_question *q, __u32 timeout_ms, struct mw_error *err)
{
	__u64 deadline_ns = mw_now_ns() + timeout_ms * MW_NS_PER_MS;
	struct mw_opened o;
	int socks[2], r;
	pid_t pid;

	r = mw_open_all(q, &o, err);
	if (r)
		return r;
	r = mw_fetch_pair(socks);
	if (r)
		return mw_fail(err, r, "a pair of sockets: %s", strerror(-r));
	pid = fork();
	if (pid < 0)
		return mw_fail(err, -errno, "fork: %s", strerror(errno));
	if (!pid) {
		close(socks[1]);
		mw_close(&o.host_fd);
		mw_close(&o.root_fd);
		answer(q, &o, socks[0], timeout_ms);
	}
	close(socks[0]);
	r = serve(pid, socks[1], &o, deadline_ns, err);
	close(socks[1]);
	mw_opened_free(&o);
	return r;
}

int main(int argc, char **argv)
{
	struct arguments a = {.timeout_ms = TIMEOUT_MS};
	struct mw_error err = {""};
	int r;

	if (parse_arguments(argc, argv, &a) < 0) {
		mw_question_free(&a.q);
		return usage();
	}
	mw_expendable();
	mw_json_warm_up();
	r = a.from_stdin ? read_question(&a.q, &err) : 0;
	if (!r)
		r = run(&a.q, (__u32)a.timeout_ms, &err);
	mw_question_free(&a.q);
	return r ? mw_reply_error(&err, r) : 0;
}
