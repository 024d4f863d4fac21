// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The other side of user/lib/examples/connections: opens many connections over loopback TCP and a unix socket, sends on
 *them, and compares every byte that comes back. Commands on standard input, one JSON object a command on standard
 *output:
 *
 *	way K			from now on only by the Kth way; 0 (as it begins): in turn by each
 *	open N			until there are N connections
 *	send BYTES		one request of about BYTES on each, sent before any answer is read
 *	begin BYTES		the same without the last byte of each
 *	receive			the rest of what was begun, and the answers
 *	requests R DEPTH BYTES	R requests over all, DEPTH at a time on each
 *	pause MS, close
 *
 * connections_load WAY... < commands; WAY: 127.x.x.x:PORT or a path. What is not served in 120 s has failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NS 120000000000LL
#define MOST_BYTES  (1 << 20)
#define MOST_DEPTH  64
#define WAYS	    4

struct peer {
	int fd;
	uint32_t first; /* number of the batch's first request */
	uint32_t in_batch, answered;
	uint64_t sent, sent_end; /* bytes of the batch */
	uint32_t got; /* bytes of the present answer */
	int writing;
	int64_t began_ns;
};

static struct sockaddr_storage ways[WAYS];
static socklen_t way_bytes[WAYS];
static int way_count, only_way, epoll_fd;
static struct peer *peers;
static size_t peer_count, peer_room, payload = 16;
static uint64_t served, failed, busy, to_start;
static unsigned depth = 1, kept_back;
static uint32_t *latency_us;
static size_t latencies, latency_room;
static char request[MOST_BYTES + 256], expected[MOST_BYTES + 256], got[1 << 16];

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "connections_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Ids of ten digits and a text that is the connection's and the request's own: an answer to somebody else is noticed.
 */
