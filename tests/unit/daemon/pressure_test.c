/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The FIFO a worker is told through: who listens, what is under way, what is left behind. */
#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/pressure.h"
#include "util/cleanup.h"

static char dir[] = "/tmp/pressure-test-XXXXXX";
static int run_fd;
static struct mw_workers ws;
static struct mw_worker *w;
static char path[256];

static int start(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	run_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(077);
	if (run_fd < 0 || mw_pressure_dir(run_fd) || mw_pressure_dir(run_fd) || mw_workers_init(&ws, 4))
		return -1;
	return mw_worker_add(&ws, "web.7", "tool", "/x", -1, 7, 5, &w);
}

static int stop(void **state)
{
	(void)state;
	mw_workers_free(&ws);
	unlinkat(run_fd, MW_PRESSURE_DIR, AT_REMOVEDIR);
	close(run_fd);
	return rmdir(dir);
}

static int make(void **state)
{
	int r = mw_pressure_make(run_fd, w);

	(void)state;
	snprintf(path, sizeof(path), "%s/" MW_PRESSURE_DIR "/%s", dir, w->pressure);
	return r;
}

static int drop(void **state)
{
	(void)state;
	mw_pressure_remove(run_fd, w);
	mw_pressure_remove(run_fd, w);
	return access(path, F_OK) == 0;
}

static void for_every_user_who_knows_it(void **state)
{
	char first[sizeof(path)];
	struct stat st;

	(void)state;
	assert_return_code(stat(path, &st), errno);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0666);
	assert_int_equal(strncmp(w->pressure, "web.7.", 6), 0);
	assert_int_equal(strlen(w->pressure), 6 + 32);
	strcpy(first, w->pressure);
	drop(state);
	assert_int_equal(make(state), 0);
	assert_string_not_equal(first, w->pressure);
	assert_return_code(fstatat(run_fd, MW_PRESSURE_DIR, &st, 0), errno);
	assert_int_equal(st.st_mode & 0777, 0711);
}

static void nobody_listens(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD_NOBODY);
	assert_int_equal(mw_pressure_hold(run_fd, w), 0); /* we are no reader of it */
	assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD_NOBODY);
	mw_pressure_remove(run_fd, w);
	assert_false(mw_pressure_taken(w));
	assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD_NOBODY);
	assert_int_equal(mw_pressure_hold(run_fd, w), 0);
	assert_int_equal(w->pressure_fd, -1);
}

static void one_byte_under_way(void **state)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[64];

	(void)state;
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD);
	assert_false(mw_pressure_taken(w));
	for (int i = 0; i < 1000; i++) /* a stopped client costs nothing more */
		assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD_UNREAD);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(p.revents, POLLIN);
	assert_int_equal(read(fd, buf, sizeof(buf)), 1);
	assert_true(mw_pressure_taken(w));
	assert_int_equal(poll(&p, 1, 0), 0); /* no hang-up in between */
	assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD);
	close(fd);
	assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD_NOBODY);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD);
	close(fd);
}

/* A daemon that comes anew finds the listeners of the one before. */
static void survives_the_writer(void **state)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int holder = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC); /* memweir run */
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[64];

	(void)state;
	assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD);
	assert_int_equal(read(fd, buf, sizeof(buf)), 1);
	mw_close(&w->pressure_fd);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD);
	assert_int_equal(poll(&p, 1, 0), 1);
	close(holder); /* and it is killed, while the daemon has told nobody yet */
	mw_close(&w->pressure_fd);
	holder = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(mw_pressure_hold(run_fd, w), 0); /* the new daemon */
	close(holder);
	assert_int_equal(read(fd, buf, sizeof(buf)), 1);
	assert_int_equal(poll(&p, 1, 0), 0);
	close(fd);
}

/* From the start: a reader never is without a writer, though nobody is told anything. */
static void held_from_the_start(void **state)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), holder;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	(void)state;
	holder = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	close(holder);
	assert_int_equal(poll(&p, 1, 0), 0);
	close(fd);
}

/* Whoever fills it hurts nobody but the readers. */
static void filled_by_a_stranger(void **state)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	char block[4096] = "";

	(void)state;
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(mw_pressure_tell(run_fd, w), MW_TOLD_UNREAD);
	close(fd);
}

static void swept(void **state)
{
	char stale[512];

	(void)state;
	snprintf(stale, sizeof(stale), "%s/" MW_PRESSURE_DIR "/gone.0123", dir);
	assert_return_code(mkfifo(stale, 0600), errno);
	snprintf(stale, sizeof(stale), "%s/" MW_PRESSURE_DIR "/web.7.0123",
		 dir); /* of an earlier worker of that name */
	assert_return_code(mkfifo(stale, 0600), errno);
	mw_pressure_sweep(run_fd, &ws);
	assert_int_equal(access(stale, F_OK), -1);
	snprintf(stale, sizeof(stale), "%s/" MW_PRESSURE_DIR "/gone.0123", dir);
	assert_int_equal(access(stale, F_OK), -1);
	assert_int_equal(access(path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(for_every_user_who_knows_it),
		TEST(nobody_listens),
		TEST(one_byte_under_way),
		TEST(survives_the_writer),
		TEST(held_from_the_start),
		TEST(filled_by_a_stranger),
		TEST(swept),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
