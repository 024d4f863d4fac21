/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The life of memweir-otlp. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "daemon/otlp_impl.h"
#include "otlp/settings.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fnv.h"
#include "util/libexec.h"
#include "util/spawn_attr.h"
#include "util/utf8.h"

#define FIRST_PAUSE_NS MW_NS_PER_S
#define MOST_PAUSE_NS  (300 * MW_NS_PER_S)
#define STEADY_NS      (60 * MW_NS_PER_S) /* who ran so long may start again at once */
#define PATIENCE_NS    (10 * MW_NS_PER_S) /* to end; then it is killed */
#define START_NS       (30 * MW_NS_PER_S)
#define SEND_BUFFER    (1 << 20) /* bytes of records that may wait in the kernel */
#define REPORTS_A_BEAT 16
#define VARIABLES_MAX  128

extern char **environ;

/* In an action thread: to read a program from a slow disk takes a while. */
struct mw_otlp_start {
	int sock; /* its end */
	char endpoint[320], instance[80], pid[48]; /* NAME=VALUE */
	pid_t child; /* what came of it */
};

static const char *const state_names[] = {"off", "starting", "up", "ending"};
_Static_assert(ARRAY_SIZE(state_names) == MW_OTLP_STATE_MAX, "a name for every state");

const char *mw_otlp_state_name(enum mw_otlp_state s)
{
	return state_names[s];
}

static const char *from_environment(const char *name, void *arg)
{
	(void)arg;
	return getenv(name);
}

