/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * report leaks of many who grow, in this process: the answer as it leaves the guard, and as it would with an object for
 * each value of their sites. report WORKERS ROUNDS: a line a round, "KEPT LONGEST PARSED BYTES": nanoseconds of
 * processor time for the whole of it, in the longest turn of the loop, and with objects.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/serve.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/clock.h"

#define SITES  32
#define FRAMES 4

static struct mw_guard g;
static struct mw_server *server;
static char path[64];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static __u64 cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (__u64)t.tv_sec * MW_NS_PER_S + (__u64)t.tv_nsec;
}

static struct json_object *frame(int line)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "function", "remember_in_a_loop");
	mw_json_text(&o, "file", "/usr/src/service/lib/leak.c");
	mw_json_u64(&o, "line", (__u64)line);
	mw_json_text(&o, "module", "/usr/lib/x86_64-linux-gnu/libservice.so.1");
	mw_json_text(&o, "build_id", "0123456789abcdef0123456789abcdef01234567");
	mw_json_u64(&o, "offset", 1234567);
	return mw_json_end(&o);
}

static struct json_object *site(void)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	struct json_object *frames = json_object_new_array();

	for (int i = 0; i < FRAMES; i++)
		json_object_array_add(frames, frame(i));
	mw_json_u64(&o, "bytes", 123456789);
	mw_json_u64(&o, "grown_bytes", 12345678);
	mw_json_double(&o, "share", 0.125, 3);
	mw_json_text(&o, "kind", "heap");
	mw_json_u64(&o, "samples", 1234);
	mw_json_u64(&o, "objects", 123456);
	mw_json_null(&o, "unwound");
	mw_json_int(&o, "pid", 4711);
	mw_json_text(&o, "comm", "service");
	mw_json_bool(&o, "ended", false);
	mw_json_null(&o, "runtime");
	mw_json_put(&o, "frames", frames);
	return mw_json_end(&o);
}

static void add_worker(unsigned i)
{
	struct json_object *sites = json_object_new_array();
	struct mw_worker *w;
	char name[32];

	snprintf(name, sizeof(name), "web-%u", i);
	if (mw_worker_add(&g.workers, name, "tool", "/memweir/tool/web", -1, 1000 + i, 5, &w))
		die("mw_worker_add");
	for (int n = 0; n < SITES; n++)
		json_object_array_add(sites, site());
	w->sites = calloc(1, sizeof(*w->sites));
	if (!w->sites)
		die("a worker's sites");
	w->sites->list = mw_json_keep(sites);
	w->sites->lines = mw_json_keep(json_object_new_array());
	w->sites->account = (struct mw_account){
		.known = true, .charged_known = true, .used_known = true, .files_known = true, .sampled_known = true};
	w->trend = (struct mw_trend){.verdict = MW_LEAK, .rate_bytes_per_s = 12345.6, .confidence = 0.98};
	snprintf(w->trend.evidence, sizeof(w->trend.evidence), "rises for 120 s, r2 0.99 over 10 checks");
}

/* The document with its lists as objects, in one piece. */
static __u64 parsed(void)
{
	struct json_object *doc = mw_json_document(mw_wall_ns()), *list = json_object_new_array();
	__u64 began = cpu_ns(), took;
	size_t size = 0;

	for (struct mw_worker *w = g.workers.by_id; w; w = w->by_id.next) {
		struct json_object *one = mw_json_leak(w, mw_now_ns(), mw_wall_ns());

		json_object_object_add(one, "sites", json_tokener_parse(w->sites->list->text));
		json_object_object_add(one, "lines", json_tokener_parse(w->sites->lines->text));
		json_object_array_add(list, one);
	}
	json_object_object_add(doc, "workers", list);
	if (!json_object_to_json_string_length(doc, MW_JSON_COMPACT, &size))
		die("the document");
	json_object_put(doc);
	took = cpu_ns() - began;
	return took;
}

static void on_request(struct mw_request *r, void *arg)
{
	mw_serve_leaks(arg, r, "");
}

static int ask(void)
{
	static const char request[] = "GET /v1/report/leaks HTTP/1.1\r\nHost: x\r\n\r\n";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, sizeof(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    send(fd, request, strlen(request), 0) < 0)
		die(path);
	return fd;
}

/* As the loop does it: a turn for the server, one for what is being written. Only those are measured. */
static __u64 kept(__u64 *longest, __u64 *bytes)
{
	static char buf[1 << 18];
	int fd = ask();
	__u64 all = 0;
	ssize_t n;

	*longest = *bytes = 0;
	do {
		__u64 began = cpu_ns(), turn;

		mw_turns_run(&g);
		turn = cpu_ns() - began;
		*longest = turn > *longest ? turn : *longest;
		all += turn;
		began = cpu_ns();
		mw_server_run(server);
		turn = cpu_ns() - began;
		*longest = turn > *longest ? turn : *longest;
		all += turn;
		while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			*bytes += (__u64)n;
	} while (n < 0 && errno == EAGAIN);
	close(fd);
	return all;
}

int main(int argc, char **argv)
{
	unsigned workers = argc == 3 ? (unsigned)atoi(argv[1]) : 0;
	int rounds = argc == 3 ? atoi(argv[2]) : 0, fd;
	char dir[] = "/tmp/memweir-bench-XXXXXX";
	struct mw_error err = {0};

	if (!workers || rounds < 1)
		return 2;
	if (!mkdtemp(dir))
		die(dir);
	snprintf(path, sizeof(path), "%s/s", dir);
	if (mw_server_listen_unix(path, (gid_t)-1, &fd, &err) || mw_server_new(fd, on_request, &g, &server, &err) ||
	    mw_workers_init(&g.workers, workers))
		die(err.text);
	for (unsigned i = 0; i < workers; i++)
		add_worker(i);
	for (int round = -1; round < rounds; round++) { /* the first one warms up */
		__u64 longest, bytes, ours = kept(&longest, &bytes), theirs = parsed();

		if (round >= 0)
			printf("%llu %llu %llu %llu\n", ours, longest, theirs, bytes);
	}
	mw_server_free(server);
	mw_workers_free(&g.workers);
	unlink(path);
	rmdir(dir);
	return 0;
}
