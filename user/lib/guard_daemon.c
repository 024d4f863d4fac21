// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a guard asks the daemon: whose worker this is, to become one, to be tightened, to be reclaimed. */
#include "lib/guard_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "http/client.h"
#include "lib/answer.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define LEVELS_MAX   8 /* a worker may have made cgroups of its own; so many are looked through */
#define SETTINGS_MAX 200
#define STANDS_NS    (2 * MW_NS_PER_S) /* so long a limit that was taken is waited for */

static void reply_free(struct mw_reply *reply)
{
	free(reply->body);
}

/* 0: answered 2xx, with the whole answer; else -errno and why. */
static int call(const struct memweir_guard *g, const char *method, const char *path, const char *body,
		struct mw_reply *ret_reply, char why[MW_GUARD_WHY])
{
	_cleanup_(reply_free) struct mw_reply reply = {0};
	struct mw_error err = {0};
	int r = mw_client_request(g->socket, method, path, body, MW_GUARD_ASK_MS, &reply, &err);

	if (r < 0) {
		snprintf(why, MW_GUARD_WHY, "%.*s", MW_GUARD_WHY - 1, err.text);
		return r;
	}
	if (reply.status >= 200 && reply.status < 300) {
		*ret_reply = reply;
		reply.body = NULL;
		return 0;
	}
	if (!mw_answer_text(reply.body, "/error", why, MW_GUARD_WHY))
		snprintf(why, MW_GUARD_WHY, "it answered %u to %s %s", reply.status, method, path);
	return reply.status == 403 ? -EPERM : reply.status == 404 ? -ENOENT : reply.status < 500 ? -EINVAL : -EIO;
}

/* What the daemon says of one worker. */
struct found {
	struct mw_profile profile;
	char name[MW_NAME_SIZE], class_name[MW_NAME_SIZE];
	int up; /* its cgroup is so many levels above the process's */
};

/* -ENOENT: no worker has this cgroup; -EPROTO: it says it in words we do not know. */
static int ask_of(const struct memweir_guard *g, __u64 id, struct found *ret, char why[MW_GUARD_WHY])
{
	_cleanup_(reply_free) struct mw_reply reply = {0};
	struct found f = {0};
	char path[64];
	__u64 theirs;
	int r;

	snprintf(path, sizeof(path), "/v1/workers?cgroup_id=%llu", id);
	r = call(g, "GET", path, NULL, &reply, why);
	if (r < 0)
		return r == -ENOENT ? -EPROTO : r;
	if (!mw_answer_has(reply.body, "/workers/0"))
		return -ENOENT;
	if (!mw_answer_u64(reply.body, "/workers/0/cgroup_id", &theirs) || theirs != id ||
	    !mw_answer_text(reply.body, "/workers/0/name", f.name, sizeof(f.name)) ||
	    !mw_answer_text(reply.body, "/workers/0/class", f.class_name, sizeof(f.class_name)) ||
	    !mw_answer_limit(reply.body, "/workers/0/max_heap_bytes", &f.profile.max_heap) ||
	    !mw_answer_limit(reply.body, "/workers/0/max_bin_heap_bytes", &f.profile.max_bin_heap) ||
	    !mw_answer_ratio(reply.body, "/workers/0/hibernate_threshold", &f.profile.hibernate_threshold)) {
		snprintf(why, MW_GUARD_WHY, "it is of another version: its answer to GET %s has no limits", path);
		return -EPROTO;
	}
	*ret = f;
	return 0;
}

static __u64 id_of(const char *mount, const char *cgroup)
{
	_cleanup_close_ int fd = -1;
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", mount, cgroup);
	fd = mw_cgroup_open(path);
	return fd < 0 ? 0 : mw_cgroup_id(fd);
}

/* The worker in whose cgroup, or below it, this process is. cgroup is taken apart. */
static int find_worker(const struct memweir_guard *g, const char *mount, char *cgroup, struct found *ret,
		       char why[MW_GUARD_WHY])
{
	snprintf(why, MW_GUARD_WHY, "this process is in no worker of its");
	for (int up = 0; up < LEVELS_MAX && strlen(cgroup) > 1; up++) {
		__u64 id = id_of(mount, cgroup);
		int r = id ? ask_of(g, id, ret, why) : -ENOENT;

		ret->up = up;
		if (r != -ENOENT)
			return r;
		*strrchr(cgroup, '/') = '\0';
	}
	return -ENOENT;
}

/* It is not held up by a daemon that does not answer, who validates meanwhile. */
int mw_guard_ask(struct memweir_guard *g)
{
	_cleanup_free_ char *mount = NULL, *cgroup = NULL;
	char why[MW_GUARD_WHY] = "";
	struct found f;
	int r;

	pthread_mutex_lock(&g->lock);
	mw_meter_reopen(&g->meter);
	mount = strdup(g->meter.mount);
	cgroup = strdup(g->meter.stands_in);
	pthread_mutex_unlock(&g->lock);
	if (!mount || !cgroup)
		return -ENOMEM;
	r = find_worker(g, mount, cgroup, &f, why);
	pthread_mutex_lock(&g->lock);
	snprintf(g->why_daemon, sizeof(g->why_daemon), "%s", why);
	if (r == -ENOENT) { /* it is no longer one: detached, or taken for none by a daemon that is new */
		g->can &= ~(uint64_t)MEMWEIR_CAN_DAEMON;
		g->worker[0] = '\0';
	}
	if (r >= 0) {
		mw_meter_follow(&g->meter, f.up); /* where there is no memory controller /proc stays */
		g->can |= MEMWEIR_CAN_DAEMON;
		memcpy(g->worker, f.name, sizeof(g->worker));
		memcpy(g->class_name, f.class_name, sizeof(g->class_name));
		mw_guard_take_limits(g, &f.profile);
		atomic_store_explicit(&g->next_ns, 0, memory_order_relaxed); /* judged by others from now on */
	}
	pthread_mutex_unlock(&g->lock);
	return r;
}

