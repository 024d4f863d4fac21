/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What was mapped, read from /proc, kept, and asked about when the process is gone. */
#include "program.h"

static struct mw_modules modules;

static int modules_remove(void **state)
{
	mw_modules_free(&modules);
	modules = (struct mw_modules){0};
	return program_remove(state);
}

static int read_maps(const char *text)
{
	mw_modules_free(&modules);
	modules = (struct mw_modules){0};
	said.text[0] = '\0';
	return mw_modules_read_maps(&modules, text, strlen(text), &said);
}

static void maps(void **state)
{
	static const char text[] = "55d5c9400000-55d5c9401000 r--p 00000000 fe:01 10953360   /usr/bin/a b\n"
				   "55d5c9401000-55d5c9402000 r-xp 00001000 fe:01 10953360   /usr/bin/a b\n"
				   "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
				   "7f0000001000-7f0000002000 r-xp 00000000 00:00 0 \n"
				   "7f0000003000-7f0000004000 r-xp 00000000 00:00 0 \n"
				   "7f0000005000-7f0000006000 r-xs 00000000 00:01 7    /memfd:x\\012 (deleted)\n"
				   "7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0    [vdso]\n"
				   "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]";

	(void)state;
	assert_int_equal(read_maps(text), 0);
	assert_int_equal(modules.n, 6);
	assert_string_equal(modules.at[0].path, "/usr/bin/a b");
	assert_int_equal(modules.at[0].start, 0x55d5c9401000);
	assert_int_equal(modules.at[0].offset, 0x1000);
	assert_int_equal(modules.at[0].dev_major, 0xfe);
	assert_int_equal(modules.at[0].inode, 10953360);
	assert_int_equal(modules.at[1].end, 0x7f0000002000); /* two that became one */
	assert_int_equal(modules.at[2].start, 0x7f0000003000);
	assert_string_equal(modules.at[3].path, "/memfd:x\\012");
	assert_true(modules.at[3].deleted && !modules.at[0].deleted);
	assert_string_equal(modules.at[4].path, "[vdso]");
	assert_ptr_equal(mw_modules_find(&modules, 0x55d5c9401000), &modules.at[0]);
	assert_ptr_equal(mw_modules_find(&modules, 0x55d5c9401fff), &modules.at[0]);
	assert_null(mw_modules_find(&modules, 0x55d5c9402000));
	assert_null(mw_modules_find(&modules, 0));
	assert_ptr_equal(mw_modules_find(&modules, 0xffffffffff600000), &modules.at[5]);
	assert_null(mw_modules_find(&modules, ~0ULL));
}

static void maps_that_are_none(void **state)
{
	static const char *const texts[] = {
		"x",
		"\n",
		"1000-2000 r-xp 0 0:0 x /a",
		"1000-2000 r-xp 0 0:0",
		"2000-1000 r-xp 0 0:0 0 /a",
		"1000-1000 r-xp 0 0:0 0 /a",
		"1000-2000 r-x 0 0:0 0 /a",
		"10000000000000000-2 r-xp 0 0:0 0 /a",
		"1000-2000 r-xp 0 1ffffffff:0 0 /a",
		"1000-2000 r-xp 0 0:0 0 /a\n1800-3000 r-xp 0 0:0 0 /b",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (read_maps(texts[i]) != -EBADMSG)
			fail_msg("taken: %s", texts[i]);
		assert_said("maps: line ");
	}
	assert_said("line 2 ");
	assert_int_equal(read_maps(""), 0);
}

static void too_many(void **state)
{
	size_t size = (MW_MODULES_MAX + 10) * 64, n = 0;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < MW_MODULES_MAX + 10; i++)
		n += (size_t)snprintf(text + n, size - n, "%x-%x r-xp 0 0:0 %d /a\n", i * 0x1000, (i + 1) * 0x1000,
				      i + 1);
	assert_int_equal(read_maps(text), 0);
	assert_int_equal(modules.n, MW_MODULES_MAX);
	assert_int_equal(modules.left_out, 10);
	free(text);
}

