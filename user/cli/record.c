/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * memweir record: what the daemon sees, into a file. Asks just after each of its looks; the daemon makes none for it
 * and writes nothing, so a slow or full disk is this process's alone.
 */
#include "cli/record.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/call.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"

#define PROFILES_EVERY 20 /* documents: a changed profile is noticed after as many */
#define AFTER_SHARE    10 /* asked a tenth of the interval after a look: it takes some time to see all */
#define TRY_AGAIN_NS   MW_NS_PER_S /* where the daemon does not answer */

struct record_values {
	const char *out, *every, *length;
};

#define AT(field) offsetof(struct record_values, field)
static const struct mw_option rows[] = {
	{"out", 'o', MW_OPT_TEXT, AT(out), "FILE", "a new file (default: memweir-DATE-TIME.rec here)"},
	{"every", 'e', MW_OPT_TEXT, AT(every), "TIME", "ask so often (default: after each look of the daemon)"},
	{"for", 'f', MW_OPT_TEXT, AT(length), "TIME", "end after so long (default: Ctrl-C)"},
	{NULL},
};

/* The file, and how far it is good. */
struct output {
	const char *path;
	int fd;
	__u64 bytes;
};

struct plan {
	__u64 every_ns, end_ns; /* 0: after each look; never */
	unsigned asked;
	bool late; /* there was no new look: it rests, or nobody is there */
	bool silent; /* the daemon does not answer, which was said */
};

static volatile sig_atomic_t asked_to_end;

static void on_signal(int signo)
{
	(void)signo;
	asked_to_end = 1;
}

static void catch_signals(void)
{
	const struct sigaction end = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL); /* a limit of the file's size is told as a full disk is */
}

/* What was written of half a record is taken back. */
static int cannot_write(struct output *out, int code, struct mw_error *err)
{
	const char *why = strerror(-code);

	if (!out->bytes) {
		unlink(out->path);
		return mw_fail(err, code, "%s: %s; nothing was recorded", out->path, why);
	}
	if (ftruncate(out->fd, (off_t)out->bytes) < 0)
		return mw_fail(err, code, "%s: %s; it reads up to its last whole record, after byte %llu", out->path,
			       why, out->bytes);
	return mw_fail(err, code, "%s: %s after %llu bytes; what is there can be replayed", out->path, why, out->bytes);
}

