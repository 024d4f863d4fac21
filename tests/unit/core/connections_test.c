// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Connections of processes, in a made-up /proc and of ourselves. */
#include "unit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/connections.h"
#include "util/cleanup.h"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define TAIL " 00000000:00000000 00:00000000 00000000  1000        0 "

static char root[64];

static void make(const char *path, const char *text)
{
	char full[256];
	FILE *out;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	out = fopen(full, "we");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void make_dir(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_return_code(mkdir(full, 0755), errno);
}

static void make_fd(const char *path, const char *to)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_return_code(symlink(to, full), errno);
}

static int tree(void **state)
{
	(void)state;
	strcpy(root, "/tmp/mwconn-XXXXXX");
	assert_non_null(mkdtemp(root));
	make_dir("7");
	make_dir("7/fd");
	make_dir("7/net");
	make_dir("8");
	make_dir("8/fd");
	make_fd("7/fd/0", "/dev/null");
	make_fd("7/fd/3", "socket:[100]");
	make_fd("7/fd/4", "socket:[101]");
	make_fd("7/fd/5", "socket:[102]");
	make_fd("7/fd/6", "socket:[103]");
	make_fd("7/fd/7", "pipe:[104]");
	make_fd("7/fd/8", "socket:[201]");
	make_fd("7/fd/9", "socket:[202]");
	make_fd("7/fd/10", "socket:[105]");
	make_fd("8/fd/3", "socket:[101]");
	make_fd("8/fd/4", "socket:[106]");
	make_fd("8/fd/5", "socket:[203]");
	/* 100 listens at 8080 in v6; 101, 102 are accepted; 103 we made; 105 closes; 999 is somebody else's. */
	make("7/net/tcp", HEAD "   0: 0100007F:1F90 0100007F:C001 01" TAIL "101 1 0000 20 4 30 10 -1\n"
			       "   1: 0100007F:C002 0100007F:0050 01" TAIL "103 1 0000 20 4 30 10 -1\n"
			       "   2: 0100007F:1F90 0100007F:C003 01" TAIL "999 1 0000 20 4 30 10 -1\n"
			       "   3: 0100007F:1F90 0100007F:C004 08" TAIL "105 1 0000 20 4 30 10 -1\n"
			       "garbage\n\n");
	make("7/net/tcp6",
	     HEAD "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A" TAIL
		  "100 1 0000 100 0 0 10 0\n"
		  "   1: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:C005 01" TAIL
		  "102 1 0000 20 4 30 10 -1\n"
		  "   2: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:C006 01" TAIL
		  "106 1 0000 20 4 30 10 -1\n");
	/* 200 listens; 201 is accepted from it; 202 is one end of a pair; 203 a datagram socket that has a path. */
	make("7/net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"
			   "ffff8a0000000000: 00000002 00000000 00010000 0001 01   200 /run/a b\n"
			   "ffff8a0000000001: 00000003 00000000 00000000 0001 03   201 /run/a b\n"
			   "ffff8a0000000002: 00000003 00000000 00000000 0001 03   202\n"
			   "ffff8a0000000003: 00000003 00000000 00000000 0002 03   203 /run/a b\n");
	return 0;
}

static int no_tree(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command); /* NOLINT: a directory this test has made */
}

static void counted(void **state)
{
	static const pid_t one[] = {7}, both[] = {6, 7, 8}, none[] = {5, 6};
	struct mw_connections c;

	(void)state;
	assert_int_equal(mw_connections_count(root, one, 1, &c), 0);
	assert_int_equal(c.accepted, 3); /* 101, 102, 201 */
	assert_int_equal(c.other, 2); /* 103, 202 */
	assert_int_equal(mw_connections_count(root, both, 3, &c), 0);
	assert_int_equal(c.accepted, 4); /* and 106; 101 once */
	assert_int_equal(c.other, 2);
	c.accepted = 77;
	assert_int_equal(mw_connections_count(root, none, 2, &c), -ESRCH);
	assert_int_equal(mw_connections_count(root, one, 0, &c), -ESRCH);
	assert_int_equal(c.accepted, 77);
}

/* The kernel's own tables: three who connect to us over TCP. */
static void ours(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), fds[6];
	struct mw_connections before, after;
	socklen_t size = sizeof(at);
	pid_t self = getpid();

	(void)state;
	assert_return_code(bind(listener, (struct sockaddr *)&at, sizeof(at)), errno);
	assert_return_code(listen(listener, 8), errno);
	assert_return_code(getsockname(listener, (struct sockaddr *)&at, &size), errno);
	assert_int_equal(mw_connections_count("/proc", &self, 1, &before), 0);
	for (size_t i = 0; i < 6; i += 2) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_return_code(connect(fds[i], (struct sockaddr *)&at, sizeof(at)), errno);
		fds[i + 1] = accept(listener, NULL, NULL);
		assert_return_code(fds[i + 1], errno);
	}
	assert_int_equal(mw_connections_count("/proc", &self, 1, &after), 0);
	assert_int_equal(after.accepted, before.accepted + 3);
	assert_int_equal(after.other, before.other + 3);
	for (size_t i = 0; i < 6; i++)
		close(fds[i]);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counted, tree, no_tree),
		cmocka_unit_test(ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