static void numbers_of_status(void **state)
{
	static const char text[] = "Name:\tNSpid:\t9\nUid:\t1\t2\t3\t1000\nNSpid:\t500\t7\n";
	__u64 n;

	(void)state;
	assert_true(mw_status_last(text, "NSpid:", &n) && n == 7);
	assert_true(mw_status_last(text, "Uid:", &n) && n == 1000);
	assert_false(mw_status_last(text, "Gid:", &n));
	assert_false(mw_status_last("Gid:\t\n", "Gid:", &n));
	assert_false(mw_status_last("", "Gid:", &n));
}

static void build_ids(void **state)
{
	char longest[MW_BUILD_ID + 1];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[MW_BUILD_ID - 1] = '\0';
	assert_true(mw_build_id_valid("e025128345ce65b719dab776555f2b64ee0204a1"));
	assert_true(mw_build_id_valid(longest));
	assert_false(mw_build_id_valid(""));
	assert_false(mw_build_id_valid("abc"));
	assert_false(mw_build_id_valid("AB"));
	assert_false(mw_build_id_valid("../a"));
	longest[MW_BUILD_ID - 1] = 'a';
	longest[MW_BUILD_ID] = '\0';
	assert_false(mw_build_id_valid(longest));
}

static void take_modules(void)
{
	int r;

	mw_modules_free(&modules);
	modules = (struct mw_modules){0};
	r = mw_modules_ask(worker.pid, worker.start_ticks, symbols_program(), 60000, &modules, &said);
	if (r)
		fail_msg("%d, %s", r, said.text);
}

static void end_keeping_addresses(void)
{
	struct worker was = worker;

	end_worker();
	worker = was;
	worker.pid = 0;
}

static void of_a_living_process(void **state)
{
	const struct mw_module *m;

	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start_worker("weir");
	take_modules();
	assert_int_equal(modules.pid, worker.pid);
	assert_int_equal(modules.start_ticks, worker.start_ticks);
	assert_int_equal(modules.uid, geteuid());
	m = mw_modules_find(&modules, worker.pcs[0]);
	assert_non_null(m);
	assert_string_equal(m->path, tree_path("weir"));
	assert_true(m->has_address && strlen(m->build_id) == 40 && m->inode && !m->deleted);
	worker.start_ticks++;
	assert_int_equal(mw_modules_ask(worker.pid, worker.start_ticks, symbols_program(), 60000, &modules, &said),
			 -ESRCH);
}

static void of_a_dead_one(void **state)
{
	(void)state;
	in_tree("gcc -O2 -g -o weir weir.c");
	start_worker("weir");
	take_modules();
	end_keeping_addresses();
	assert_int_equal(ask_about(&modules, 0, true), 0);
	assert_c_program();
	/* In its place another: its names are not this one's. */
	in_tree("gcc -O1 -g -fno-inline -o weir weir.c");
	assert_int_equal(ask_about(&modules, 0, true), 0);
	assert_frame(0, 0, "", "", 0);
	assert_string_equal(frame(0, 0)->module, tree_path("weir"));
	assert_int_equal(strlen(frame(0, 0)->build_id), 40);
	assert_true(symbols.unread > 0 && strstr(symbols.problem, "it is another file now"));
	in_tree("rm weir");
	assert_int_equal(ask_about(&modules, 0, true), 0);
	assert_frame(0, 0, "", "", 0);
	assert_true(strstr(symbols.problem, "No such file") != NULL);
}

/*
 * Needs root. The root folder of a container: the process dies, its program is gone, and the debug file that its folder
 * has by build id says it all.
 */
static void in_a_root_folder(void **state)
{
	static const char *const argv[] = {"/weir", NULL};
	char root[PATH_MAX];
	pid_t other;

	(void)state;
	if (geteuid()) {
		printf("skipped: needs root, to change the root folder\n");
		skip();
	}
	in_tree("gcc -O2 -g -static -o weir weir.c && id=$(readelf -n weir | sed -n 's/.*Build ID: //p') && "
		"d=root/usr/lib/debug/.build-id/$(echo $id | cut -c 1-2) && mkdir -p $d && "
		"objcopy --only-keep-debug weir $d/$(echo $id | cut -c 3-).debug && strip -o root/weir weir");
	snprintf(root, sizeof(root), "%s", tree_path("root"));
	start_worker_in(root, 0, argv);
	ask_worker();
	assert_c_program();
	assert_true(ends_with(frame(0, 0)->module, "/weir"));
	take_modules();
	end_keeping_addresses();
	assert_int_equal(unlink(tree_path("root/weir")), 0);
	/* Not ours, where the host's root folder is meant. */
	assert_int_equal(ask_about(&modules, 0, true), 0);
	assert_frame(0, 0, "", "", 0);
	other = fork();
	assert_true(other >= 0);
	if (!other) {
		if (!chroot(root))
			pause();
		_exit(1);
	}
	worker.start_ticks = 0;
	for (int i = 0; i < 500; i++) { /* until it is in there */
		assert_int_equal(ask_about(&modules, other, true), 0);
		if (*frame(0, 0)->function)
			break;
		usleep(10000);
	}
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	assert_c_program();
}

