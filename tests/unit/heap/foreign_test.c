/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Programs nobody here wrote, and such as shut us out: nothing of what they do changes, and totals make sense. */
#include "program.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "core/proc.h"

/* Start it, and what it holds once it says so. 0 objects: none is expected. */
static void holds(const char *const *argv, __u64 at_least)
{
	struct program p = program_start("65536", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};
	__u64 anon, swap, shmem, file;

	program_ready(&p);
	program_read(p.who, &h);
	assert_int_equal(mw_proc_memory("/proc", p.who, &anon, &swap, &shmem, &file), 0);
	print_message("%s: %llu bytes live in %zu sites, %llu samples; %llu anonymous, %llu lost\n", argv[0],
		      h.live_bytes, h.n_sites, h.samples, anon, h.lost_bytes);
	assert_true(h.live_bytes > at_least / 5 * 4);
	anon += swap;
	assert_true(h.live_bytes < anon + anon / 2); /* mappings count whole, touched or not */
	assert_true(h.sites[0].n_frames > 3);
	assert_int_equal(h.lost_bytes, 0);
	assert_int_equal(h.n_silent, 0);
	assert_int_equal(program_end(&p), 0);
}

#define PYTHON_40_MB                                                                                                   \
	"import os, sys\n"                                                                                             \
	"keep = [bytes(100000) for i in range(200)] + [bytes(i % 300 + 1) for i in range(120000)]\n"                   \
	"keep += [str(x) for x in range(100)]\n"                                                                       \
	"print('ready 40000000 0 0', os.getpid(), flush=True)\n"                                                       \
	"sys.stdin.read()\n"

static void python(void **state)
{
	const char *argv[] = {"/usr/bin/python3", "-c", PYTHON_40_MB, NULL};

	(void)state;
	if (!have(argv[0]))
		skip();
	holds(argv, 36000000);
}

#define NODE_40_MB                                                                                                     \
	"const keep = []; for (let i = 0; i < 400; i++) keep.push(Buffer.alloc(100000, i));"                           \
	"console.log('ready 40000000 0 0 ' + process.pid); process.stdin.resume();"

static void node(void **state)
{
	const char *argv[] = {"/usr/bin/node", "-e", NODE_40_MB, NULL};

	(void)state;
	if (!have(argv[0]))
		skip();
	holds(argv, 40000000);
}

/* It has jemalloc. In a directory of its own, and to nobody but us. */
#define REDIS_40_MB                                                                                                    \
	"d=$(mktemp -d) && cd $d || exit 1; trap 'rm -rf $d' EXIT\n"                                                   \
	"redis-server --port 0 --unixsocket s --save '' --appendonly no >log 2>&1 <&- & who=$!\n"                      \
	"i=0; while [ $i -lt 300 ] && ! redis-cli -s s ping >got 2>&1; do i=$((i + 1)); sleep 0.1; done\n"             \
	"redis-cli -s s eval \"for i = 1, 100000 do redis.call('set', 'key' .. i, string.rep('x', 350)) end\" 0 "      \
	">got\n"                                                                                                       \
	"redis-cli -s s eval \"for i = 1, 50000 do redis.call('del', 'key' .. i) end\" 0 >>got\n"                      \
	"redis-cli -s s eval \"for i = 1, 50000 do redis.call('hset', 'h' .. i % 10, 'f' .. i, string.rep('y', 350)) " \
	"end\" 0 >>got\n"                                                                                              \
	"echo ready 40000000 0 0 $who; read end; kill $who; wait $who; exit 0"

static void redis(void **state)
{
	const char *argv[] = {"/bin/sh", "-c", REDIS_40_MB, NULL};

	(void)state;
	if (!have("/usr/bin/redis-server"))
		skip();
	holds(argv, 40000000);
}

/* What it writes, at most; and its exit status. */
static int output(const char *sample, const char *const *argv, char *buf, size_t size)
{
	struct program p = program_start(sample, argv);
	size_t n = 0;
	ssize_t got;

	mw_close(&p.in_fd);
	while (n + 1 < size && (got = read(p.out_fd, buf + n, size - 1 - n)) > 0)
		n += (size_t)got;
	buf[n] = '\0';
	return program_end(&p);
}

