/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir run is transparent: streams, signals, job control, exit status; and what it does where nobody guards. */
#include "fake.h"

#include <mntent.h>
#include <termios.h>
#include <pty.h>
#include <sys/ioctl.h>

static struct fake f;
static bool can_guard;
static char cgroup[PATH_MAX]; /* where workers start: our own cgroup v2 */
static char place[2 * PATH_MAX];
static struct fake_reply table[] = {
	{"POST", "/v1/workers", 201, place},
	{"POST", "/v1/workers/w%2F1/started", 200, "{}"},
	{"POST", "/v1/workers/w%2F1/ended", 200, "{}"},
	{"DELETE", "/v1/workers/w%2F1?failed=1", 200, "{}"},
	{NULL},
};

static void find_cgroup(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char line[PATH_MAX], path[PATH_MAX] = "";
	struct mntent *m;
	FILE *own = fopen("/proc/self/cgroup", "re");

	while (own && fgets(line, sizeof(line), own)) {
		if (strncmp(line, "0::", 3) == 0)
			sscanf(line, "0::%4000s", path);
	}
	while (mounts && !cgroup[0] && (m = getmntent(mounts))) {
		if (strcmp(m->mnt_type, "cgroup2") == 0)
			snprintf(cgroup, sizeof(cgroup), "%.100s%.3900s", m->mnt_dir, path);
	}
	if (mounts)
		endmntent(mounts);
	if (own)
		fclose(own);
	can_guard = cgroup[0] && path[0] && access(cgroup, W_OK) == 0;
}

static int start(void **state)
{
	(void)state;
	find_cgroup();
	setenv("PATH", "/usr/bin:/bin", 1); /* a folder we may not read would make "not found" "not permitted" */
	snprintf(place, sizeof(place),
		 "{\"name\":\"w/1\",\"class\":\"tool\",\"cgroup\":\"/x\",\"cgroup_path\":\"%s\",\"thp_off\":true,"
		 "\"limited\":true,\"socket\":\"/run/of/daemon.sock\"}",
		 cgroup);
	fake_start(&f, table);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fake_stop(&f);
	return 0;
}

/* Guarded workers need somewhere to start. */
static void need_cgroup(void)
{
	if (can_guard)
		return;
	print_message("[   WHY    ] no cgroup v2 that we may write to\n");
	skip();
}

#define SHELL(script) "run", "--class", "tool", "--", "sh", "-c", script

static void exit_codes(void **state)
{
	(void)state;
	need_cgroup();
	assert_int_equal(memweir(&f, SHELL("exit 0")), 0);
	assert_int_equal(memweir(&f, SHELL("exit 7")), 7);
	assert_true(fake_was_asked(&f, "/v1/workers/w%2F1/ended HTTP/1.1 {\"status\":1792}"));
	assert_int_equal(memweir(&f, SHELL("exit 255")), 255);
	assert_int_equal(memweir(&f, SHELL("kill -TERM $$")), 128 + SIGTERM);
	assert_true(fake_was_asked(&f, "{\"status\":15}"));
	assert_int_equal(memweir(&f, SHELL("kill -KILL $$")), 128 + SIGKILL);
	assert_string_equal(last.err, "");
	assert_int_equal(memweir(&f, "run", "-c", "tool", "no-such-command-anywhere"), 127);
	assert_err("memweir run: cannot start no-such-command-anywhere: No such file or directory\n");
	assert_true(fake_was_asked(&f, "DELETE /v1/workers/w%2F1?failed=1 "));
	assert_int_equal(memweir(&f, "run", "-c", "tool", "/etc/passwd"), 126);
	assert_int_equal(memweir(&f, "run", "-c", "tool", "/"), 126);
}