/* Of ours it gets what is about exporting, certificates and proxies; the rest is none of its business. */
static bool is_its(const char *variable)
{
	static const char *const beginnings[] = {"OTEL_",	 "SSL_CERT_",	  "http_proxy=",   "https_proxy=",
						 "HTTPS_PROXY=", "all_proxy=",	  "ALL_PROXY=",	   "no_proxy=",
						 "NO_PROXY=",	 "LSAN_OPTIONS=", "ASAN_OPTIONS=", "RES_OPTIONS="};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (strncmp(variable, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

static int spawn(struct mw_otlp_start *s, const char *path)
{
	char *argv[] = {(char *)MW_OTLP_PROGRAM, NULL}, *env[VARIABLES_MAX] = {s->instance, s->pid};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	size_t n = 2;
	int r = mw_spawn_attr(&attr);

	if (r)
		return -r;
	if (s->endpoint[0])
		env[n++] = s->endpoint;
	for (char **e = environ; *e && n < VARIABLES_MAX - 1; e++)
		if (is_its(*e))
			env[n++] = *e;
	posix_spawn_file_actions_init(&files);
	r = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	r = r ? r : posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&files, s->sock, MW_OTLP_FD);
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(&files, MW_OTLP_FD + 1);
	r = r ? r : posix_spawn(&s->child, path, &files, &attr, argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -r;
}

static int run_start(void *arg, char *text, size_t size)
{
	struct mw_otlp_start *s = arg;
	char path[4096];
	int r;

	mw_libexec(MW_OTLP_PROGRAM, path, sizeof(path));
	r = spawn(s, path);
	mw_close(&s->sock);
	if (r < 0)
		snprintf(text, size, "%.150s cannot be started: %s", path, strerror(-r));
	return r;
}

static void become(struct mw_otlp *o, enum mw_otlp_state state, __u64 now_ns)
{
	o->state = state;
	o->since_ns = now_ns;
}

/* What it had counted is kept; what waited with it is gone. */
static void hang_up(struct mw_otlp *o, __u64 now_ns)
{
	mw_close(&o->sock);
	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++) {
		struct mw_otlp_counts *sum = &o->stats.counts[i], *now = &o->now[i];

		sum->sent += now->sent;
		sum->dropped += now->dropped + now->waiting;
		sum->refused += now->refused;
		sum->requests += now->requests;
		sum->failures += now->failures;
		*now = (struct mw_otlp_counts){0};
	}
	o->stats.lost += o->passed > o->taken ? o->passed - o->taken : 0;
	o->passed = o->taken = 0;
	o->stats.failing = false;
	become(o, MW_OTLP_ENDING, now_ns);
}

static int submit(struct mw_guard *g, struct mw_otlp *o, int sock)
{
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, 0, START_NS);
	_cleanup_free_ struct mw_otlp_start *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->sock = sock;
	if (o->endpoint[0])
		snprintf(s->endpoint, sizeof(s->endpoint), MW_OTLP_ENV_ENDPOINT "=%s", o->endpoint);
	snprintf(s->instance, sizeof(s->instance), MW_OTLP_ENV_INSTANCE "=%s", o->instance);
	snprintf(s->pid, sizeof(s->pid), MW_OTLP_ENV_PID "=%d", getpid());
	snprintf(a.reason, sizeof(a.reason), "otlp");
	a.call = run_start;
	a.arg = s;
	a.slow = true;
	r = mw_actions_submit(g->actions, &a);
	if (r == 0)
		o->start = TAKE_PTR(s);
	return r;
}

static void begin_start(struct mw_guard *g, struct mw_otlp *o, __u64 now_ns)
{
	const int bytes = SEND_BUFFER;
	int pair[2];

	o->next_ns = now_ns + FIRST_PAUSE_NS; /* should there be no room for it now */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return;
	snprintf(o->endpoint, sizeof(o->endpoint), "%s", g->cfg.otlp.endpoint);
	if (submit(g, o, pair[1]) < 0) {
		close(pair[0]);
		close(pair[1]);
		return;
	}
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	o->sock = pair[0]; /* what is told meanwhile waits there for it */
	o->stats.starts++;
	become(o, MW_OTLP_STARTING, now_ns);
}

/* It did not stay: later, and later each time. Told once. */
static void pause_it(struct mw_guard *g, struct mw_otlp *o, bool steady, const char *why, __u64 now_ns)
{
	if (steady)
		o->pause_ns = 0;
	o->pause_ns = o->pause_ns ? 2 * o->pause_ns : FIRST_PAUSE_NS;
	if (o->pause_ns > MOST_PAUSE_NS)
		o->pause_ns = MOST_PAUSE_NS;
	o->next_ns = now_ns + o->pause_ns;
	if (!o->told || steady)
		mw_say(g->tell, LOG_WARNING, "otlp: %s: it is started again, with growing pauses", why);
	o->told = true;
}

bool mw_otlp_done(struct mw_guard *g, const struct mw_action_result *r)
{
	struct mw_otlp *o = g->otlp;
	struct mw_otlp_start *s = r->arg;
	__u64 now_ns = mw_now_ns();

	if (r->kind != MW_ACTION_CALL || r->call != run_start)
		return false;
	o->start = NULL;
	if (r->status < 0) {
		if (o->state == MW_OTLP_STARTING)
			hang_up(o, now_ns);
		pause_it(g, o, false, r->text[0] ? r->text : strerror(-r->status), now_ns);
	} else {
		o->pid = s->child;
		if (o->state == MW_OTLP_STARTING)
			become(o, MW_OTLP_UP, now_ns);
	}
	free(s);
	return true;
}

/* One that is started again and again, for a file that is not there, says so each time. */
static bool was_said(struct mw_otlp *o, const char *text)
{
	__u64 hash = mw_fnv1a_text(text);

	for (size_t i = 0; i < ARRAY_SIZE(o->texts); i++)
		if (o->texts[i] == hash)
			return true;
	o->texts[o->texts_at++ % ARRAY_SIZE(o->texts)] = hash;
	return false;
}

/* Reports; text of a program that talks to strangers is made plain. */
static void take_report(struct mw_guard *g, struct mw_otlp *o, const struct mw_otlp_report *r)
{
	char text[MW_OTLP_TEXT + 1];

	if (r->kind == MW_OTLP_ASKS) {
		mw_otlp_give_figures(g);
		return;
	}
	memcpy(o->now, r->counts, sizeof(o->now));
	o->stats.failing = r->failing;
	o->stats.unusable = r->unusable;
	o->taken = r->taken;
	if (!memchr(r->text, '\0', sizeof(r->text)) || !r->text[0])
		return;
	mw_utf8_take(text, sizeof(text), r->text, strlen(r->text));
	if (was_said(o, text) && o->told)
		return;
	mw_say(g->tell, r->priority >= LOG_ERR && r->priority <= LOG_DEBUG ? r->priority : LOG_WARNING, "otlp: %s",
	       text);
}

static void listen_to(struct mw_guard *g, struct mw_otlp *o, __u64 now_ns)
{
	struct mw_otlp_report r;

	for (unsigned i = 0; i < REPORTS_A_BEAT; i++) {
		ssize_t n = recv(o->sock, &r, sizeof(r), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			o->left = true;
			o->steady = now_ns - o->since_ns >= STEADY_NS;
			return hang_up(o, now_ns);
		}
		if (n == sizeof(r) && (r.kind == MW_OTLP_SAYS || r.kind == MW_OTLP_ASKS))
			take_report(g, o, &r);
	}
}

static const char *ending(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, MW_OTLP_PROGRAM " died of signal %d", WTERMSIG(status));
	else
		snprintf(buf, size, MW_OTLP_PROGRAM " ended with status %d", WEXITSTATUS(status));
	return buf;
}

