/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What memweir-otlp is given: a record for each check, one for what is told, and the daemon's figures when it asks. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "core/cgroup.h"
#include "daemon/otlp_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define EVENTS_A_S     200 /* each takes the loop 10 to 20 us */
#define EVENTS_AT_ONCE 1000
#define PIDS_A_CHECK   64 /* workers whose processes are counted in one check: the others have their turn in the next */

/* xorshift128+: ids need to differ, not to be secret. */
static __u64 next_random(struct mw_otlp *o)
{
	__u64 a = o->random[0], b = o->random[1];

	o->random[0] = b;
	a ^= a << 23;
	o->random[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
	return o->random[1] + b;
}

void mw_otlp_seed(struct mw_otlp *o)
{
	__u64 a, b;

	if (getrandom(o->random, sizeof(o->random), GRND_NONBLOCK) != sizeof(o->random)) {
		o->random[0] = mw_now_ns();
		o->random[1] = mw_wall_ns() ^ (__u64)getpid();
	}
	o->random[0] |= 1;
	a = next_random(o);
	b = next_random(o);
	snprintf(o->instance, sizeof(o->instance), "%08x-%04x-4%03x-%04x-%012llx", (__u32)(a >> 32),
		 (__u32)(a >> 16) & 0xffff, (__u32)a & 0xfff, 0x8000 | ((__u32)(b >> 48) & 0x3fff),
		 b & 0xffffffffffffULL);
}

/* Now or not at all. fd: goes along; -1: none. */
static void pass_on(struct mw_otlp *o, const struct iovec *parts, size_t n, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct msghdr msg = {.msg_iov = (struct iovec *)parts, .msg_iovlen = n};
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		size += parts[i].iov_len;
	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	if (o->sock < 0 || size > MW_OTLP_RECORD_MAX || sendmsg(o->sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		o->stats.lost++;
	else
		o->stats.records++, o->passed++;
}

/* Who feels many events is passed some of them: making text of one takes time that the loop has for others. */
static bool may_tell(struct mw_otlp *o, __u64 now_ns)
{
	__u64 fresh = (now_ns - o->tokens_ns) * EVENTS_A_S / MW_NS_PER_S;

	if (fresh) {
		o->tokens = o->tokens + fresh > EVENTS_AT_ONCE ? EVENTS_AT_ONCE : o->tokens + fresh;
		o->tokens_ns = now_ns;
	}
	if (!o->tokens)
		return false;
	o->tokens--;
	return true;
}

void mw_otlp_event(void *guard, int priority, const char *kind, struct json_object *doc)
{
	struct mw_guard *g = guard;
	struct mw_otlp *o = g->otlp;
	char head[256];
	const char *text;
	size_t size, n;

	if (o->state == MW_OTLP_OFF)
		return;
	if (o->sock < 0 || !may_tell(o, mw_now_ns())) {
		o->stats.lost++;
		return;
	}
	n = (size_t)snprintf(head, sizeof(head), "{\"event\":{\"kind\":\"%.64s\",\"priority\":%d,\"time\":%llu,", kind,
			     priority, mw_wall_ns());
	if (o->in_check)
		n += (size_t)snprintf(head + n, sizeof(head) - n, "\"trace\":\"%s\",\"span\":\"%s\",", o->trace,
				      o->span);
	n += (size_t)snprintf(head + n, sizeof(head) - n, "\"doc\":");
	text = json_object_to_json_string_length(doc, JSON_C_TO_STRING_PLAIN, &size);
	pass_on(o, (struct iovec[]){{head, n}, {(char *)text, size}, {(char *)"}}", 2}}, 3, -1);
}

void mw_otlp_check_begins(struct mw_guard *g)
{
	struct mw_otlp *o = g->otlp;

	if (!o || o->state == MW_OTLP_OFF)
		return;
	o->in_check = true;
	o->check_began_ns = mw_wall_ns();
	snprintf(o->trace, sizeof(o->trace), "%016llx%016llx", next_random(o) | 1, next_random(o));
	snprintf(o->span, sizeof(o->span), "%016llx", next_random(o) | 1);
}

/* Counts of processes as they were last read; some of them are read anew. */
static __u64 count_processes(struct mw_guard *g, struct mw_otlp *o)
{
	__u32 i = 0, from = o->pids_turn;
	__u64 sum = 0;

	for (struct mw_worker *w = g->workers.by_id; w; w = w->by_id.next, i++) {
		if (i >= from && i < from + PIDS_A_CHECK) {
			ssize_t n = mw_cgroup_pids(w->dir_fd, true, NULL, 0);

			w->pids = n < 0 ? 0 : (long)n;
		}
		sum += (__u64)w->pids;
	}
	o->pids_turn = from + PIDS_A_CHECK >= i ? 0 : from + PIDS_A_CHECK;
	return sum;
}

void mw_otlp_check_ends(struct mw_guard *g)
{
	struct mw_otlp *o = g->otlp;
	unsigned high = 0, leaks = 0, suspects = 0, hibernated = 0;
	__u64 bytes = 0;
	char text[640];
	int n;

	if (!o || !o->in_check)
		return;
	o->in_check = false;
	for (const struct mw_worker *w = g->workers.by_id; w; w = w->by_id.next) {
		bytes += w->usage.current;
		high += w->check.high_memory;
		leaks += w->trend.verdict > MW_STEADY;
		suspects += w->trend.verdict == MW_SUSPECT;
		hibernated += w->hibernated;
	}
	n = snprintf(text, sizeof(text),
		     "{\"check\":{\"trace\":\"%s\",\"span\":\"%s\",\"start\":%llu,\"end\":%llu,\"checked\":%llu,"
		     "\"workers\":%u,\"high\":%u,\"bytes\":%llu,\"leaks\":%u,\"suspects\":%u,\"hibernated\":%u,"
		     "\"dry_run\":%s}}",
		     o->trace, o->span, o->check_began_ns, mw_wall_ns(), count_processes(g, o), g->workers.count, high,
		     bytes, leaks, suspects, hibernated, g->opts.dry_run ? "true" : "false");
	pass_on(o, (struct iovec[]){{text, (size_t)n}}, 1, -1);
}

/*
 * It has no right to ask us: a connection of ours, with the question already in it, lets it read this one answer and no
 * more, since each connection has one.
 */
void mw_otlp_give_figures(struct mw_guard *g)
{
	static const char question[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
				       "Accept: application/openmetrics-text;version=1.0.0\r\n\r\n";
	static const char record[] = "{\"metrics\":{}}";
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	snprintf(to.sun_path, sizeof(to.sun_path), "%s/memweir.sock", g->cfg.tree.run_dir);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) ||
	    send(fd, question, sizeof(question) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(question) - 1 ||
	    shutdown(fd, SHUT_WR)) {
		g->otlp->stats.lost++;
		return;
	}
	pass_on(g->otlp, (struct iovec[]){{(char *)record, sizeof(record) - 1}}, 1, fd);
}

struct json_object *mw_otlp_health(const struct mw_guard *g)
{
	static const char *const names[] = {"traces", "metrics", "logs"};
	struct json_object *doc = json_object_new_object();
	struct mw_otlp_stats s = mw_otlp_stats(g);

	json_object_object_add(doc, "state", json_object_new_string(mw_otlp_state_name(s.state)));
	json_object_object_add(doc, "failing", json_object_new_boolean(s.failing));
	json_object_object_add(doc, "starts", json_object_new_uint64(s.starts));
	json_object_object_add(doc, "records", json_object_new_uint64(s.records));
	json_object_object_add(doc, "lost", json_object_new_uint64(s.lost));
	json_object_object_add(doc, "unusable", json_object_new_uint64(s.unusable));
	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++) {
		const struct mw_otlp_counts *c = &s.counts[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "sent", json_object_new_uint64(c->sent));
		json_object_object_add(o, "dropped", json_object_new_uint64(c->dropped));
		json_object_object_add(o, "refused", json_object_new_uint64(c->refused));
		json_object_object_add(o, "waiting", json_object_new_uint64(c->waiting));
		json_object_object_add(o, "waiting_bytes", json_object_new_uint64(c->waiting_bytes));
		json_object_object_add(o, "requests", json_object_new_uint64(c->requests));
		json_object_object_add(o, "failures", json_object_new_uint64(c->failures));
		json_object_object_add(doc, names[i], o);
	}
	return doc;
}
