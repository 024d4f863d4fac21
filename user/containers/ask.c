/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "containers/found.h"
#include "util/cleanup.h"
#include "util/inquire.h"
#include "util/libexec.h"

#define TIMEOUT_MS 2000

static int hear(const struct mw_container_question *q, struct mw_answer *ret_answer, struct mw_error *err)
{
	__u32 timeout_ms = q->timeout_ms ? q->timeout_ms : TIMEOUT_MS;
	_cleanup_free_ char *text = NULL;
	char timeout[16];
	const char *argv[] = {MW_CONTAINER_PROGRAM,
			      q->name ? MW_FIND_NAME : MW_FIND_CGROUP,
			      q->name ? q->name : q->cgroup,
			      MW_FIND_ROOT,
			      q->root ? q->root : "/",
			      MW_FIND_TIMEOUT,
			      timeout,
			      NULL};
	struct mw_inquiry inquiry = {
		.program = MW_CONTAINER_PROGRAM,
		.path = q->helper,
		.argv = argv,
		.stdin_fd = -1,
		.timeout_ms = timeout_ms,
		.answer_max = MW_ANSWER_MAX,
	};
	size_t n;
	int r;

	snprintf(timeout, sizeof(timeout), "%u", timeout_ms);
	r = mw_inquire(&inquiry, &text, &n, err);
	return r < 0 ? r : mw_answer_read(text, n, ret_answer, err);
}

/* Several that run: their engines, names and IDs. */
static int tell_several(const struct mw_answer *a, const bool *runs, const char *asked, struct mw_error *err)
{
	char list[360] = "";
	size_t n = 0, used = 0;

	for (size_t i = 0; i < a->n_found; i++) {
		const struct mw_container *c = &a->found[i].c;

		if (!runs[i])
			continue;
		n++;
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s:%.40s%s%.40s (%.12s)",
						 used ? ", " : "", c->engine, c->pod, *c->pod ? "/" : "", c->name,
						 c->id);
	}
	return mw_fail(err, -EEXIST, "%.80s: %zu containers%s: %s", asked, n + a->left_out,
		       a->left_out ? ", some of them" : "", list);
}

/* What may have been missed, to put behind a sentence. */
static const char *gaps(const struct mw_answer *a, char *buf, size_t size)
{
	buf[0] = '\0';
	if (a->unread)
		snprintf(buf, size, "; %zu not read, %.150s", a->unread, a->problem);
	return buf;
}

static int tell_none(const struct mw_answer *a, const char *asked, struct mw_error *err)
{
	char missed[200];

	return mw_fail(err, -ENOENT, "no container %.80s (looked in %.200s%s)", asked,
		       *a->looked ? a->looked : "no folder: there is no engine", gaps(a, missed, sizeof(missed)));
}

/* Found, and it does not run or not there: code and sentence are the check's. */
static int tell_not_running(const struct mw_answer *a, int code, struct mw_error *err)
{
	char missed[200], said[sizeof(err->text)];

	memcpy(said, err->text, sizeof(said));
	return mw_fail(err, code == -EXDEV ? -ESRCH : code, "%.300s%s", said, gaps(a, missed, sizeof(missed)));
}

/* The one that the kernel knows too. Of those that do not run the first says why. */
static int choose(const struct mw_container_question *q, struct mw_answer *a, struct mw_container *ret,
		  struct mw_error *err)
{
	const char *asked = q->name ? q->name : q->cgroup;
	bool runs[MW_FOUND_MAX] = {false};
	size_t n = 0, which = 0;
	int first = 0, its = 0;

	if (!a->n_found)
		return tell_none(a, asked, err);
	for (size_t i = 0; i < a->n_found; i++) {
		int r = mw_found_check(q->root ? q->root : "", &a->found[i], first ? NULL : err);

		runs[i] = r == 0 || r == -EOPNOTSUPP; /* without a cgroup of its own, and it runs */
		first = first ? first : r;
		if (!runs[i])
			continue;
		which = i;
		its = r;
		n++;
	}
	if (n > 1 || (n && a->left_out))
		return tell_several(a, runs, asked, err);
	if (!n)
		return tell_not_running(a, first, err);
	if (its) /* once more, for its own sentence; without a cgroup it is never 0 */
		return mw_found_check(q->root ? q->root : "", &a->found[which], err);
	*ret = a->found[which].c;
	a->found[which].c = (struct mw_container){0}; /* its labels are the caller's now */
	return 0;
}

static int check_question(const struct mw_container_question *q, struct mw_error *err)
{
	if (!q->name == !q->cgroup)
		return mw_fail(err, -EINVAL, "a container is asked for by name or by cgroup");
	if (q->name && !mw_container_name_valid(q->name))
		return mw_fail(err, -EINVAL,
			       "\"%.80s\" is no name of a container: expected letters, digits, _ + . -, an ID or the "
			       "beginning of one, ENGINE: before it if need be",
			       q->name);
	if (q->cgroup && !mw_cgroup_path_valid(q->cgroup))
		return mw_fail(err, -EINVAL,
			       "\"%.80s\" is no cgroup of a container: expected /... below the cgroup root", q->cgroup);
	if (q->timeout_ms > 60000)
		return mw_fail(err, -EINVAL, "timeout: found %u ms, expected 1 to 60000", q->timeout_ms);
	return 0;
}

int mw_container_ask(const struct mw_container_question *q, struct mw_container *ret_container, struct mw_error *err)
{
	_cleanup_free_ struct mw_answer *a = NULL;
	struct mw_error unheard; /* err may be NULL: sentences are still put together in steps */
	int r;

	err = err ? err : &unheard;
	r = check_question(q, err);
	if (r < 0)
		return r;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	r = hear(q, a, err);
	if (r == 0)
		r = choose(q, a, ret_container, err);
	mw_answer_free(a);
	return r;
}
