/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Whatever a process maps, and whatever is put in the program's place: an answer or an error in time, nothing else; no
 * descriptor and no process left.
 */
#include "program.h"

#include "util/clock.h"

/* It maps a file of any kind as code, and prints addresses in there. */
static const char mapper[] = "#include <fcntl.h>\n#include <stdio.h>\n#include <sys/mman.h>\n#include <sys/stat.h>\n"
			     "#include <unistd.h>\n"
			     "int main(int argc, char **argv) {\n"
			     "	int fd = open(argv[argc - 1], O_RDONLY); struct stat st; char *p;\n"
			     "	fstat(fd, &st);\n"
			     "	p = mmap(0, st.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);\n"
			     "	for (int i = 0; i < 16; i++)\n"
			     "		printf(\"%p \", (void *)(p + 0x1000 + i * 0x20));\n"
			     "	printf(\"\\n\"); fflush(stdout); for (;;) pause(); }\n";

static size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void start_mapper(void)
{
	char path[PATH_MAX];
	const char *argv[] = {path, tree_path("file"), NULL};

	snprintf(path, sizeof(path), "%s/mapper", tree);
	start_worker_in(NULL, 0, argv);
}

/* xorshift64: the same files everywhere. */
static __u64 random_next(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void damage(char *bytes, size_t *n, __u64 *seed)
{
	size_t from = random_next(seed) % 3 ? 0 : *n / 2; /* anywhere, or among what describes it */

	for (__u64 i = random_next(seed) % 200 + 1; i; i--)
		bytes[from + random_next(seed) % (*n - from)] = (char)random_next(seed);
	if (random_next(seed) % 4 == 0)
		bytes[16 + random_next(seed) % 48] = (char)random_next(seed); /* its head */
	if (random_next(seed) % 8 == 0)
		*n = random_next(seed) % *n + 1;
}

/* A program, its debug information and all, with bytes changed; the same each time. */
static void damaged_files(void **state)
{
	_cleanup_free_ char *whole = malloc(1U << 20), *bytes = malloc(1U << 20);
	size_t before, answered = 0, rounds = 150, n;
	__u64 seed = 88172645463325252ULL;
	FILE *f;

	(void)state;
	tree_file("mapper.c", mapper);
	in_tree("gcc -O1 -o mapper mapper.c && gcc -O2 -g -gz=none -o weir weir.c");
	f = fopen(tree_path("weir"), "re");
	assert_true(f && whole && bytes);
	n = fread(whole, 1, 1U << 20, f);
	fclose(f);
	assert_true(n > 8192 && n < 1U << 20);
	before = open_files();
	for (size_t i = 0; i < rounds; i++) {
		size_t size = n;
		int r;

		memcpy(bytes, whole, n);
		damage(bytes, &size, &seed);
		tree_bytes("file", bytes, size);
		start_mapper();
		r = ask_about(NULL, worker.pid, true);
		if (r && r != -EPROTO && r != -ETIMEDOUT)
			fail_msg("file %zu: %d, %s", i, r, said.text);
		if (r)
			assert_true(*said.text);
		else
			assert_int_equal(symbols.n, worker.n);
		answered += !r;
		end_worker();
	}
	assert_int_equal(open_files(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_true(answered > rounds / 2); /* most is ignored where it is wrong */
}

/*
 * Little files that unpack to more than there is memory for: symbols of 100 MB, and debug information that says it has
 * 8 GB. What is said without them is said.
 */
static void files_that_unpack_to_too_much(void **state)
{
	(void)state;
	in_tree("gcc -O2 -rdynamic -s -o weir weir.c && python3 -c 'import lzma; "
		"open(\"bomb.xz\", \"wb\").write(lzma.compress(bytes(100 << 20), preset=0))' && "
		"objcopy --add-section .gnu_debugdata=bomb.xz weir");
	start_worker("weir");
	ask_worker();
	assert_c_symbols(false);
	in_tree("gcc -O2 -g -gz -rdynamic -o weir weir.c && python3 -c 'import struct; "
		"b = bytearray(open(\"weir\", \"rb\").read()); at, = struct.unpack_from(\"<Q\", b, 40); n = b[60]; "
		"s = [struct.unpack_from(\"<IIQQQQIIQQ\", b, at + 64 * i) for i in range(n)]; "
		"[struct.pack_into(\"<Q\", b, h[4] + 8, 8 << 30) for h in s if h[2] & 0x800]; "
		"open(\"bomb\", \"wb\").write(b)' && chmod 755 bomb");
	start_worker("bomb");
	ask_worker();
	assert_c_symbols(true);
	/* A debug file that is as large as may be, and of which nothing is there. */
	in_tree("gcc -O2 -Wl,--build-id=none -rdynamic -s -o weir weir.c && cp weir weir.debug && "
		"objcopy --add-gnu-debuglink=weir.debug weir && truncate -s 40G weir.debug");
	start_worker("weir");
	ask_worker();
	assert_frame(0, 0, "plain", "", 0);
}

/* It is cut off while it is mapped: reading it is a SIGBUS, of the part without rights. */
static void a_file_that_is_cut(void **state)
{
	(void)state;
	tree_file("mapper.c", mapper);
	in_tree("gcc -O1 -o mapper mapper.c && gcc -O2 -g -o file weir.c");
	start_mapper();
	assert_int_equal(truncate(tree_path("file"), 100), 0);
	ask_worker();
	assert_frame(0, 0, "", "", 0);
	assert_int_equal(truncate(tree_path("file"), 0), 0);
	ask_worker();
	assert_frame(0, 0, "", "", 0);
	assert_true(symbols.unread > 0);
}

/* A script in the program's place. */
static int ask_script(const char *script, __u32 timeout_ms)
{
	struct mw_address a = {0x1000, false};
	struct mw_symbols_question q = {.pid = getpid(), .addresses = &a, .n = 1, .timeout_ms = timeout_ms};
	char path[PATH_MAX], text[4096];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	tree_file("program", text);
	snprintf(path, sizeof(path), "%s", tree_path("program"));
	assert_int_equal(chmod(path, 0755), 0);
	q.program = path;
	mw_symbols_free(&symbols);
	said.text[0] = '\0';
	return mw_symbols_ask(&q, &symbols, &said);
}

static void what_may_stand_in_its_place(void **state)
{
	__u64 began = mw_now_ns();
	size_t before = open_files();
	char script[256];

	(void)state;
	assert_int_equal(ask_script("exit 3", 20000), -EPROTO);
	assert_said("memweir-symbols: exit status 3");
	assert_int_equal(ask_script("kill -SEGV $$", 20000), -EPROTO);
	assert_said("died of signal 11");
	assert_int_equal(ask_script("exec sleep 1000", 200), -ETIMEDOUT);
	assert_said("no answer within 200 ms");
	assert_int_equal(ask_script("exec cat /dev/zero", 60000), -EPROTO);
	assert_said("longer than 49152 bytes"); /* of one address */
	/* It is asked in its own words, whole, and gives the answer. */
	snprintf(
		script, sizeof(script),
		"[ \"$1\" = --question ] && [ \"$(cat)\" = \"pid %d 0\naddress 1000\" ] || exit 4\n"
		"echo '{\"addresses\":[{\"frames\":[{\"offset\":7}]}],\"unfinished\":0,\"unread\":0,\"problem\":\"\"}'",
		getpid());
	assert_int_equal(ask_script(script, 20000), 0);
	assert_int_equal(frame(0, 0)->offset, 7);
	assert_int_equal(open_files(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_true(mw_now_ns() - began < 60 * MW_NS_PER_S);
}

/* By hand: what is no question. */
static void arguments_that_are_none(void **state)
{
	static const char *const arguments[] = {
		"",
		"--pid",
		"--pid 0 1",
		"--pid x 1",
		"--pid 1",
		"1",
		"--pid 1 xyz",
		"--pid 1 --start",
		"--pid 1 -1",
		"--pid 1 --modules 1",
		"--pid 1 1 --timeout 0",
		"--pid 1 1 --timeout 60001",
		"--nonsense",
	};
	char line[PATH_MAX + 100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
		int status;

		snprintf(line, sizeof(line), "%s %s </dev/null 2>/dev/null", symbols_program(), arguments[i]);
		status = system(line);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 2)
			fail_msg("%s: status %#x", arguments[i], (unsigned int)status);
	}
}

/* Time is over before anything is read: module and offset are there, and it is said that this is not all. */
static void no_time(void **state)
{
	struct mw_address a;
	struct mw_symbols_question q = {.addresses = &a, .n = 1, .program = symbols_program(), .timeout_ms = 1};
	int r = 0;

	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start_worker("weir");
	a = (struct mw_address){worker.pcs[0], true};
	q.pid = worker.pid;
	for (q.timeout_ms = 1; q.timeout_ms < 1000; q.timeout_ms += q.timeout_ms / 4 + 1) {
		mw_symbols_free(&symbols);
		r = mw_symbols_ask(&q, &symbols, &said);
		if (r && r != -ETIMEDOUT)
			fail_msg("%d, %s", r, said.text);
		if (!r && symbols.unfinished)
			assert_true(*frame(0, 0)->module && frame(0, 0)->offset > 0);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* none but the worker */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		program_test(damaged_files),	       program_test(files_that_unpack_to_too_much),
		program_test(a_file_that_is_cut),      program_test(what_may_stand_in_its_place),
		program_test(arguments_that_are_none), program_test(no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