static void asks_and_tells(void **state)
{
	char words[400], expect[400];

	(void)state;
	need_cgroup();
	memset(words, 'a', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	assert_int_equal(memweir(&f, "run", "--name", "me", "--class=tool", "true", "--name", "x\ny", words), 0);
	snprintf(expect, sizeof(expect), "{\"class\":\"tool\",\"name\":\"me\",\"command\":\"true --name x?y %.80s",
		 words);
	assert_true(fake_was_asked(&f, expect));
	assert_false(strstr(last.out, words) != NULL);
	assert_int_equal(memweir(&f, SHELL("echo $MEMWEIR_SOCKET $MEMWEIR_CLASS $MEMWEIR_WORKER")), 0);
	assert_string_equal(last.out, "/run/of/daemon.sock tool w/1\n");
	assert_int_equal(memweir(&f, SHELL("echo pid $$")), 0);
	snprintf(expect, sizeof(expect), "/started HTTP/1.1 {\"pid\":%.*s}", (int)strcspn(last.out + 4, "\n"),
		 last.out + 4);
	assert_true(fake_was_asked(&f, expect));
	assert_int_equal(memweir(&f, SHELL("cat /proc/self/cgroup")), 0);
	assert_out("0::");
	assert_int_equal(memweir(&f, SHELL("ls -l /proc/self/fd | grep -c -e pidfd -e socket -e cgroup")), 1);
	assert_string_equal(last.out, "0\n"); /* nothing of ours is inherited */
}

/* The daemon's FIFO takes the place of a service manager's file; a daemon that offers none leaves that alone. */
static void told_of_pressure(void **state)
{
	char fifo[] = "/tmp/run-pressure-XXXXXX", saved[sizeof(place)], expect[200];
	int fd;

	(void)state;
	need_cgroup();
	setenv("MEMORY_PRESSURE_WATCH", "/sys/of/systemd", 1);
	setenv("MEMORY_PRESSURE_WRITE", "c29tZQ==", 1);
	assert_int_equal(memweir(&f, SHELL("echo $MEMORY_PRESSURE_WATCH $MEMORY_PRESSURE_WRITE")), 0);
	assert_string_equal(last.out, "/sys/of/systemd c29tZQ==\n");
	assert_non_null(mkdtemp(fifo));
	strcpy(saved, place);
	fake_stop(&f);
	snprintf(place + strlen(place) - 1, sizeof(place) - strlen(place), ",\"pressure_watch\":\"%s/f\"}", fifo);
	fake_start(&f, table);
	snprintf(expect, sizeof(expect), "%s/f", fifo);
	assert_return_code(mkfifo(expect, 0600), errno);
	assert_int_equal(memweir(&f, SHELL("echo $MEMORY_PRESSURE_WATCH ${MEMORY_PRESSURE_WRITE-none}; sleep 0.5")), 0);
	snprintf(expect, sizeof(expect), "%s/f none\n", fifo);
	assert_string_equal(last.out, expect);
	/* While it runs a writer is there, and no reader but the worker's own. */
	snprintf(expect, sizeof(expect), "%s/f", fifo);
	fd = open(expect, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(memweir(&f,
				 SHELL("sleep 0.3; exec python3 -c 'import os,select\n"
				       "f=os.open(os.environ[\"MEMORY_PRESSURE_WATCH\"],os.O_RDONLY|os.O_NONBLOCK)\n"
				       "w=os.open(os.environ[\"MEMORY_PRESSURE_WATCH\"],os.O_WRONLY)\n"
				       "os.close(w)\np=select.poll()\np.register(f,select.POLLIN)\nprint(p.poll(0))'")),
			 0);
	assert_string_equal(last.out, "[]\n");
	close(fd);
	unlink(expect);
	rmdir(fifo);
	fake_stop(&f);
	strcpy(place, saved);
	fake_start(&f, table);
	unsetenv("MEMORY_PRESSURE_WATCH");
	unsetenv("MEMORY_PRESSURE_WRITE");
}

/* What the daemon answers of the class, unless the command line says otherwise; what is preloaded already stays. */
static void heap_is_sampled(void **state)
{
#define SAMPLED "echo ${MEMWEIR_HEAP_SAMPLE-none} ${LD_PRELOAD##*/}; grep -c -m1 memfd:memweir-heap /proc/self/maps"
	char saved[sizeof(place)], options[512], loose[600];
	int r;

	(void)state;
	need_cgroup();
	assert_int_equal(memweir(&f, SHELL(SAMPLED)), 1);
	assert_string_equal(last.out, "none\n0\n");
	assert_int_equal(memweir(&f, "run", "-c", "tool", "--heap-sample", "sh", "-c", SAMPLED), 0);
	assert_string_equal(last.out, "524288 libmemweir-heap.so\n1\n");
	strcpy(saved, place);
	fake_stop(&f);
	snprintf(place + strlen(place) - 1, sizeof(place) - strlen(place), ",\"heap_sample\":65536}");
	fake_start(&f, table);
	assert_int_equal(memweir(&f, SHELL(SAMPLED)), 0);
	assert_string_equal(last.out, "65536 libmemweir-heap.so\n1\n");
	assert_string_equal(last.err, "");
	assert_int_equal(memweir(&f, "run", "-c", "tool", "--heap-sample=4K", "sh", "-c", SAMPLED), 0);
	assert_string_equal(last.out, "4096 libmemweir-heap.so\n1\n");
	assert_int_equal(memweir(&f, "run", "-c", "tool", "--heap-sample=no", "sh", "-c", SAMPLED), 1);
	assert_string_equal(last.out, "none\n0\n");
	snprintf(options, sizeof(options), "%s", getenv("ASAN_OPTIONS") ?: "");
	snprintf(loose, sizeof(loose), "%s:verify_asan_link_order=0",
		 options); /* of memweir itself, where it has ASan */
	setenv("ASAN_OPTIONS", loose, 1);
	setenv("LD_PRELOAD", "libm.so.6", 1);
	r = memweir(&f, SHELL("echo ${LD_PRELOAD##*/}"));
	unsetenv("LD_PRELOAD");
	setenv("ASAN_OPTIONS", options, 1);
	assert_int_equal(r, 0);
	assert_string_equal(last.out, "libmemweir-heap.so:libm.so.6\n");
	fake_stop(&f);
	strcpy(place, saved);
	fake_start(&f, table);
}

static void standard_streams(void **state)
{
	enum { BLOCKS = 512, BLOCK = 65536 };
	int in[2];
	pid_t pid, feeder;

	(void)state;
	need_cgroup();
	assert_return_code(pipe2(in, O_CLOEXEC), errno);
	feeder = fork();
	if (feeder == 0) {
		static char block[BLOCK];

		close(in[0]); /* else it waits for itself when nobody reads */
		for (int i = 0; i < BLOCKS; i++) {
			memset(block, i, sizeof(block));
			if (write(in[1], block, sizeof(block)) != sizeof(block))
				_exit(1);
		}
		_exit(0);
	}
	pid = memweir_start(&f, in[0], (const char *const[]){SHELL("wc -c; echo err >&2"), NULL});
	close(in[0]);
	close(in[1]);
	memweir_end(&f, pid, &last);
	waitpid(feeder, NULL, 0);
	assert_int_equal(strtol(last.out, NULL, 10), (long)BLOCKS * BLOCK);
	assert_string_equal(last.err, "err\n");
}

/* A worker that closes its output and goes on: the reader sees the end at once, not when the worker ends. */
static void closed_output_is_closed(void **state)
{
	struct pollfd fd;
	int out[2];
	pid_t pid;

	(void)state;
	need_cgroup();
	assert_return_code(pipe2(out, O_CLOEXEC), errno);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		setenv("MEMWEIR_SOCKET", f.socket, 1);
		dup2(out[1], 1);
		dup2(out[1], 7); /* an inherited descriptor beyond the standard ones */
		execl(memweir_path(), "memweir", "run", "-c", "tool", "sh", "-c", "exec >&- 7>&-; exec sleep 100",
		      NULL);
		_exit(99);
	}
	close(out[1]);
	fd = (struct pollfd){out[0], POLLIN, 0};
	assert_int_equal(poll(&fd, 1, FAKE_DEADLINE_MS), 1);
	assert_true(fd.revents & POLLHUP);
	kill(pid, SIGTERM);
	memweir_end(&f, pid, &last);
	assert_int_equal(last.status, 128 + SIGTERM);
	close(out[0]);
}

/* Wait for a line in standard output. */
static void await_output_of(const struct fake *fake, const char *text)
{
	char path[128], buf[4096];

	snprintf(path, sizeof(path), "%s/1", fake->dir);
	for (int i = 0; i < FAKE_DEADLINE_MS / 10; i++) {
		file_read(path, buf, sizeof(buf));
		if (strstr(buf, text))
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("no \"%s\" in the output: %s", text, buf);
}

static void await_output(const char *text)
{
	await_output_of(&f, text);
}

static char state_of(pid_t pid)
{
	char path[64], buf[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file_read(path, buf, sizeof(buf));
	return strrchr(buf, ')') ? strrchr(buf, ')')[2] : '?';
}

static void await_state(pid_t pid, const char *states)
{
	for (int i = 0; i < FAKE_DEADLINE_MS / 10 && !strchr(states, state_of(pid)); i++)
		poll(NULL, 0, 10);
	assert_non_null(strchr(states, state_of(pid)));
}

static void signals_pass_once(void **state)
{
	static const struct {
		int sig;
		const char *name;
	} cases[] = {{SIGTERM, "TERM"}, {SIGINT, "INT"},   {SIGHUP, "HUP"},	{SIGQUIT, "QUIT"},
		     {SIGUSR1, "USR1"}, {SIGUSR2, "USR2"}, {SIGWINCH, "WINCH"}, {SIGALRM, "ALRM"}};
	const char *script =
		"for s in TERM INT HUP QUIT USR1 USR2 WINCH ALRM; do trap \"echo got $s\" $s; done; echo ready; "
		"while ! [ -e $0 ]; do sleep 0.05; done; echo end";
	char done[128];
	pid_t pid;

	(void)state;
	need_cgroup();
	snprintf(done, sizeof(done), "%s/done", f.dir);
	pid = memweir_start(&f, -1, (const char *const[]){SHELL(script), done, NULL});
	await_output("ready");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32];

		kill(pid, cases[i].sig);
		snprintf(text, sizeof(text), "got %s\n", cases[i].name);
		await_output(text);
	}
	close(open(done, O_CREAT | O_WRONLY, 0600));
	memweir_end(&f, pid, &last);
	unlink(done);
	assert_int_equal(last.status, 0);
	assert_string_equal(
		last.out,
		"ready\ngot TERM\ngot INT\ngot HUP\ngot QUIT\ngot USR1\ngot USR2\ngot WINCH\ngot ALRM\nend\n");
}

/* As with the command alone: what is ignored stays ignored, what is blocked does not stay blocked by us. */
static void signal_settings_are_inherited(void **state)
{
	pid_t pid;

	(void)state;
	need_cgroup();
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	pid = memweir_start(&f, -1, (const char *const[]){SHELL("grep -e SigBlk -e SigIgn /proc/self/status"), NULL});
	signal(SIGHUP, SIG_DFL);
	memweir_end(&f, pid, &last);
	assert_out("SigBlk:\t0000000000000000\nSigIgn:\t");
	/* the first 31 signals: whoever started this may have left glibc's own two (32, 33) ignored */
	assert_int_equal(strtoull(strstr(last.out, "SigIgn:") + 7, NULL, 16) & 0x7fffffff, 1);
	signal(SIGCHLD, SIG_IGN); /* then a child's status would be lost */
	pid = memweir_start(&f, -1, (const char *const[]){SHELL("exit 5"), NULL});
	signal(SIGCHLD, SIG_DFL);
	memweir_end(&f, pid, &last);
	assert_int_equal(last.status, 5);
}

/* ^Z and its kind: the worker stops, run follows; both go on. */
static void stop_and_continue(void **state)
{
	pid_t pid, worker;
	int status;

	(void)state;
	need_cgroup();
	pid = memweir_start(&f, -1, (const char *const[]){SHELL("echo $$ ready; exec sleep 100"), NULL});
	await_output("ready");
	memset(last.out, 0, sizeof(last.out));
	{
		char path[128];

		snprintf(path, sizeof(path), "%s/1", f.dir);
		file_read(path, last.out, sizeof(last.out));
	}
	worker = (pid_t)strtol(last.out, NULL, 10);
	setpgid(pid, 0); /* fails after exec: harmless */
	kill(pid, SIGTSTP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	await_state(worker, "T");
	kill(pid, SIGCONT);
	await_state(worker, "S");
	kill(worker, SIGSTOP); /* a debugger's stop is no job control: run stands by */
	await_state(worker, "T");
	assert_int_equal(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	kill(worker, SIGCONT);
	kill(pid, SIGTERM);
	memweir_end(&f, pid, &last);
	assert_int_equal(last.status, 128 + SIGTERM);
}

/* A terminal with memweir in its foreground; its output is what the worker prints. */
static pid_t on_terminal(int *ret_master, const char *script)
{
	pid_t pid;

	fflush(NULL);
	pid = forkpty(ret_master, NULL, NULL, NULL);
	assert_return_code(pid, errno);
	if (pid == 0) {
		setenv("MEMWEIR_SOCKET", f.socket, 1);
		execl(memweir_path(), "memweir", "run", "-c", "tool", "sh", "-c", script, NULL);
		_exit(99);
	}
	return pid;
}

static void read_until(int fd, char *buf, size_t size, const char *text)
{
	size_t at = strlen(buf);
	struct pollfd p = {fd, POLLIN, 0};

	while (!strstr(buf, text) && poll(&p, 1, FAKE_DEADLINE_MS) == 1) {
		ssize_t n = read(fd, buf + at, size - at - 1);

		if (n <= 0)
			break;
		at += (size_t)n;
		buf[at] = '\0';
	}
	if (!strstr(buf, text))
		fail_msg("no \"%s\" from the terminal: %s", text, buf);
}

/* Ctrl-C reaches the whole foreground group: the worker has it from the terminal, once. */
static void terminal_interrupt_comes_once(void **state)
{
	char buf[4096] = "";
	int master, status;
	pid_t pid;

	(void)state;
	need_cgroup();
	pid = on_terminal(&master,
			  "n=0; trap 'n=$((n+1)); echo int$n' INT; trap 'echo count=$n; exit 3' USR1; echo ready; "
			  "while :; do sleep 0.05; done");
	read_until(master, buf, sizeof(buf), "ready");
	assert_int_equal(write(master, "\x03", 1), 1);
	read_until(master, buf, sizeof(buf), "int1");
	kill(pid, SIGUSR1); /* after it in run's queue: whatever run passed on has arrived */
	read_until(master, buf, sizeof(buf), "count=");
	assert_non_null(strstr(buf, "count=1"));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	close(master);
}

/* The worker ends while a grandchild goes on and holds the output: run ends with the worker. */
static void grandchildren_do_not_hold_run(void **state)
{
	(void)state;
	need_cgroup();
	assert_int_equal(memweir(&f, SHELL("sleep 100 & echo $!; exit 4")), 4);
	kill((pid_t)strtol(last.out, NULL, 10), SIGKILL);
}

static void no_daemon(void **state)
{
	struct fake none;

	(void)state;
	fake_dir(&none);
	assert_int_equal(memweir(&none, SHELL("echo out; exit 9")), 9);
	assert_string_equal(last.out, "out\n");
	assert_err("memweir run: no daemon on ");
	assert_err("sh runs unguarded\n");
	assert_ptr_equal(strchr(last.err, '\n'), strrchr(last.err, '\n')); /* one line */
	assert_int_equal(memweir(&none, SHELL("kill -TERM $$")), 1000 + SIGTERM);
	assert_int_equal(memweir(&none, "run", "-c", "tool", "no-such-command"), 127);
	assert_int_equal(memweir(&none, "run", "-c", "tool", "/etc/passwd"), 126);
	assert_int_equal(memweir(&none, "run", "-c", "tool", "--require-guard", "echo", "x"), 125);
	assert_string_equal(last.out, "");
	fake_stop(&none);
}

static void bad_daemon(void **state)
{
	static const struct {
		struct fake_reply reply;
		int code; /* of `run echo x` */
		const char *say;
		bool roots; /* a user's stub stands in its place when it is answered, and starts nothing there */
	} cases[] = {
		{{"POST", "/v1/workers", 400, "{\"error\":\"no class tol: there are context, tool\"}"},
		 125,
		 "memweir run: no class tol: there are context, tool\n"},
		{{"POST", "/v1/workers", 409, "{\"error\":\"w1 is taken\"}"}, 125, "memweir run: w1 is taken\n"},
		{{"POST", "/v1/workers", 201, "{\"name\":\"a\"}"}, 125, "cgroup_path"},
		{{"POST", "/v1/workers", 201, "{\"name\":\"a\",\"cgroup_path\":\"/nonexistent/x\"}"},
		 125,
		 "/nonexistent/x",
		 true},
		{{"POST", "/v1/workers", 201, "{\"name\":\"a\",\"cgroup_path\":\"/tmp\"}"}, 125, "/tmp", true},
		{{"POST", "/v1/workers", 500, "{\"error\":\"mkdir: no space\"}"},
		 0,
		 "mkdir: no space; echo runs unguarded"},
		{{"POST", "/v1/workers", 201, "garbage"}, 0, "runs unguarded"},
		{{"POST", "/v1/workers", 201, "{\"name\":\"a\"}", FAKE_CUT}, 0, "runs unguarded"},
		{{"POST", "/v1/workers", 201, "", FAKE_GARBAGE}, 0, "runs unguarded"},
		{{"POST", "/v1/workers", 201, "", FAKE_CLOSE}, 0, "runs unguarded"},
		{{"POST", "/v1/workers", 201, "", FAKE_HANG}, 0, "runs unguarded"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_reply one[] = {cases[i].reply, {NULL}};
		struct fake bad;

		if (cases[i].roots && memweir_uid)
			continue;
		fake_start(&bad, one);
		assert_int_equal(memweir(&bad, "run", "-c", "tool", "echo", "x"), cases[i].code);
		assert_string_equal(last.out, cases[i].code ? "" : "x\n");
		assert_err(cases[i].say);
		fake_stop(&bad);
		if (cases[i].code)
			continue;
		fake_start(&bad, one);
		assert_int_equal(memweir(&bad, "run", "-c", "tool", "--require-guard", "echo", "x"), 125);
		assert_string_equal(last.out, "");
		fake_stop(&bad);
	}
}

/* A daemon that has the kernel's events is told of failures only. */
static void kernel_tells_the_rest(void **state)
{
	static char seen[2 * PATH_MAX + 32];
	char log[4096];
	const struct fake_reply answers[] = {{"POST", "/v1/workers", 201, seen}, table[1], table[2], {NULL}};
	struct fake told;

	(void)state;
	need_cgroup();
	snprintf(seen, sizeof(seen), "{\"told_by_kernel\":true,%s", place + 1);
	fake_start(&told, answers);
	assert_int_equal(memweir(&told, SHELL("exit 0")), 0);
	assert_true(fake_was_asked(&told, "POST /v1/workers HTTP/1.1"));
	file_read(told.log, log, sizeof(log));
	assert_null(strstr(log, "/started"));
	assert_null(strstr(log, "/ended"));
	assert_int_equal(memweir(&told, SHELL("exit 7")), 7);
	assert_true(fake_was_asked(&told, "/v1/workers/w%2F1/ended HTTP/1.1 {\"status\":1792}"));
	fake_stop(&told);
}

/* The daemon goes while the worker runs: it ends as it would have. */
static void daemon_dies_meanwhile(void **state)
{
	struct fake dying;
	char go_on[128];
	pid_t pid;

	(void)state;
	need_cgroup();
	fake_start(&dying, table);
	snprintf(go_on, sizeof(go_on), "%s/go", dying.dir);
	pid = memweir_start(&dying, -1,
			    (const char *const[]){SHELL("echo ready; while ! [ -e $0 ]; do sleep 0.05; done; exit 6"),
						  go_on, NULL});
	await_output_of(&dying, "ready"); /* it was answered, and the worker runs */
	kill(dying.pid, SIGKILL);
	close(open(go_on, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	memweir_end(&dying, pid, &last);
	assert_int_equal(last.status, 6);
	assert_string_equal(last.err, "");
	unlink(go_on);
	fake_stop(&dying);
}

static bool can_be_somebody_else(void)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		memweir_become();
		_exit(access(memweir_path(), X_OK) == 0 ? 0 : 97);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

/* The same again as a user: a stub asks and becomes the command. Where it asks from is seen by the real daemon only. */
static int start_as_user(void **state)
{
	memweir_uid = 64101;
	if (can_be_somebody_else())
		return start(state);
	print_message("[   WHY    ] cannot run the program as another user here\n");
	memweir_uid = 0;
	return start(state);
}

static void stub_asks_by_itself(void **state)
{
	char expect[128];

	(void)state;
	if (!memweir_uid) {
		print_message("[   WHY    ] cannot run the program as another user here\n");
		skip();
	}
	need_cgroup();
	assert_int_equal(memweir(&f, "run", "-c", "tool", "--set", "max_heap=20MB,policy=strict", "sh", "-c",
				 "echo $MEMWEIR_WORKER $$ $(id -u)"),
			 0);
	assert_true(fake_was_asked(&f, "\"settings\":{\"max_heap\":\"20MB\",\"policy\":\"strict\"}"));
	snprintf(expect, sizeof(expect), "/started HTTP/1.1 {\"pid\":%.*s}", (int)strcspn(last.out + 4, " "),
		 last.out + 4);
	assert_true(fake_was_asked(&f, expect));
	assert_out(" 64101\n");
	assert_int_equal(memweir(&f, "run", "-c", "tool", "--set", "max_heap", "true"), 125);
	assert_err("--set max_heap: expected KEY=VALUE,...");
}

/* Refused by the file's mode: not started, and said. */
static void may_not_ask(void **state)
{
	(void)state;
	if (!memweir_uid) {
		print_message("[   WHY    ] cannot run the program as another user here\n");
		skip();
	}
	assert_return_code(chmod(f.socket, 0600), errno);
	assert_int_equal(memweir(&f, SHELL("echo ran")), 125);
	assert_string_equal(last.out, "");
	assert_err("only root and the members of its group");
	assert_return_code(chmod(f.socket, 0666), errno);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_codes),
		cmocka_unit_test(asks_and_tells),
		cmocka_unit_test(told_of_pressure),
		cmocka_unit_test(heap_is_sampled),
		cmocka_unit_test(standard_streams),
		cmocka_unit_test(closed_output_is_closed),
		cmocka_unit_test(signals_pass_once),
		cmocka_unit_test(signal_settings_are_inherited),
		cmocka_unit_test(stop_and_continue),
		cmocka_unit_test(terminal_interrupt_comes_once),
		cmocka_unit_test(grandchildren_do_not_hold_run),
		cmocka_unit_test(no_daemon),
		cmocka_unit_test(bad_daemon),
		cmocka_unit_test(kernel_tells_the_rest),
		cmocka_unit_test(daemon_dies_meanwhile),
	};

	const struct CMUnitTest as_user[] = {
		cmocka_unit_test(exit_codes),
		cmocka_unit_test(heap_is_sampled),
		cmocka_unit_test(standard_streams),
		cmocka_unit_test(closed_output_is_closed),
		cmocka_unit_test(signals_pass_once),
		cmocka_unit_test(signal_settings_are_inherited),
		cmocka_unit_test(stop_and_continue),
		cmocka_unit_test(terminal_interrupt_comes_once),
		cmocka_unit_test(grandchildren_do_not_hold_run),
		cmocka_unit_test(no_daemon),
		cmocka_unit_test(bad_daemon),
		cmocka_unit_test(kernel_tells_the_rest),
		cmocka_unit_test(daemon_dies_meanwhile),
		cmocka_unit_test(stub_asks_by_itself),
		cmocka_unit_test(may_not_ask),
	};
	int failed = cmocka_run_group_tests(tests, start, stop);

	return failed + cmocka_run_group_tests(as_user, start_as_user, stop);
}