/* "key":"value" behind what is there. */
static void add_setting(char buf[SETTINGS_MAX], const char *key, uint64_t value, bool thousandths)
{
	size_t n = strlen(buf);

	if (thousandths) /* printf would write a point as the program's locale has it */
		snprintf(buf + n, SETTINGS_MAX - n, "%s\"%s\":\"%u.%03u\"", n ? "," : "", key,
			 (unsigned int)(value / 1000), (unsigned int)(value % 1000));
	else
		snprintf(buf + n, SETTINGS_MAX - n, "%s\"%s\":\"%llu\"", n ? "," : "", key, (unsigned long long)value);
}

/* What of the program's own limits is less than these. Number of settings. */
static int tighter(const struct memweir_guard_options *o, const struct mw_profile *than, char ret[SETTINGS_MAX])
{
	int n = 0;

	ret[0] = '\0';
	if (o->max_heap_bytes && o->max_heap_bytes < than->max_heap && ++n)
		add_setting(ret, "max_heap", o->max_heap_bytes, false);
	if (o->max_bin_heap_bytes && o->max_bin_heap_bytes < than->max_bin_heap && ++n)
		add_setting(ret, "max_bin_heap", o->max_bin_heap_bytes, false);
	if (o->hibernate_threshold > 0 && o->hibernate_threshold < than->hibernate_threshold && ++n)
		add_setting(ret, "hibernate_threshold", (uint64_t)(o->hibernate_threshold * 1000 + 0.5), true);
	return n;
}

/* The daemon has taken it; its threads write it into the cgroup. True: it stands there. */
static bool stands(struct memweir_guard *g)
{
	bool enforced;

	pthread_mutex_lock(&g->lock);
	mw_meter_full(&g->meter);
	enforced = mw_guard_enforced(g);
	pthread_mutex_unlock(&g->lock);
	return enforced;
}

static void wait_until_it_stands(struct memweir_guard *g)
{
	const struct timespec pause = {.tv_nsec = 2 * (long)MW_NS_PER_MS};
	uint64_t end_ns = mw_now_ns() + STANDS_NS;

	while (!stands(g) && mw_now_ns() < end_ns)
		nanosleep(&pause, NULL);
}

void mw_guard_tighten(struct memweir_guard *g)
{
	_cleanup_(reply_free) struct mw_reply reply = {0};
	char settings[SETTINGS_MAX], quoted[MW_NAME_SIZE + 32], target[MW_NAME_SIZE + 16], body[512];

	if (!tighter(&g->options, &g->asked, settings))
		return;
	snprintf(target, sizeof(target), "worker %s", g->worker);
	snprintf(body, sizeof(body), "{\"target\":%s,\"tighten\":true,\"settings\":{%s}}",
		 mw_answer_quote(target, quoted, sizeof(quoted)), settings);
	if (call(g, "PATCH", "/v1/config", body, &reply, g->why_tighten) < 0)
		return;
	g->can |= MEMWEIR_CAN_TIGHTEN;
	if (g->max_seen <= g->asked.max_heap) /* where limits stand at all */
		wait_until_it_stands(g);
}

/* The answer to a start: what `memweir run` would do in the worker's place. */
static void take_place(struct memweir_guard *g, const char *placed)
{
	_cleanup_(reply_free) struct mw_reply reply = {0};
	char path[MW_NAME_SIZE + 32], body[32], why[MW_GUARD_WHY];

	if (mw_answer_true(placed, "/thp_off"))
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	mw_answer_text(placed, "/pressure_watch", g->pressure, sizeof(g->pressure));
	if (!mw_answer_text(placed, "/name", g->worker, sizeof(g->worker)))
		return;
	snprintf(path, sizeof(path), "/v1/workers/%s/started", g->worker);
	snprintf(body, sizeof(body), "{\"pid\":%d}", (int)getpid());
	call(g, "POST", path, body, &reply, why);
}

int mw_guard_join(struct memweir_guard *g)
{
	_cleanup_(reply_free) struct mw_reply reply = {0};
	char class_name[MW_NAME_SIZE + 8], name[MW_NAME_SIZE + 8], command[64], body[512];
	int r;

	snprintf(body, sizeof(body), "{\"class\":%s,\"name\":%s,\"command\":%s,\"self\":true}",
		 mw_answer_quote(g->class_name, class_name, sizeof(class_name)),
		 g->name[0] ? mw_answer_quote(g->name, name, sizeof(name)) : "null",
		 mw_answer_quote(program_invocation_short_name, command, sizeof(command)));
	r = call(g, "POST", "/v1/workers", body, &reply, g->why_daemon);
	if (r < 0)
		return r;
	take_place(g, reply.body);
	return 0;
}

int mw_guard_ask_hibernate(struct memweir_guard *g)
{
	_cleanup_(reply_free) struct mw_reply reply = {0};
	char path[MW_NAME_SIZE + 32], why[MW_GUARD_WHY];
	bool may;

	pthread_mutex_lock(&g->lock);
	may = g->can & MEMWEIR_CAN_DAEMON;
	snprintf(path, sizeof(path), "/v1/workers/%s/hibernate", g->worker);
	pthread_mutex_unlock(&g->lock);
	if (!may)
		return -EOPNOTSUPP;
	return call(g, "POST", path, "{}", &reply, why);
}