/* All that has gathered, or the file as it was. */
static int flush(struct mw_recording *r, struct output *out, struct mw_error *err)
{
	size_t at = 0;

	while (at < r->writer.size) {
		ssize_t n = write(out->fd, r->writer.bytes + at, r->writer.size - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return cannot_write(out, n ? -errno : -EIO, err);
		at += (size_t)n;
	}
	out->bytes += at;
	mw_record_flushed(&r->writer);
	return 0;
}

/* 1: something came; 0: the daemon does not answer, for now. The first time it must. */
static int ask(const struct mw_cli *cli, struct mw_recording *r, struct plan *p, struct mw_error *err)
{
	bool profiles = r->strangers || p->asked % PROFILES_EVERY == 0;
	__u64 before_ns;
	_cleanup_answer_ struct mw_answer a = {0};
	int rc =
		mw_call_quiet(cli, "GET", profiles ? "/v1/samples?profiles" : "/v1/samples", NULL, MW_CALL_MS, &a, err);

	if (rc < 0 && r->begun && rc != -EREMOTEIO && rc != -ENOMEM) {
		if (!p->silent)
			mw_say_error(cli, "%s; goes on when it answers", err->text);
		p->silent = true;
		p->asked = 0;
		return 0;
	}
	if (rc < 0)
		return rc;
	p->silent = false;
	p->asked++;
	before_ns = r->newest_ns;
	rc = mw_recording_take(r, a.doc, err);
	p->late = r->newest_ns == before_ns;
	if (profiles)
		r->strangers = false; /* whoever came meanwhile is told of in the next one */
	return rc < 0 ? rc : 1;
}

/* Sleeps until the next document is worth asking for, or somebody ends it. */
static void wait_for_next(const struct mw_recording *r, const struct plan *p, bool answered)
{
	__u64 now = mw_now_ns(), due;
	struct timespec t;

	if (!answered)
		due = now + TRY_AGAIN_NS;
	else if (p->every_ns)
		due = now + p->every_ns;
	else
		due = r->newest_ns + r->interval_ns + r->interval_ns / AFTER_SHARE;
	if (answered && !p->every_ns && (p->late || due < now + r->interval_ns / AFTER_SHARE))
		due = now + r->interval_ns / (p->late ? 2 : AFTER_SHARE);
	if (p->end_ns && due > p->end_ns)
		due = p->end_ns;
	if (r->strangers || asked_to_end)
		return;
	t = (struct timespec){.tv_sec = (time_t)(due / MW_NS_PER_S), .tv_nsec = (long)(due % MW_NS_PER_S)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void say_missing(const struct mw_cli *cli, const struct mw_recording *r)
{
	if (r->n_names && !r->n_workers)
		mw_say_error(cli, "no worker of these names yet; they are recorded once they are there");
}

static void say_summary(const struct mw_recording *r, const struct output *out, __u64 ns)
{
	char length[32], size[24];

	printf("%s: %s, %u worker%s, %llu samples, %s", out->path, mw_duration_format(ns, length, sizeof(length)),
	       r->n_workers, r->n_workers == 1 ? "" : "s", r->samples, mw_size_format(out->bytes, size, sizeof(size)));
	if (r->samples)
		printf(" (%.1f bytes a sample)", (double)out->bytes / (double)r->samples);
	putchar('\n');
}

static int record(const struct mw_cli *cli, struct mw_recording *r, struct output *out, struct plan *p,
		  struct mw_error *err)
{
	bool first = true;
	int rc;

	for (;;) {
		rc = ask(cli, r, p, err);
		if (rc > 0) {
			int written = flush(r, out, err);

			rc = written < 0 ? written : rc;
		}
		if (rc < 0)
			return rc;
		if (first && !r->strangers)
			say_missing(cli, r);
		first = false;
		wait_for_next(r, p, rc > 0);
		if (asked_to_end || (p->end_ns && mw_now_ns() >= p->end_ns))
			break;
	}
	if (mw_recording_close(r, mw_now_ns()) < 0)
		return mw_fail(err, -ENOMEM, "no memory");
	rc = flush(r, out, err);
	if (rc >= 0 && fsync(out->fd) < 0 && errno != EINVAL && errno != EROFS)
		rc = mw_fail(err, -errno, "%s: %s", out->path, strerror(errno));
	return rc;
}

static int times(const struct mw_cli *cli, const struct record_values *v, __u64 now_ns, struct plan *ret_plan)
{
	__u64 length = 0;

	*ret_plan = (struct plan){0};
	if (v->every &&
	    (mw_duration_parse(v->every, &ret_plan->every_ns) < 0 || ret_plan->every_ns < 10 * MW_NS_PER_MS))
		return mw_say_usage(cli, "--every: found \"%s\", expected a time of 10ms or more", v->every);
	if (v->length && (mw_duration_parse(v->length, &length) < 0 || !length))
		return mw_say_usage(cli, "--for: found \"%s\", expected a time such as 90s or 2h", v->length);
	ret_plan->end_ns = length ? now_ns + length : 0;
	return 0;
}

static int record_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct record_values *v = cli->values;
	_cleanup_(mw_recording_free) struct mw_recording r = {.names = argv, .n_names = argc};
	__u64 began_ns = mw_now_ns();
	_cleanup_close_ int fd = -1;
	struct mw_error err = {0};
	struct output out = {0};
	time_t now = time(NULL);
	struct plan plan;
	char name[64];
	struct tm tm;
	int code = times(cli, v, began_ns, &plan), rc;

	if (code)
		return code;
	strftime(name, sizeof(name), "memweir-%Y%m%d-%H%M%S.rec", localtime_r(&now, &tm));
	out.path = v->out ? v->out : name;
	catch_signals();
	/* Who has nothing to say leaves no file behind. */
	rc = ask(cli, &r, &plan, &err);
	if (rc >= 0) {
		out.fd = fd = open(out.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			rc = mw_fail(&err, -errno, "%s: %s%s", out.path, strerror(errno),
				     errno == EEXIST ? ", expected a new file" : "");
	}
	if (rc >= 0)
		rc = record(cli, &r, &out, &plan, &err);
	if (rc < 0)
		mw_say_error(cli, "%s", err.text);
	if (out.bytes)
		say_summary(&r, &out, mw_now_ns() - began_ns);
	return rc < 0 ? MW_EXIT_FAILURE : MW_EXIT_OK;
}

const struct mw_verb mw_verb_record = {
	.name = "record",
	.args = "[--out FILE] [--every TIME] [--for TIME] [WORKER...]",
	.summary = "write what the daemon sees into a file, for replay and calibrate",
	.notes = "Ends after --for or with Ctrl-C. Without names all workers are recorded, also those that come later.",
	.options = rows,
	.max_args = -1,
	.run = record_run,
};