/* Programs that start others, with threads, with pipes: a sample each 4 KiB or none, all that comes out is the same. */
static void nothing_changes(void **state)
{
	static const char *const scripts[] = {
		"(ls -la /usr/bin | sort -k5n | tail -n 20; sort --parallel=4 -S 1M /etc/services | md5sum) 2>&1",
		"for i in 1 2 3 4 5; do (echo $i | cat | cat) ; done; env -u PATH /bin/echo done; exit 3",
		"perl -e 'my %h; $h{$_ % 5000} .= \"x\" x 50 for 1..100000; print length(join(\"\", values %h)), "
		"\"\\n\"' 2>&1",
		"python3 -c 'import subprocess, threading, json, zlib\n"
		"t = [threading.Thread(target=lambda: zlib.compress(bytes(10**6))) for i in range(8)]\n"
		"[x.start() for x in t]; [x.join() for x in t]\n"
		"print(subprocess.check_output([\"/bin/echo\", json.dumps(list(range(1000)))]))' 2>&1",
		"(git --version; tar -cf - /usr/share/doc/bash 2>/dev/null | xz | xz -dc | tar -tf - | sort) 2>&1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		const char *argv[] = {"/bin/sh", "-c", scripts[i], NULL};
		static char with[1 << 16], without[1 << 16];
		int status = output(NULL, argv, without, sizeof(without));

		assert_int_equal(output("4096", argv, with, sizeof(with)), status);
		assert_string_equal(with, without);
	}
}