static size_t text_of(char *to, size_t peer, uint32_t number, int answer)
{
	uint32_t id = (uint32_t)(1000000000u + (peer * 7919 + number) % 1000000000u);
	int n = sprintf(to,
			answer ? "{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":{\"text\":\""
			       : "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"echo\",\"params\":{\"text\":\"",
			id);

	memset(to + n, 'a' + (int)(id % 26), payload);
	n += (int)payload;
	memcpy(to + n, "\"}}\n", 4);
	return (size_t)n + 4;
}

static void watch(size_t i, int writing)
{
	struct epoll_event e = {.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.u64 = i};

	if (peers[i].writing != writing && epoll_ctl(epoll_fd, EPOLL_CTL_MOD, peers[i].fd, &e) < 0)
		die("epoll_ctl");
	peers[i].writing = writing;
}

static void fail(size_t i, const char *why)
{
	struct peer *p = &peers[i];

	if (failed < 5)
		fprintf(stderr, "connections_load: connection %zu, answer %u of %u, byte %u: %s\n", i, p->answered,
			p->in_batch, p->got, why);
	failed += p->in_batch - p->answered;
	busy -= p->in_batch != p->answered;
	close(p->fd);
	p->fd = -1;
	p->in_batch = p->answered = 0;
}

/* As much of the batch as goes in. */
static void push(size_t i)
{
	struct peer *p = &peers[i];

	while (p->sent < p->sent_end) {
		size_t bytes = text_of(request, i, p->first, 0), one = p->sent / bytes, at = p->sent % bytes;
		size_t end = bytes;
		ssize_t n;

		text_of(request, i, p->first + (uint32_t)one, 0);
		while (end + bytes < sizeof(got) && ++one < p->in_batch) /* small ones together */
			end += text_of(request + end, i, p->first + (uint32_t)one, 0);
		if (kept_back && p->sent + (end - at) > p->sent_end - kept_back)
			end = at + (p->sent_end - kept_back - p->sent);
		if (end == at)
			return watch(i, 0);
		n = send(p->fd, request + at, end - at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return fail(i, strerror(errno));
		if (n < 0)
			break;
		p->sent += (uint64_t)n;
	}
	watch(i, p->sent < p->sent_end);
}

static void begin(size_t i, unsigned count)
{
	struct peer *p = &peers[i];

	p->first += p->in_batch;
	p->in_batch = count;
	p->answered = 0;
	p->got = 0;
	p->sent = 0;
	p->sent_end = (uint64_t)count * text_of(request, i, 0, 0);
	p->began_ns = now_ns();
	busy++;
	push(i);
}

static void answered(size_t i)
{
	struct peer *p = &peers[i];

	served++;
	p->answered++;
	p->got = 0;
	if (latencies < latency_room)
		latency_us[latencies++] = (uint32_t)((now_ns() - p->began_ns) / 1000);
	if (p->answered < p->in_batch)
		return;
	busy--;
	if (to_start) {
		unsigned count = to_start < depth ? (unsigned)to_start : depth;

		to_start -= count;
		begin(i, count);
	}
}

static int compare(size_t i, const char *data, size_t bytes)
{
	struct peer *p = &peers[i];

	while (bytes) {
		size_t want = text_of(expected, i, p->first + p->answered, 1), part = want - p->got;

		if (p->answered == p->in_batch)
			return 0;
		if (part > bytes)
			part = bytes;
		if (memcmp(expected + p->got, data, part) != 0)
			return 0;
		p->got += (uint32_t)part;
		data += part;
		bytes -= part;
		if (p->got == want)
			answered(i);
	}
	return 1;
}

static void pull(size_t i)
{
	ssize_t n = recv(peers[i].fd, got, sizeof(got), MSG_DONTWAIT);

	if (n == 0)
		return fail(i, "closed");
	if (n < 0)
		return errno == EAGAIN ? (void)0 : fail(i, strerror(errno));
	if (!compare(i, got, (size_t)n)) {
		fprintf(stderr, "connections_load: got %.*s\n", (int)(n > 160 ? 160 : n), got);
		fail(i, "another answer");
	}
}

static void until_done(void)
{
	struct epoll_event events[256];
	int64_t end = now_ns() + PATIENCE_NS;
	uint64_t before = served;

	while (busy && now_ns() < end) {
		int n = epoll_wait(epoll_fd, events, 256, 1000);

		for (int k = 0; k < n; k++) {
			size_t i = events[k].data.u64;

			if (peers[i].fd >= 0 && (events[k].events & EPOLLOUT))
				push(i);
			if (peers[i].fd >= 0 && (events[k].events & ~(unsigned)EPOLLOUT))
				pull(i);
		}
		if (served != before)
			end = now_ns() + PATIENCE_NS; /* so long without any answer */
		before = served;
	}
	for (size_t i = 0; busy && i < peer_count; i++)
		if (peers[i].fd >= 0 && peers[i].answered < peers[i].in_batch)
			fail(i, "not in time");
	failed += to_start;
	to_start = 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t quantile(double q)
{
	return latencies ? latency_us[(size_t)(q * (double)(latencies - 1))] : 0;
}

static void report(const char *phase, int64_t began)
{
	size_t open = 0;

	for (size_t i = 0; i < peer_count; i++)
		open += peers[i].fd >= 0;
	qsort(latency_us, latencies, sizeof(*latency_us), by_value);
	printf("{\"phase\":\"%s\",\"connections\":%zu,\"served\":%llu,\"failed\":%llu,\"seconds\":%.3f,\"p50_us\":%u,"
	       "\"p99_us\":%u,\"max_us\":%u}\n",
	       phase, open, (unsigned long long)served, (unsigned long long)failed, (double)(now_ns() - began) / 1e9,
	       quantile(0.5), quantile(0.99), quantile(1));
	fflush(stdout);
	served = failed = 0;
	latencies = 0;
}

static void open_to(size_t n)
{
	while (peer_count < n && peer_count < peer_room) {
		int way = only_way ? only_way - 1 : (int)(peer_count % (size_t)way_count), one = 1;
		struct peer *p = &peers[peer_count];
		struct epoll_event e = {.events = EPOLLIN, .data.u64 = peer_count};

		*p = (struct peer){.fd = socket(ways[way].ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
		if (p->fd < 0)
			die("socket");
		if (ways[way].ss_family == AF_INET)
			setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		peer_count++;
		if (connect(p->fd, (struct sockaddr *)&ways[way], way_bytes[way]) < 0) {
			p->in_batch = 1;
			busy++;
			fail(peer_count - 1, strerror(errno));
		} else if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->fd, &e) < 0) {
			die("epoll_ctl");
		}
	}
}

static void close_all(void)
{
	for (size_t i = 0; i < peer_count; i++)
		if (peers[i].fd >= 0)
			close(peers[i].fd);
	peer_count = 0;
}

static void send_all(size_t bytes, unsigned less)
{
	payload = bytes;
	depth = 1;
	kept_back = less;
	for (size_t i = 0; i < peer_count; i++)
		if (peers[i].fd >= 0)
			begin(i, 1);
}

static void receive(void)
{
	kept_back = 0;
	for (size_t i = 0; i < peer_count; i++)
		if (peers[i].fd >= 0 && peers[i].sent < peers[i].sent_end)
			push(i);
	until_done();
}

static void requests(uint64_t count, unsigned at_a_time, size_t bytes)
{
	payload = bytes;
	depth = at_a_time;
	to_start = count;
	for (size_t i = 0; i < peer_count && to_start; i++) {
		unsigned now = to_start < depth ? (unsigned)to_start : depth;

		if (peers[i].fd < 0)
			continue;
		to_start -= now;
		begin(i, now);
	}
	until_done();
}

static int command(const char *line)
{
	unsigned long long a = 0, b = 0, c = 0;
	char what[16] = "";
	int64_t began = now_ns();
	int n = sscanf(line, "%15s %llu %llu %llu", what, &a, &b, &c);

	if (strcmp(what, "open") == 0 && n == 2)
		open_to(a);
	else if (strcmp(what, "way") == 0 && n == 2 && a <= (unsigned)way_count)
		only_way = (int)a;
	else if (strcmp(what, "send") == 0 && n == 2 && a <= MOST_BYTES)
		send_all(a, 0);
	else if (strcmp(what, "begin") == 0 && n == 2 && a <= MOST_BYTES)
		send_all(a, 1);
	else if (strcmp(what, "receive") == 0)
		receive();
	else if (strcmp(what, "requests") == 0 && n == 4 && b >= 1 && b <= MOST_DEPTH && c <= MOST_BYTES)
		requests(a, (unsigned)b, c);
	else if (strcmp(what, "pause") == 0 && n == 2)
		usleep((useconds_t)(a * 1000));
	else if (strcmp(what, "close") == 0)
		close_all();
	else
		return -EINVAL;
	report(what, began);
	return 0;
}

/* Only this machine: 127.0.0.0/8 or a path. */
static int add_way(const char *text)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&ways[way_count];
	struct sockaddr_un *un = (struct sockaddr_un *)&ways[way_count];
	char address[32];
	unsigned port;

	if (way_count == WAYS)
		return -E2BIG;
	if (strchr(text, '/')) {
		un->sun_family = AF_UNIX;
		if (strlen(text) >= sizeof(un->sun_path))
			return -ENAMETOOLONG;
		memcpy(un->sun_path, text, strlen(text) + 1);
		way_bytes[way_count++] = sizeof(*un);
		return 0;
	}
	if (sscanf(text, "%31[0-9.]:%u", address, &port) != 2 || strncmp(address, "127.", 4) != 0 ||
	    inet_pton(AF_INET, address, &in->sin_addr) != 1)
		return -EINVAL;
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	way_bytes[way_count++] = sizeof(*in);
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	char line[128];

	if (argc < 2)
		return 2;
	for (int i = 1; i < argc; i++)
		if (add_way(argv[i]) < 0) {
			fprintf(stderr, "connections_load: %s: only 127.x.x.x:PORT and paths\n", argv[i]);
			return 2;
		}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	peer_room = limit.rlim_max < 40000 ? limit.rlim_max - 16 : 40000;
	latency_room = 2000000;
	peers = calloc(peer_room, sizeof(*peers));
	latency_us = calloc(latency_room, sizeof(*latency_us));
	if (!peers || !latency_us || epoll_fd < 0)
		die("start");
	while (fgets(line, sizeof(line), stdin))
		if (command(line) < 0) {
			fprintf(stderr, "connections_load: what is %s", line);
			return 2;
		}
	return 0;
}
