/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What doctor says of the group that may use the socket. */
#include "../unit.h"

#include <grp.h>
#include <unistd.h>

#include "core/members.h"

static struct mw_config cfg;
static struct mw_group_seen group;
static struct mw_socket_seen sock;
static struct mw_members_word word;

/* All as it should be. */
static int setup(void **state)
{
	struct mw_error err = {0};
	const struct mw_kv kv = {"selectable", "yes"};

	(void)state;
	group = (struct mw_group_seen){.known = true, .named = true, .gid = 998, .members = 3};
	sock = (struct mw_socket_seen){.path = "/run/memweir/memweir.sock",
				       .up = true,
				       .gid = 998,
				       .group = "agents",
				       .mode = 0660,
				       .dir_mode = 0755};
	if (mw_config_defaults(&cfg) || mw_config_set(&cfg, "class tool", &kv, 1, &err))
		return -1;
	snprintf(cfg.tree.group, sizeof(cfg.tree.group), "agents");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mw_config_free(&cfg);
	return 0;
}

static void says(enum mw_members_about about, bool have, const char *found)
{
	assert_true(mw_members_say(about, &cfg, &group, &sock, &word));
	assert_string_equal(word.found, found);
	assert_int_equal(word.have, have);
	/* What is wrong is said to cost something and to have a way out, and nothing else is. */
	assert_int_equal(!word.lost[0], have);
	assert_int_equal(!word.how[0], have);
}

static void says_nothing(enum mw_members_about about)
{
	assert_false(mw_members_say(about, &cfg, &group, &sock, &word));
}

static void all_is_well(void **state)
{
	(void)state;
	says(MW_MEMBERS_GROUP, true, "agents (gid 998) has 3 members");
	assert_string_equal(word.name, "group");
	says(MW_MEMBERS_SOCKET, true, "members of agents may use /run/memweir/memweir.sock");
	says(MW_MEMBERS_WORKERS, true, "members may run 256 workers each, in tool");
	group.members = 1;
	group.named = false;
	says(MW_MEMBERS_GROUP, true, "agents (gid 998, without a name) has 1 member");
}

static void none_configured(void **state)
{
	(void)state;
	cfg.tree.group[0] = '\0';
	group = (struct mw_group_seen){0};
	sock.gid = 0;
	sock.mode = 0600;
	says(MW_MEMBERS_GROUP, true, "none is configured ([tree] group): only root may run workers");
	says_nothing(MW_MEMBERS_SOCKET);
	says_nothing(MW_MEMBERS_WORKERS);
}

static void no_such_group(void **state)
{
	(void)state;
	group = (struct mw_group_seen){0};
	sock.gid = 0;
	sock.mode = 0600;
	says(MW_MEMBERS_GROUP, false, "[tree] group = agents: there is no such group");
	assert_non_null(strstr(word.how, "groupadd"));
	says_nothing(MW_MEMBERS_SOCKET); /* that it is root's alone follows */
}

static void nobody_in_it(void **state)
{
	(void)state;
	group.members = 0;
	says(MW_MEMBERS_GROUP, false, "agents (gid 998) has no members");
}

static void socket_of_others(void **state)
{
	(void)state;
	sock.gid = 0;
	sock.mode = 0600; /* the group came after the daemon */
	says(MW_MEMBERS_SOCKET, false, "/run/memweir/memweir.sock is root's alone (mode 0600), not of group agents");
	assert_non_null(strstr(word.how, "restart"));
	sock.mode = 0660;
	sock.gid = 50;
	snprintf(sock.group, sizeof(sock.group), "staff");
	says(MW_MEMBERS_SOCKET, false,
	     "/run/memweir/memweir.sock belongs to group staff (mode 0660), and agents is configured");
	assert_string_equal(word.lost, "members are refused by the kernel, and that group is not");
	group = (struct mw_group_seen){0};
	says(MW_MEMBERS_SOCKET, false,
	     "/run/memweir/memweir.sock belongs to group staff (mode 0660), and agents is configured");
	sock.up = false;
	says_nothing(MW_MEMBERS_SOCKET);
}

static void unreachable(void **state)
{
	(void)state;
	sock.dir_mode = 0700;
	says(MW_MEMBERS_SOCKET, false, "members cannot reach /run/memweir/memweir.sock: its directory has mode 0700");
	sock.dir_mode = 0710;
	sock.dir_gid = 998;
	says(MW_MEMBERS_SOCKET, true, "members of agents may use /run/memweir/memweir.sock");
}

/* The daemon was started with a group that is configured no more. */
static void still_open(void **state)
{
	(void)state;
	cfg.tree.group[0] = '\0';
	group = (struct mw_group_seen){0};
	says(MW_MEMBERS_SOCKET, false,
	     "/run/memweir/memweir.sock belongs to group agents (mode 0660), and none is configured");
	assert_string_equal(word.lost, "its members still may use the socket");
}

static void nothing_to_run(void **state)
{
	struct mw_error err = {0};
	const struct mw_kv no = {"selectable", "no"};

	(void)state;
	cfg.monitor.user_workers = 0;
	says(MW_MEMBERS_WORKERS, false, "user_workers = 0: members may run none");
	cfg.monitor.user_workers = 1;
	says(MW_MEMBERS_WORKERS, true, "members may run 1 worker each, in tool");
	assert_int_equal(mw_config_set(&cfg, "class tool", &no, 1, &err), 0);
	says(MW_MEMBERS_WORKERS, false, "no class is selectable: members may run none");
}

static void many_classes(void **state)
{
	struct mw_error err = {0};
	const struct mw_kv kv[] = {{"selectable", "yes"}, {"max_heap", "50MB"}};
	char target[80];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(target, sizeof(target), "class one-of-very-many-with-long-names-%d", i);
		assert_int_equal(mw_config_set(&cfg, target, kv, 2, &err), 0);
	}
	assert_true(mw_members_say(MW_MEMBERS_WORKERS, &cfg, &group, &sock, &word));
	assert_true(word.have);
	assert_string_equal(word.found + strlen(word.found) - 5, ", ...");
}

static void found_on_this_host(void **state)
{
	struct mw_group_seen g = mw_group_find("root");
	char name[64];

	(void)state;
	assert_true(g.known && g.named);
	assert_int_equal(g.gid, 0);
	assert_true(g.members >= 1); /* root's own group, though it names nobody */
	g = mw_group_find("0");
	assert_true(g.known && g.named);
	assert_true(g.members >= 1);
	g = mw_group_find("4123456789");
	assert_true(g.known && !g.named && !g.members);
	assert_int_equal(g.gid, 4123456789U);
	assert_false(mw_group_find("no-such-group-anywhere").known);
	assert_false(mw_group_find("4294967295").known);
	assert_false(mw_group_find("99999999999999999999").known);
	assert_false(mw_group_find("").known);
	assert_string_equal(mw_group_name(0, name, sizeof(name)), "root");
	assert_string_equal(mw_group_name(4123456789U, name, sizeof(name)), "4123456789");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_is_well),	TEST(none_configured),	  TEST(no_such_group), TEST(nobody_in_it),
		TEST(socket_of_others), TEST(unreachable),	  TEST(still_open),    TEST(nothing_to_run),
		TEST(many_classes),	TEST(found_on_this_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