static void every_name_does_what_libcs_does(void **state)
{
	const char *argv[] = {built("tests/workers/heap"), "names", NULL};
	struct program p = program_start("4096", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	(void)state;
	program_ready(&p);
	program_read(p.who, &h);
	assert_true(h.counts[MW_HEAP_COUNT_TAKEN] > 5000);
	print_message("%llu taken, %llu freed\n", h.counts[MW_HEAP_COUNT_TAKEN], h.counts[MW_HEAP_COUNT_FREED]);
	assert_true(h.counts[MW_HEAP_COUNT_TAKEN] - h.counts[MW_HEAP_COUNT_FREED] < 20);
	assert_int_equal(program_end(&p), 0);
}

/* Made with clone itself, or shut in before its first sample: it is found all the same, and not killed. */
static void children_of_other_kinds(void **state)
{
	static const char *const modes[] = {"clone", "sandbox"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		const char *argv[] = {built("tests/workers/heap"), modes[i], "512", "8", NULL};
		struct program p = program_start("16384", argv);
		_cleanup_(mw_heap_free) struct mw_heap h = {0};

		program_ready(&p);
		program_read(p.who, &h);
		assert_true(is_guilty(&p, &h.sites[0]));
		assert_true(guilty_bytes(&p, &h) > 6 << 20 && guilty_bytes(&p, &h) < 10 << 20);
		mw_close(&p.in_fd);
		assert_int_equal(program_end(&p), 0);
	}
}

static int refusal(struct program *p, struct mw_heap *h)
{
	struct mw_error err = {""};
	int r;

	program_ready(p);
	r = mw_heap_read("/proc", p->who, h, &err);
	print_message("%d: %s\n", r, err.text);
	assert_true(r >= 0 || *err.text);
	return r;
}

static void without_a_region_it_is_off(void **state)
{
	const char *refused[] = {built("tests/workers/heap"), "refused", "512", "1", NULL};
	const char *off[] = {built("tests/workers/heap"), "objects", "512", "1", NULL};
	_cleanup_(mw_heap_free) struct mw_heap h = {0};
	struct program p = program_start("16384", refused);

	(void)state;
	assert_int_equal(refusal(&p, &h), -ENODATA);
	assert_int_equal(program_end(&p), 0);
	p = program_start("0", off);
	assert_int_equal(refusal(&p, &h), -ENODATA);
	assert_int_equal(program_end(&p), 0);
	p = program_start("many", off);
	assert_int_equal(refusal(&p, &h), -ENODATA);
	assert_int_equal(program_end(&p), 0);
	p = program_start(NULL, off);
	assert_int_equal(refusal(&p, &h), -ENODATA);
	assert_int_equal(program_end(&p), 0);
	assert_int_equal(h.n_without, 4);
	assert_int_equal(mw_heap_read("/proc", p.who, &h, NULL), -ESRCH);
}

static void an_allocator_of_its_own_is_told(void **state)
{
	const char *argv[] = {built("tests/workers/heap_own"), NULL};
	struct program p = program_start("65536", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	(void)state;
	assert_int_equal(refusal(&p, &h), 0);
	assert_int_equal(h.n_silent, 1);
	assert_int_equal(h.n_sites, 1); /* its arena */
	assert_int_equal(h.sites[0].kind, MW_HEAP_MAPPING_ANON);
	assert_int_equal(program_end(&p), 0);
}

#define ROOM (8UL << 20)

/*
 * A child that has this in a page of that file, named as ours is, and behind it a part of another kind of memory; it
 * waits until it is killed. NULL: it leaves the page alone.
 */
static pid_t pretends_with(int fd, const struct mw_heap_head *head, int behind)
{
	int told[2];
	pid_t pid;
	char c;

	assert_true(!head || ftruncate(fd, 4096) == 0);
	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Behind it is this, not what happens to be mapped there. */
		void *room = mmap(NULL, ROOM, behind, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		struct mw_heap_head *at = mmap(room, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);

		if (head) {
			*at = *head;
			at->pid = at->pid ? (__u32)getpid() : 0;
		}
		assert_int_equal(write(told[1], "", 1), 1);
		for (;;)
			pause();
	}
	close(fd);
	assert_int_equal(read(told[0], &c, 1), 1);
	close(told[0]);
	close(told[1]);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static const struct mw_heap_head all_records = {.magic = MW_HEAP_MAGIC,
						.version = MW_HEAP_VERSION,
						.head_size = sizeof(struct mw_heap_head),
						.record_size = sizeof(struct mw_heap_record),
						.n_records = MW_HEAP_RECORDS_MAX,
						.records_at = 4096,
						.mean_bytes = MW_HEAP_MEAN_DEFAULT,
						.pid = 1,
						.n_used = MW_HEAP_RECORDS_MAX};

/* Refused, counted, and said why. */
static void assert_refused(pid_t pid, const char *why)
{
	_cleanup_(mw_heap_free) struct mw_heap h = {0};
	struct mw_error err = {""};

	assert_int_equal(mw_heap_read("/proc", pid, &h, &err), -EBADMSG);
	print_message("%s\n", err.text);
	assert_non_null(strstr(err.text, why));
	assert_int_equal(h.n_refused, 1);
	assert_string_equal(h.refused, err.text);
	assert_int_equal(h.n_processes + h.n_sites, 0);
	stop(pid);
}

static void who_only_pretends(void **state)
{
	struct mw_heap_head head = all_records;
	_cleanup_(mw_heap_free) struct mw_heap h = {0};
	pid_t pid = pretends_with(memfd_create(MW_HEAP_MAPPING, 0), &head, PROT_READ | PROT_WRITE);

	(void)state;
	assert_int_equal(mw_heap_read("/proc", pid, &h, NULL), 0); /* as ours is, and empty */
	assert_int_equal(h.n_processes, 1);
	assert_int_equal(h.n_sites + h.n_refused, 0);
	stop(pid);
	assert_refused(pretends_with(memfd_create(MW_HEAP_MAPPING, 0), &head, PROT_NONE),
		       "4096 records that end 1314816 bytes behind its beginning, of which its memory is 4096");
	head.records_at = 1 << 20; /* where nothing was ever written */
	pid = pretends_with(memfd_create(MW_HEAP_MAPPING, 0), &head, PROT_READ | PROT_WRITE);
	assert_int_equal(mw_heap_read("/proc", pid, &h, NULL), 0);
	stop(pid);
	head.pid = 0;
	pid = pretends_with(memfd_create(MW_HEAP_MAPPING, 0), &head, PROT_READ | PROT_WRITE);
	assert_int_equal(mw_heap_read("/proc", pid, &h, NULL), -ENODATA);
	stop(pid);
	head.magic = 0; /* its first moments */
	pid = pretends_with(memfd_create(MW_HEAP_MAPPING, 0), &head, PROT_READ | PROT_WRITE);
	assert_int_equal(mw_heap_read("/proc", pid, &h, NULL), -ENODATA);
	stop(pid);
	assert_int_equal(h.n_refused, 0);
	head.magic = 1;
	assert_refused(pretends_with(memfd_create(MW_HEAP_MAPPING, 0), &head, PROT_READ | PROT_WRITE),
		       "no sampler's region: it begins with 1");
}

/* A file of that name, removed, on a file system that is mounted nowhere: in maps it is called what a memfd is. -1. */
static int file_of_that_name(int fs_fd, pid_t (*serve)(void), pid_t *ret_server)
{
	_cleanup_close_ int mount_fd = -1, fd = -1;

	if (syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	if (serve)
		*ret_server = serve();
	mount_fd = (int)syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, 0);
	fd = mount_fd < 0 ? -1 : openat(mount_fd, "memfd:" MW_HEAP_MAPPING, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || unlinkat(mount_fd, "memfd:" MW_HEAP_MAPPING, 0) < 0)
		return -1;
	return TAKE_FD(fd);
}

static void skip_without(int fd)
{
	if (fd >= 0)
		return;
	print_message("skipped: no file system that is mounted nowhere: %s\n", strerror(errno));
	skip();
}

static void a_file_with_the_name_of_a_region(void **state)
{
	_cleanup_close_ int fs_fd = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int fd = fs_fd < 0 ? -1 : file_of_that_name(fs_fd, NULL, NULL);

	(void)state;
	skip_without(fd);
	assert_refused(pretends_with(fd, &all_records, PROT_READ | PROT_WRITE), "the memfds'");
}

static int fuse_fd = -1;

static void fuse_answer(const struct fuse_in_header *in, int error, const void *body, size_t size)
{
	char buf[512];
	const struct fuse_out_header out = {(__u32)(sizeof(out) + size), error, in->unique};

	memcpy(buf, &out, sizeof(out));
	if (size)
		memcpy(buf + sizeof(out), body, size);
	(void)!write(fuse_fd, buf, sizeof(out) + size);
}

/* One file, whatever it is asked for; what stands in it is never said. */
static void fuse_serve_one(const struct fuse_in_header *in, const void *body)
{
	const struct fuse_attr attr = {
		.ino = in->nodeid == 1 && in->opcode == FUSE_GETATTR ? 1 : 2,
		.mode = in->nodeid == 1 && in->opcode == FUSE_GETATTR ? S_IFDIR | 0755 : S_IFREG | 0600,
		.size = 4096,
		.nlink = 1,
	};
	struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096};
	const struct fuse_entry_out entry = {.nodeid = 2, .entry_valid = 60, .attr_valid = 60, .attr = attr};
	const struct fuse_attr_out attr_out = {.attr_valid = 60, .attr = attr};
	const struct fuse_open_out opened = {.fh = 1};

	if (in->opcode == FUSE_INIT) {
		init.minor = ((const struct fuse_init_in *)body)->minor < 31
				     ? ((const struct fuse_init_in *)body)->minor
				     : 31;
		fuse_answer(in, 0, &init, sizeof(init));
	} else if (in->opcode == FUSE_LOOKUP) {
		fuse_answer(in, 0, &entry, sizeof(entry));
	} else if (in->opcode == FUSE_GETATTR) {
		fuse_answer(in, 0, &attr_out, sizeof(attr_out));
	} else if (in->opcode == FUSE_OPEN) {
		fuse_answer(in, 0, &opened, sizeof(opened));
	} else if (in->opcode == FUSE_UNLINK || in->opcode == FUSE_FLUSH || in->opcode == FUSE_RELEASE) {
		fuse_answer(in, 0, NULL, 0);
	} else if (in->opcode != FUSE_READ && in->opcode != FUSE_FORGET && in->opcode != FUSE_INTERRUPT) {
		fuse_answer(in, -ENOSYS, NULL, 0);
	}
}

/* With its end, after so many seconds at the latest, whoever waits for it is let go: with an error. */
static pid_t fuse_serve(void)
{
	static __u64 buf[FUSE_MIN_READ_BUFFER / 4];
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(20);
	while (read(fuse_fd, buf, sizeof(buf)) > 0)
		fuse_serve_one((const void *)buf, (const char *)buf + sizeof(struct fuse_in_header));
	_exit(0);
}

static int fuse_open(void)
{
	static const char *const set[][2] = {{"source", "x"},
					     {"rootmode", "40000"},
					     {"user_id", "0"},
					     {"group_id", "0"}};
	int fs_fd = (int)syscall(SYS_fsopen, "fuse", FSOPEN_CLOEXEC);
	char number[16];

	fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(number, sizeof(number), "%d", fuse_fd);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_STRING, set[i][0], set[i][1], 0);
	syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_STRING, "fd", number, 0);
	return fs_fd;
}

