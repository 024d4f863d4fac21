/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the recorder costs, in this process. recorder WORKERS ROUNDS: a line a round, "NOTE READ LIVE LONGEST
 * SAMPLES": ns of processor time for a look noted, each; for a pread of a kernel's file of one number kept open, each;
 * for one sending of all workers to a follower; for the longest turn of the loop in it; and for what `memweir record`
 * asks at each look, the samples of all workers as one document.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/recording.h"
#include "daemon/serve.h"
#include "report/json_sample.h"
#include "util/clock.h"

static struct mw_guard g;
static char path[64], dir[] = "/dev/shm/memweir-bench-XXXXXX";

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

static void add_worker(unsigned i)
{
	struct mw_worker *w;
	char name[32];

	snprintf(name, sizeof(name), "web-%u", i);
	if (mw_worker_add(&g.workers, name, "tool", "/memweir/tool/web", -1, 1000 + i, 5, &w))
		die("mw_worker_add");
	w->track = mw_recorder_begin(g.recorder, w->cgroup_id, name);
	if (!w->track)
		die("a track");
	w->usage = (struct mw_usage){
		.current = 40000000 + i, .heap = 30000000, .bin = 1000000, .high = 42000000, .max = 50000000};
}

static __u64 note_all(__u64 now_ns)
{
	__u64 began = cpu_ns();

	for (struct mw_worker *w = g.workers.by_id; w; w = w->by_id.next) {
		w->usage.time_ns = now_ns;
		w->usage.current += 4096;
		mw_recording_look(w);
	}
	return (cpu_ns() - began) / g.workers.count;
}

static __u64 read_all(int fd)
{
	char text[64];
	__u64 began = cpu_ns();

	for (unsigned i = 0; i < g.workers.count; i++)
		if (pread(fd, text, sizeof(text), 0) < 0)
			die("pread");
	return (cpu_ns() - began) / g.workers.count;
}

static void on_request(struct mw_request *r, void *arg)
{
	mw_request_stream(r, MW_TOPIC_LIVE);
	mw_live_join(arg);
}

static int follow(void)
{
	static const char request[] = "GET /v1/live HTTP/1.1\r\nHost: x\r\n\r\n";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, sizeof(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    send(fd, request, strlen(request), 0) < 0)
		die(path);
	for (int i = 0; i < 1000 && !mw_server_streams(g.server, MW_TOPIC_LIVE); i++)
		mw_server_run(g.server);
	return fd;
}

/* Everything has changed since the last time. */
static __u64 send_all(int fd, __u64 now_ns, __u64 *longest)
{
	static char buf[1 << 20];
	__u64 all = 0, began = cpu_ns(), turn;

	*longest = 0;
	mw_live_sampled(&g, now_ns);
	for (;;) {
		turn = cpu_ns() - began;
		all += turn;
		*longest = turn > *longest ? turn : *longest;
		if (!mw_live_under_way(&g))
			break;
		began = cpu_ns();
		mw_live_turn(&g);
	}
	for (int i = 0; i < 20; i++) {
		mw_server_run(g.server);
		while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
	}
	return all;
}

static __u64 write_samples(__u64 now_ns)
{
	__u64 began = cpu_ns();
	struct mw_json_text t;
	char *text;

	mw_json_samples_begin(&t, &g.cfg.monitor, now_ns, mw_wall_ns());
	for (struct mw_worker *w = g.workers.by_id; w; w = w->by_id.next)
		mw_json_sample(&t, w, false);
	text = mw_json_samples_end(&t);
	if (!text)
		die("samples");
	free(text);
	return cpu_ns() - began;
}

int main(int argc, char **argv)
{
	unsigned workers = argc == 3 ? (unsigned)atoi(argv[1]) : 0;
	int rounds = argc == 3 ? atoi(argv[2]) : 0, fd, dir_fd, file;
	__u64 now_ns = mw_now_ns();
	struct mw_error err = {0};

	if (!workers || rounds < 1)
		return 2;
	if (!mkdtemp(dir))
		die(dir);
	snprintf(path, sizeof(path), "%s/s", dir);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file = open("/proc/sys/kernel/pid_max", O_RDONLY | O_CLOEXEC);
	if (mw_recorder_open(dir_fd, "bench", workers, now_ns, &g.recorder, &err) || file < 0 ||
	    mw_server_listen_unix(path, (gid_t)-1, &fd, &err) || mw_server_new(fd, on_request, &g, &g.server, &err) ||
	    mw_workers_init(&g.workers, workers))
		die(err.text);
	for (unsigned i = 0; i < workers; i++)
		add_worker(i);
	fd = follow();
	for (int round = -130; round < rounds; round++) { /* until the rings have wrapped */
		__u64 note, reading, live, longest, samples;

		now_ns += MW_NS_PER_S;
		note = note_all(now_ns);
		if (round < -1)
			continue;
		reading = read_all(file);
		live = send_all(fd, now_ns, &longest);
		samples = write_samples(now_ns);
		if (round >= 0)
			printf("%llu %llu %llu %llu %llu\n", note, reading, live, longest, samples);
	}
	close(fd);
	mw_live_close(&g);
	mw_server_free(g.server);
	mw_workers_free(&g.workers);
	mw_recorder_close(g.recorder);
	mw_recorder_remove(dir_fd);
	unlink(path);
	rmdir(dir);
	return 0;
}
