/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/allocators.h"
#include "symbols/answer.h"
#include "util/cleanup.h"
#include "util/inquire.h"
#include "util/libexec.h"

#define TIMEOUT_MS     5000
#define ALLOCATORS_MAX (MW_ALLOCATOR_PLACES * 4096U)

static int check_timeout(__u32 timeout_ms, struct mw_error *err)
{
	if (timeout_ms > 60000)
		return mw_fail(err, -EINVAL, "timeout: found %u ms, expected 1 to 60000", timeout_ms);
	return 0;
}

/* No more is read into our own memory than an honest answer needs. */
static size_t answer_max(const struct mw_question *q)
{
	size_t most = 4096 + q->n * MW_SYMBOLS_ANSWER_EACH;

	if (q->allocators)
		return ALLOCATORS_MAX;
	if (q->list)
		return MW_MODULES_ANSWER_MAX;
	if (q->n_stacks)
		return 4096 + q->n_stacks * MW_UNWOUND_ANSWER_EACH;
	return most < MW_SYMBOLS_ANSWER_MAX ? most : MW_SYMBOLS_ANSWER_MAX;
}

/* Its time is a little less than ours, so that it can still say what took so long. */
static int inquire(const struct mw_question *q, const char *program, int stdin_fd, __u32 timeout_ms, char **ret_text,
		   size_t *ret_n, struct mw_error *err)
{
	char timeout[16];
	const char *what = q->allocators ? MW_SYMBOLS_ALLOCATORS : q->list ? MW_SYMBOLS_MODULES : MW_SYMBOLS_QUESTION;
	const char *argv[] = {MW_SYMBOLS_PROGRAM, what, MW_SYMBOLS_TIMEOUT, timeout, NULL};
	struct mw_inquiry inquiry = {
		.program = MW_SYMBOLS_PROGRAM,
		.path = program,
		.argv = argv,
		.stdin_fd = stdin_fd,
		.timeout_ms = timeout_ms,
		.answer_max = answer_max(q),
	};

	snprintf(timeout, sizeof(timeout), "%u", timeout_ms - timeout_ms / 8);
	return mw_inquire(&inquiry, ret_text, ret_n, err);
}

/* A file that is nowhere: unlike a pipe it takes all before anybody reads. */
static int as_file(const struct mw_question *q, int *ret_fd)
{
	_cleanup_close_ int fd = memfd_create("memweir-question", MFD_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	int r;

	if (fd < 0)
		return -errno;
	r = mw_question_write(q, &text, &n);
	for (size_t done = 0; !r && done < n;) {
		ssize_t w = write(fd, text + done, n - done);

		if (w < 0 && errno != EINTR)
			return -errno;
		done += w < 0 ? 0 : (size_t)w;
	}
	if (!r && lseek(fd, 0, SEEK_SET))
		return -errno;
	if (!r)
		*ret_fd = TAKE_FD(fd);
	return r;
}

static int ask(const struct mw_question *q, const char *program, __u32 timeout_ms, char **ret_text, size_t *ret_n,
	       struct mw_error *err)
{
	_cleanup_close_ int fd = -1;
	int r = check_timeout(timeout_ms, err);

	if (r)
		return r;
	r = as_file(q, &fd);
	if (r)
		return mw_fail(err, r, "a file for the question: %s", strerror(-r));
	return inquire(q, program, fd, timeout_ms ? timeout_ms : TIMEOUT_MS, ret_text, ret_n, err);
}

int mw_symbols_ask(const struct mw_symbols_question *q, struct mw_symbols *ret_symbols, struct mw_error *err)
{
	struct mw_question question = {.pid = q->pid, .start_ticks = q->start_ticks, .dead = q->modules};
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	int r;

	if (q->pid < 0 || (!q->pid && !q->modules))
		return mw_fail(err, -EINVAL, "addresses of whom? Expected a pid or modules");
	if (!q->n || q->n > MW_ADDRESSES_MAX)
		return mw_fail(err, -EINVAL, "addresses: found %zu, expected 1 to %d", q->n, MW_ADDRESSES_MAX);
	question.addresses = (struct mw_address *)q->addresses; /* only read, and not freed */
	question.n = q->n;
	if (q->modules)
		question.modules = *q->modules;
	r = ask(&question, q->program, q->timeout_ms, &text, &n, err);
	return r < 0 ? r : mw_symbols_read(text, n, q->n, ret_symbols, err);
}

int mw_modules_ask(pid_t pid, __u64 start_ticks, const char *program, __u32 timeout_ms, struct mw_modules *ret_modules,
		   struct mw_error *err)
{
	struct mw_question question = {.pid = pid, .start_ticks = start_ticks, .list = true};
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	int r;

	if (pid <= 0)
		return mw_fail(err, -EINVAL, "modules of whom? Expected a pid");
	r = ask(&question, program, timeout_ms, &text, &n, err);
	return r < 0 ? r : mw_modules_read(text, n, ret_modules, err);
}

int mw_unwind_ask(const struct mw_unwind_question *q, struct mw_unwound *ret_unwound, struct mw_error *err)
{
	struct mw_question question = {.pid = q->pid, .start_ticks = q->start_ticks, .dead = q->modules};
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	int r;

	if (q->pid < 0 || (!q->pid && !q->modules))
		return mw_fail(err, -EINVAL, "stacks of whom? Expected a pid or modules");
	if (!q->n || q->n > MW_STACKS_MAX)
		return mw_fail(err, -EINVAL, "stacks: found %zu, expected 1 to %d", q->n, MW_STACKS_MAX);
	question.stacks = (struct mw_stack *)q->stacks; /* only read, and not freed */
	question.n_stacks = q->n;
	if (q->modules)
		question.modules = *q->modules;
	r = ask(&question, q->program, q->timeout_ms, &text, &n, err);
	return r < 0 ? r : mw_unwound_read(text, n, ret_unwound, q->n, err);
}

int mw_allocators_ask(pid_t pid, __u64 start_ticks, const char *program, __u32 timeout_ms,
		      struct mw_allocators *ret_allocators, struct mw_error *err)
{
	struct mw_question question = {.pid = pid, .start_ticks = start_ticks, .list = true, .allocators = true};
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	int r;

	if (pid <= 0)
		return mw_fail(err, -EINVAL, "allocators of whom? Expected a pid");
	r = ask(&question, program, timeout_ms, &text, &n, err);
	return r < 0 ? r : mw_allocators_read(text, n, ret_allocators, err);
}