/* Behind its page stands a file server that does not answer: it is not asked. */
static void a_file_server_with_the_name_of_a_region(void **state)
{
	_cleanup_close_ int fs_fd = fuse_open();
	struct timespec from, to;
	pid_t server = 0;
	int fd = fs_fd < 0 || fuse_fd < 0 ? -1 : file_of_that_name(fs_fd, fuse_serve, &server);

	(void)state;
	mw_close(&fuse_fd);
	if (fd >= 0) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		assert_refused(pretends_with(fd, NULL, PROT_READ | PROT_WRITE), "the memfds'");
		clock_gettime(CLOCK_MONOTONIC, &to);
		assert_true(to.tv_sec - from.tv_sec < 10);
	}
	if (server > 0)
		stop(server);
	skip_without(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(python),
		cmocka_unit_test(node),
		cmocka_unit_test(redis),
		cmocka_unit_test(nothing_changes),
		cmocka_unit_test(every_name_does_what_libcs_does),
		cmocka_unit_test(children_of_other_kinds),
		cmocka_unit_test(without_a_region_it_is_off),
		cmocka_unit_test(an_allocator_of_its_own_is_told),
		cmocka_unit_test(who_only_pretends),
		cmocka_unit_test(a_file_with_the_name_of_a_region),
		cmocka_unit_test(a_file_server_with_the_name_of_a_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
