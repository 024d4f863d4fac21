/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "leak/in_memory.h"
#include "util/cleanup.h"

static void of_the_kernel(void **state)
{
	_cleanup_close_ int memfd = memfd_create("a", MFD_CLOEXEC), proc_fd = open("/proc/self", O_PATH | O_CLOEXEC);
	_cleanup_close_ int other = open("/proc/self/status", O_PATH | O_CLOEXEC);

	(void)state;
	assert_true(memfd >= 0 && proc_fd >= 0 && other >= 0);
	assert_true(mw_in_memory(memfd, proc_fd));
	assert_true(mw_in_memory(memfd, -1)); /* nobody mounts it */
	assert_false(mw_in_memory(other, proc_fd));
	assert_false(mw_in_memory(proc_fd, proc_fd)); /* a folder */
	assert_false(mw_in_memory(-1, proc_fd));
}

/* With what a made-up process mounts: before, the device of a file that is no memfd, after. */
static bool with_mounts(const char *before, const char *after)
{
	char dir[] = "/tmp/memweir-test-XXXXXX", path[64];
	_cleanup_close_ int proc_fd = -1, fd = open("/proc/self/status", O_PATH | O_CLOEXEC);
	struct stat st;
	FILE *f;
	bool is;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/mountinfo", dir);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fstat(fd, &st), 0);
	fprintf(f, "%s%u:%u%s", before, major(st.st_dev), minor(st.st_dev), after);
	fclose(f);
	proc_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	is = mw_in_memory(fd, proc_fd);
	unlink(path);
	rmdir(dir);
	return is;
}

static void of_a_mount(void **state)
{
	(void)state;
	assert_true(with_mounts("23 1 ", " / /dev/shm rw,nosuid - tmpfs tmpfs rw\n"));
	assert_true(with_mounts("22 1 9999:1 / /x rw - ext4 a rw\n23 1 ", " / /dev/shm rw shared:2 - tmpfs none rw\n"));
	assert_false(with_mounts("23 1 ", " / /dev/shm rw - fuse.tmpfs tmpfs rw\n"));
	assert_false(with_mounts("23 1 ", " / /tmpfs rw - fuse tmpfs rw\n"));
	assert_false(with_mounts("23 1 9", "9 / /dev/shm rw - tmpfs tmpfs rw\n"));
	assert_false(with_mounts("23 ", " - tmpfs\n"));
	assert_false(with_mounts("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(of_the_kernel), cmocka_unit_test(of_a_mount)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