/* Needs root. As distributions have it: what debug files have in common is in one of its own. */
static void shared_debug_information(void **state)
{
	static const char *const argv[] = {"/weir", NULL};
	char root[PATH_MAX];

	(void)state;
	if (geteuid()) {
		printf("skipped: needs root, to change the root folder\n");
		skip();
	}
	in_tree("gcc -O2 -g -static -o weir weir.c && gcc -O2 -fno-ipa-ra -g -static -o other weir.c && mkdir root && "
		"strip -o root/weir weir && for f in weir other; do objcopy --only-keep-debug $f $f.debug; done && "
		"dwz -m common.debug -M /usr/lib/debug/.dwz/common.debug weir.debug other.debug && "
		"for f in weir common; do id=$(readelf -n $f.debug 2>/dev/null | sed -n 's/.*Build ID: //p'); "
		"d=root/usr/lib/debug/.build-id/$(echo $id | cut -c 1-2); mkdir -p $d; "
		"cp $f.debug $d/$(echo $id | cut -c 3-).debug; done");
	snprintf(root, sizeof(root), "%s", tree_path("root"));
	start_worker_in(root, 0, argv);
	ask_worker();
	assert_c_program();
	/* Without it there is less, and nothing worse. */
	in_tree("rm root/usr/lib/debug/.build-id/$(readelf -n common.debug 2>/dev/null | "
		"sed -n 's/.*Build ID: \\(..\\)\\(.*\\)/\\1\\/\\2/p').debug");
	ask_worker();
	assert_int_equal(frame(0, 0)->line, 3);
	assert_string_equal(frame(1, 0)->function, "");
	assert_int_equal(frames_at(1), 3);
}

/* Needs root: a link in there leads to what the process itself may not read, and is followed no further than it. */
static void a_root_folder_with_a_trap(void **state)
{
	static const char *const argv[] = {"/weir", NULL};
	char root[PATH_MAX];

	(void)state;
	if (geteuid()) {
		printf("skipped: needs root, to change the root folder\n");
		skip();
	}
	in_tree("gcc -O2 -g -static -o weir weir.c && mkdir -p root && strip -o root/weir weir && "
		"objcopy --add-gnu-debuglink=weir root/weir && mkdir secret && chmod 755 . && "
		"objcopy --only-keep-debug weir secret/weir.debug && chmod 700 secret && "
		"id=$(readelf -n weir | sed -n 's/.*Build ID: //p') && "
		"d=root/usr/lib/debug/.build-id/$(echo $id | cut -c 1-2) && mkdir -p $d root/secret && "
		"chmod 700 root/secret && "
		"ln -s $PWD/secret/weir.debug $d/$(echo $id | cut -c 3-).debug");
	snprintf(root, sizeof(root), "%s", tree_path("root"));
	start_worker_in(root, 1234, argv);
	ask_worker();
	assert_frame(0, 0, "", "", 0); /* the link ends within the folder, where there is no such file */
	in_tree("mv secret/weir.debug root/secret/ && "
		"ln -sf /secret/weir.debug root/usr/lib/debug/.build-id/*/*.debug");
	ask_worker();
	assert_frame(0, 0, "", "", 0); /* there is one now, and user 1234 may not read it */
	in_tree("chmod 755 root/secret");
	ask_worker();
	assert_c_program();
}

#define modules_case(f) cmocka_unit_test_setup_teardown(f, program_make, modules_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		modules_case(maps),
		modules_case(maps_that_are_none),
		modules_case(too_many),
		modules_case(build_ids),
		modules_case(numbers_of_status),
		modules_case(of_a_living_process),
		modules_case(of_a_dead_one),
		modules_case(in_a_root_folder),
		modules_case(a_root_folder_with_a_trap),
		modules_case(shared_debug_information),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
