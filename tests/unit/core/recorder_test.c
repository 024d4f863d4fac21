/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/recorder_impl.h"
#include "util/clock.h"

#define S    MW_NS_PER_S
#define T0   (1000 * S)
#define BOOT "0e3a5e0c-6d0f-4c86-9f1e-000000000001"

static char dir[64];
static int dir_fd;
static struct mw_recorder *rec;
static struct mw_error note;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/mw-recorder-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rec = NULL;
	return dir_fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	mw_recorder_close(rec);
	mw_recorder_remove(dir_fd);
	unlinkat(dir_fd, MW_RECORDER_FILE, AT_REMOVEDIR);
	close(dir_fd);
	return rmdir(dir);
}

static void reopen(__u32 workers, __u64 now_ns)
{
	mw_recorder_close(rec);
	rec = NULL;
	assert_int_equal(mw_recorder_open(dir_fd, BOOT, workers, now_ns, &rec, &note), 0);
}

static void look(struct mw_track *t, __u64 time_ns, __u64 bytes)
{
	struct mw_usage u = {.time_ns = time_ns, .current = bytes, .max = MW_UNLIMITED, .high = MW_UNLIMITED};

	mw_track_note(t, &u);
}

static bool there(const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void a_daemon_goes_on_where_the_last_one_was(void **state)
{
	struct mw_look looks[MW_TRACK_POINTS];
	struct mw_track *a, *b;
	struct stat st;

	(void)state;
	reopen(4, T0);
	assert_string_equal(note.text, "");
	assert_int_equal(mw_recorder_looked_before(rec), 0);
	assert_int_equal(fstatat(dir_fd, MW_RECORDER_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	a = mw_recorder_begin(rec, 11, "a");
	b = mw_recorder_begin(rec, 22, "b");
	assert_non_null(a);
	assert_non_null(b);
	look(a, T0, 4096);
	look(b, T0, 8192);
	look(b, T0 + S, 12288);
	mw_recorder_looked(rec, T0 + S);
	reopen(4, T0 + 10 * S);
	assert_string_equal(note.text, "");
	assert_int_equal(mw_recorder_looked_before(rec), T0 + S);
	assert_null(mw_recorder_left(rec, 33));
	assert_non_null(mw_recorder_left(rec, 11));
	b = mw_recorder_begin(rec, 22, "b");
	assert_int_equal(mw_track_read(b, looks), 2);
	assert_int_equal(looks[1].usage, 12288);
	look(b, T0 + 11 * S, 4096);
	assert_int_equal(mw_track_read(b, looks), 3);
	assert_null(mw_recorder_left(rec, 22)); /* taken */
	assert_int_equal(mw_recorder_sweep(rec), 1);
	assert_null(mw_recorder_left(rec, 11));
	reopen(4, T0 + 20 * S);
	assert_null(mw_recorder_left(rec, 11)); /* it was let go */
	assert_non_null(mw_recorder_left(rec, 22));
	mw_recorder_end(rec, mw_recorder_begin(rec, 22, "b"));
	reopen(4, T0 + 20 * S);
	assert_null(mw_recorder_left(rec, 22));
}

static void as_many_as_there_may_be(void **state)
{
	struct mw_track *t[8];

	(void)state;
	reopen(4, T0);
	for (__u64 i = 0; i < 4; i++)
		assert_non_null(t[i] = mw_recorder_begin(rec, 100 + i, "w"));
	assert_null(mw_recorder_begin(rec, 200, "w"));
	assert_int_equal(mw_recorder_lost(rec), 1);
	mw_recorder_end(rec, t[2]);
	assert_ptr_equal(mw_recorder_begin(rec, 200, "w"), t[2]);
	for (int i = 0; i < 4; i++)
		look(t[i], T0, 4096 * (unsigned)(i + 1));
	reopen(8, T0 + S); /* max_workers was raised: all of them stay */
	assert_string_equal(note.text, "");
	assert_non_null(mw_recorder_left(rec, 100));
	assert_non_null(mw_recorder_left(rec, 200));
	for (__u64 i = 0; i < 4; i++)
		assert_non_null(mw_recorder_begin(rec, 300 + i, "w"));
	assert_null(mw_recorder_begin(rec, 400, "w"));
	reopen(2, T0 + S); /* lowered: those that are there stay too */
	assert_non_null(mw_recorder_left(rec, 303));
}

static void many(void **state)
{
	struct stat st;

	(void)state;
	reopen(4096, T0);
	for (__u64 i = 0; i < 4096; i++) {
		struct mw_track *t = mw_recorder_begin(rec, 5000 + (i * 2654435761U) % 100000000, "w");

		assert_non_null(t);
		look(t, T0, 4096 * i);
	}
	assert_int_equal(fstatat(dir_fd, MW_RECORDER_FILE, &st, 0), 0);
	assert_int_equal(st.st_size, 4096 + 2560 * 256 + 4096 * 2560);
	assert_in_range(mw_recorder_bytes(rec), 4096 * 2560, 4096 * 2560 + 4096);
	reopen(4096, T0 + S);
	for (__u64 i = 0; i < 4096; i++) {
		const struct mw_track *t = mw_recorder_left(rec, 5000 + (i * 2654435761U) % 100000000);
		__u64 at, bytes;

		assert_true(mw_track_usage(t, 0, &at, &bytes));
		assert_int_equal(bytes, 4096 * i);
	}
}

static void memory_only_for_who_is_there(void **state)
{
	struct stat st;

	(void)state;
	reopen(65536, T0);
	mw_recorder_begin(rec, 1, "w");
	mw_recorder_mark(rec, 1, "lifted", 0, T0, "x");
	assert_int_equal(fstatat(dir_fd, MW_RECORDER_FILE, &st, 0), 0);
	assert_true(st.st_size > 160 << 20);
	assert_in_range(st.st_blocks * 512, 4096, 64 << 10);
}

static void marks(void **state)
{
	struct mw_mark got[8];
	char longer[300];

	(void)state;
	reopen(4, T0);
	assert_int_equal(mw_recorder_marks(NULL, 1, 0, got, 8), 0);
	mw_recorder_mark(NULL, 1, "x", 0, T0, "nothing");
	for (__u64 i = 0; i < 20; i++)
		mw_recorder_mark(rec, 1 + i % 2, "level", i, T0 + i * S, "text");
	assert_int_equal(mw_recorder_marks(rec, 1, T0 + 10 * S, got, 8), 5);
	for (__u64 i = 0; i < 5; i++)
		assert_int_equal(got[i].value, 10 + 2 * i);
	assert_int_equal(mw_recorder_marks(rec, 2, 0, got, 3), 3); /* the newest */
	assert_int_equal(got[2].value, 19);
	assert_int_equal(got[0].value, 15);
	memset(longer, 'x', sizeof(longer));
	memcpy(longer + MW_MARK_TEXT - 2, "é", 2);
	longer[299] = '\0';
	mw_recorder_mark(rec, 9, "a-name-that-is-longer-than-there-is-room", 0, T0 + 30 * S, longer);
	assert_int_equal(mw_recorder_marks(rec, 9, 0, got, 8), 1);
	assert_int_equal(strlen(got[0].text), MW_MARK_TEXT - 2); /* no half character */
	assert_int_equal(strlen(got[0].type), MW_MARK_TYPE - 1);
	reopen(4, T0 + 40 * S);
	assert_int_equal(mw_recorder_marks(rec, 9, 0, got, 8), 1);
	assert_string_equal(got[0].type, "a-name-that-is-longer-t");
}

static void pauses_are_one_mark_a_second(void **state)
{
	struct mw_track *a, *b;
	struct mw_mark got[8];

	(void)state;
	reopen(4, T0);
	a = mw_recorder_begin(rec, 1, "a");
	b = mw_recorder_begin(rec, 2, "b");
	mw_recorder_mark(rec, 1, "level", 0, T0, "critical");
	for (__u64 i = 0; i < 1000; i++) /* ten seconds of storm of both */
		mw_recorder_pause(rec, i % 2 ? a : b, 1000, T0 + i * 10 * MW_NS_PER_MS, i == 1 ? "first" : "later");
	assert_int_equal(mw_recorder_marks(rec, 1, 0, got, 8), 5); /* at most half of the room */
	assert_string_equal(got[0].type, "level"); /* was not pushed out */
	for (int i = 1; i < 5; i++) {
		assert_string_equal(got[i].type, "pause");
		assert_int_equal(got[i].count, 50);
		assert_int_equal(got[i].value, 50 * 1000);
	}
	assert_int_equal(mw_recorder_lost(rec), 0);
}

static void wraps_and_counts(void **state)
{
	struct mw_mark got[4];

	(void)state;
	reopen(4, T0);
	for (__u64 i = 0; i < MW_RING_ACTS_SIZE + 10; i++)
		mw_recorder_mark(rec, 1 + i, "started", i, T0 + i, "text");
	assert_int_equal(mw_recorder_lost(rec), 10);
	assert_int_equal(mw_recorder_marks(rec, 1, 0, got, 4), 0);
	assert_int_equal(mw_recorder_marks(rec, 11, 0, got, 4), 1);
	mw_recorder_mark(rec, 5, "started", 0, T0 + 100 * S, "text"); /* what goes is old: not lost */
	assert_int_equal(mw_recorder_lost(rec), 10);
}

/* The file as a test wants it. */
static void put(off_t at, const void *bytes, size_t n)
{
	int fd = openat(dir_fd, MW_RECORDER_FILE, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	close(fd);
}

static void cut(off_t size)
{
	int fd = openat(dir_fd, MW_RECORDER_FILE, O_RDWR | O_CLOEXEC);

	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void fresh(void)
{
	struct mw_track *t;

	mw_recorder_remove(dir_fd);
	reopen(4, T0);
	t = mw_recorder_begin(rec, 7, "w");
	look(t, T0, 4096);
	mw_recorder_mark(rec, 7, "lifted", 0, T0, "text");
	mw_recorder_close(rec);
	rec = NULL;
}

static void expect_aside(const char *why)
{
	reopen(4, T0 + S);
	assert_non_null(strstr(note.text, why));
	assert_null(mw_recorder_left(rec, 7));
	assert_true(there(MW_RECORDER_ASIDE));
	assert_non_null(mw_recorder_begin(rec, 8, "new")); /* and it records */
}

static void what_is_none_of_ours_is_set_aside(void **state)
{
	__u32 version = 2, tracks = 5;

	(void)state;
	fresh();
	put(0, "#!/bin/sh", 9);
	expect_aside("no recording of memweir");
	fresh();
	put(8, &version, 4);
	expect_aside("another version");
	fresh();
	put(offsetof(struct mw_recorder_head, mark_size), &version, 4);
	expect_aside("its layout");
	fresh();
	put(offsetof(struct mw_recorder_head, boot_id), "X", 1);
	expect_aside("another boot");
	fresh();
	put(offsetof(struct mw_recorder_head, tracks), &tracks, 4);
	expect_aside("shorter than it says");
	fresh();
	cut(10);
	expect_aside("no recording of memweir");
}

static void broken_tracks_are_left_out(void **state)
{
	struct mw_track bad[3];
	struct mw_mark got[4];

	(void)state;
	fresh();
	memset(bad, 0xff, sizeof(bad));
	bad[1] = (struct mw_track){.cgroup_id = 7, .name = "twice"};
	put((off_t)mw_recorder_size(1), bad, sizeof(bad));
	reopen(4, T0 + S);
	assert_string_equal(note.text, "");
	assert_non_null(mw_recorder_left(rec, 7));
	assert_null(mw_recorder_left(rec, ~0ULL));
	assert_int_equal(mw_recorder_marks(rec, 7, 0, got, 4), 1);
	assert_non_null(mw_recorder_begin(rec, 7, "w"));
	for (__u64 i = 0; i < 3; i++) /* their places are free */
		assert_non_null(mw_recorder_begin(rec, 20 + i, "w"));
}

static void what_cannot_be_a_file(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir_fd, MW_RECORDER_FILE, 0700), 0);
	reopen(4, T0);
	assert_non_null(strstr(note.text, "set aside"));
	assert_true(there(MW_RECORDER_ASIDE));
	unlinkat(dir_fd, MW_RECORDER_ASIDE, AT_REMOVEDIR);
	mw_recorder_close(rec);
	rec = NULL;
	/* no place for files at all: in memory */
	assert_int_equal(mw_recorder_open(-1, BOOT, 4, T0, &rec, &note), 0);
	assert_non_null(strstr(note.text, "will not outlive this daemon"));
	look(mw_recorder_begin(rec, 1, "w"), T0, 4096);
	mw_recorder_mark(rec, 1, "level", 0, T0, "text");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_daemon_goes_on_where_the_last_one_was),
		T(as_many_as_there_may_be),
		T(many),
		T(memory_only_for_who_is_there),
		T(marks),
		T(pauses_are_one_mark_a_second),
		T(wraps_and_counts),
		T(what_is_none_of_ours_is_set_aside),
		T(broken_tracks_are_left_out),
		T(what_cannot_be_a_file),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