/* Until it has ended, and is killed if it takes too long: its number is its own as long as we have not waited for it.
 */
static void see_it_off(struct mw_guard *g, struct mw_otlp *o, bool wanted, __u64 now_ns)
{
	char why[80];
	int status = 0;

	if (o->start)
		return;
	if (o->pid > 0 && waitpid(o->pid, &status, WNOHANG) == 0) {
		if (now_ns - o->since_ns > PATIENCE_NS)
			kill(o->pid, SIGKILL);
		return;
	}
	if (o->left)
		pause_it(g, o, o->steady, ending(status, why, sizeof(why)), now_ns);
	o->left = false;
	o->pid = 0;
	if (!wanted)
		become(o, MW_OTLP_OFF, now_ns);
}

void mw_otlp_tick(struct mw_guard *g, __u64 now_ns)
{
	struct mw_otlp *o = g->otlp;
	bool wanted = mw_settings_wanted(g->cfg.otlp.endpoint, from_environment, NULL);

	if (o->state == MW_OTLP_UP)
		listen_to(g, o, now_ns);
	if (o->state == MW_OTLP_UP && (!wanted || strcmp(o->endpoint, g->cfg.otlp.endpoint) != 0)) {
		hang_up(o, now_ns); /* it flushes, and ends */
		o->told = false;
		o->next_ns = now_ns;
		o->pause_ns = 0;
	}
	if (o->state == MW_OTLP_ENDING)
		see_it_off(g, o, wanted, now_ns);
	if (wanted && !o->start && !o->pid && now_ns >= o->next_ns &&
	    (o->state == MW_OTLP_OFF || o->state == MW_OTLP_ENDING))
		begin_start(g, o, now_ns);
}

int mw_otlp_open(struct mw_guard *g)
{
	g->otlp = calloc(1, sizeof(*g->otlp));
	if (!g->otlp)
		return -ENOMEM;
	g->otlp->sock = -1;
	mw_otlp_seed(g->otlp);
	mw_teller_hook(g->tell, mw_otlp_event, g);
	return 0;
}

void mw_otlp_close(struct mw_guard *g)
{
	if (!g->otlp)
		return;
	mw_teller_hook(g->tell, NULL, NULL);
	mw_close(&g->otlp->sock); /* it flushes what it has and ends; nobody waits for that */
	free(g->otlp->start);
	free(g->otlp);
	g->otlp = NULL;
}

struct mw_otlp_stats mw_otlp_stats(const struct mw_guard *g)
{
	struct mw_otlp_stats s = {0};

	if (!g->otlp)
		return s;
	s = g->otlp->stats;
	s.state = g->otlp->state;
	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++) {
		const struct mw_otlp_counts *now = &g->otlp->now[i];
		struct mw_otlp_counts *sum = &s.counts[i];

		sum->sent += now->sent;
		sum->dropped += now->dropped;
		sum->refused += now->refused;
		sum->requests += now->requests;
		sum->failures += now->failures;
		sum->waiting = now->waiting;
		sum->waiting_bytes = now->waiting_bytes;
	}
	return s;
}
