/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Rules as they are written down, and whom they fit. */
#include "../unit.h"
#include "config_tree.h"

#include <fcntl.h>

#include "core/config_impl.h"
#include "core/rule.h"
#include "util/cleanup.h"

#define MAIN "/etc/memweir/memweir.conf"

static struct mw_config load_ok(const char *text)
{
	struct mw_config cfg = {0};
	struct mw_error err = {""};

	put(MAIN, text);
	if (mw_config_load(prefix, NULL, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	return cfg;
}

static void load_fails(const char *text, const char *a, const char *b)
{
	struct mw_config cfg;
	struct mw_error err = {""};

	put(MAIN, text);
	assert_int_equal(mw_config_load(prefix, NULL, &cfg, &err), -EINVAL);
	if (!strstr(err.text, a) || !strstr(err.text, b))
		fail_msg("\"%s\" has not \"%s\" and \"%s\"", err.text, a, b);
}

static struct mw_newcomer process(const char *executable, const char *arguments)
{
	return (struct mw_newcomer){.executable = executable,
				    .arguments = arguments,
				    .uid = 1000,
				    .parent = "",
				    .cgroup = "/user.slice/user-1000.slice/session-2.scope",
				    .trusted = "",
				    .user = ""};
}

static struct mw_newcomer container(const struct mw_container *c)
{
	return (struct mw_newcomer){.container = c,
				    .executable = "",
				    .arguments = "",
				    .parent = "",
				    .cgroup = "/machine.slice/libpod-12.scope",
				    .trusted = "",
				    .user = ""};
}

/* The rule that fits, "" none. */
static const char *ruled(const struct mw_config *cfg, struct mw_newcomer n)
{
	static struct mw_ruling r;

	mw_rule_decide(cfg, &n, &r);
	return r.rule;
}

static void test_read(void **state)
{
	struct mw_config cfg = load_ok("[rule mcp]\nexecutable = node ; a comment\narguments = *mcp-server*\n"
				       "class = tool\npriority = 3\n[rule k]\nnamespace = default\nclass = none\n");

	(void)state;
	assert_int_equal(cfg.n_rules, 2);
	assert_string_equal(cfg.rules[0].name, "mcp");
	assert_string_equal(cfg.rules[0].executable, "node");
	assert_string_equal(cfg.rules[0].arguments, "*mcp-server*");
	assert_string_equal(cfg.rules[0].class_name, "tool");
	assert_int_equal(cfg.rules[0].priority, 3);
	assert_string_equal(cfg.rules[1].namespace, "default"); /* no word for "as it was" here */
	assert_int_equal(mw_rule_about(&cfg.rules[0]), MW_ABOUT_PROCESS);
	assert_int_equal(mw_rule_about(&cfg.rules[1]), MW_ABOUT_CONTAINER);
	mw_config_free(&cfg);
}

static void test_refused(void **state)
{
	(void)state;
	load_fails("[rule a]\nexecutable = x\nclass = tol\n", "memweir.conf:3: [rule a] class: found \"tol\"",
		   "did you mean \"tool\"?");
	load_fails("[rule a]\n\nexecutable = x\n", "memweir.conf:1: [rule a] class: found nothing", "or none");
	load_fails("[rule a]\nclass = tool\n", "memweir.conf:2: [rule a]: found nothing", "a pattern");
	load_fails("[rule a]\nclass = tool\nimage = x\nuid = 0\n", "containers and of processes", "one kind");
	load_fails("[rule a]\nclass = tool\nimage = [a-\n", "memweir.conf:3: [rule a] image: found \"[a-\"",
		   "a [ is closed");
	load_fails("[rule a]\nclass = tool\nimage = a\\\n", "memweir.conf:3: [rule a] image", "a pattern");
	load_fails("[rule a]\nclass = tool\nuid = alice\n", "memweir.conf:3: [rule a] uid", "a pattern of numbers");
	load_fails("[rule a]\nclass = tool\nparent = contxt\n", "[rule a] parent", "did you mean \"context\"?");
	load_fails("[rule a]\nclass = tool\nimgae = x\n", "imgae", "did you mean \"image\"?");
	load_fails("[class tool]\nimage = x\n", "image", "it belongs in [rule NAME]");
	load_fails("[rule a]\nclass = tool\npriority = -1\nimage = x\n", "priority", "a number from 0");
}

static void test_patterns(void **state)
{
	static const char *const good[] = {"",	    "*",	   "a?c",   "[a-z]*",	    "[]]",
					   "[!]x]", "[[:digit:]]", "a\\[b", "@scope/x=y z", "\xc3\xa4*"};
	static const char *const bad[] = {"[", "[a", "[]", "[[:digit:]", "a\\", " a", "a ", "a ;b", ";", "a\nb"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (mw_pattern_check(good[i], 0) < 0)
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (mw_pattern_check(bad[i], 0) == 0)
			fail_msg("%s", bad[i]);
	assert_int_equal(mw_pattern_check("10[0-9]?", MW_KEY_DIGITS), 0);
	assert_int_equal(mw_pattern_check("root", MW_KEY_DIGITS), -EINVAL);
}

static void test_process(void **state)
{
	struct mw_config cfg = load_ok("[rule path]\nexecutable = /opt/*/bin/node\nclass = tool\n"
				       "[rule name]\nexecutable = py*\narguments = -m http*\nuid = 100?\nclass = tool\n"
				       "[rule session]\nunit = session-*.scope\nuid = 7\nclass = generic\n");
	struct mw_newcomer n = process("/usr/bin/python3", "-m http.server 80");

	(void)state;
	assert_string_equal(ruled(&cfg, n), "name");
	n.uid = 0;
	assert_string_equal(ruled(&cfg, n), "");
	n.uid = 7;
	assert_string_equal(ruled(&cfg, n), "session");
	assert_string_equal(ruled(&cfg, process("/usr/bin/python3", "")), "");
	assert_string_equal(ruled(&cfg, process("/opt/py/bin/node", "x")), "path");
	assert_string_equal(ruled(&cfg, process("/usr/opt/py/bin/node", "x")), "");
	assert_string_equal(ruled(&cfg, process("", "")), "");
	mw_config_free(&cfg);
}

static void test_order(void **state)
{
	struct mw_config cfg = load_ok("[rule a]\nexecutable = x*\nclass = tool\n"
				       "[rule b]\nexecutable = xy\nclass = context\n"
				       "[rule c]\nexecutable = xyz\nclass = none\npriority = 1\n");
	struct mw_newcomer n = process("/bin/xyz", "");
	struct mw_ruling r;

	(void)state;
	assert_string_equal(ruled(&cfg, process("/bin/xy", "")), "a");
	mw_rule_decide(&cfg, &n, &r);
	assert_string_equal(r.rule, "c");
	assert_int_equal(r.from, MW_FROM_RULE);
	assert_string_equal(r.class_name, ""); /* excepted */
	mw_config_free(&cfg);
}

static void test_parent(void **state)
{
	struct mw_config cfg = load_ok("[rule tools]\nparent = context\narguments = *mcp*\nclass = tool\n"
				       "[rule all]\nexecutable = *\nclass = generic\n");
	struct mw_newcomer n = process("/usr/bin/node", "/usr/bin/npx mcp-server");

	(void)state;
	assert_string_equal(ruled(&cfg, n), "all");
	n.parent = "context";
	assert_string_equal(ruled(&cfg, n), "tools");
	n.parent = "tool"; /* who is in a worker stays there unless a rule speaks of such */
	assert_string_equal(ruled(&cfg, n), "");
	assert_true(mw_rule_needs(&cfg).parents && mw_rule_needs(&cfg).processes);
	assert_false(mw_rule_needs(&cfg).cgroups || mw_rule_needs(&cfg).containers);
	mw_config_free(&cfg);
}

static void test_unit(void **state)
{
	struct mw_config cfg = load_ok("[rule unit]\nunit = agent@*.service\nclass = tool\n"
				       "[rule slice]\nslice = work.slice\nclass = context\n");
	struct mw_newcomer n = process("/bin/x", "");
	struct mw_ruling r;
	char unit[256];
	size_t length;

	(void)state;
	n.cgroup = "/work.slice/work-a.slice/agent@1.service/sub";
	mw_rule_decide(&cfg, &n, &r);
	assert_string_equal(r.rule, "unit");
	assert_int_equal(r.about, MW_ABOUT_CGROUP);
	assert_string_equal(mw_rule_unit(n.cgroup, unit, sizeof(unit), &length), "agent@1.service");
	assert_int_equal(length, strlen(n.cgroup) - strlen("/sub"));
	n.cgroup = "/work.slice/work-a.slice/other.service";
	assert_string_equal(ruled(&cfg, n), "slice");
	n.cgroup = "/artwork.slice/other.service";
	assert_string_equal(ruled(&cfg, n), "");
	assert_null(mw_rule_unit("/", unit, sizeof(unit), &length));
	assert_int_equal(length, 0);
	mw_config_free(&cfg);
}

static void test_container(void **state)
{
	struct mw_config cfg = load_ok("[rule name]\ncontainer = mcp-*\nimage = *node*\nclass = tool\n"
				       "[rule label]\nlabel = app=mcp\nclass = transport\n"
				       "[rule key]\nannotation = io.x.*\nclass = generic\n"
				       "[rule pod]\npod = web-?\nnamespace = prod\nclass = context\n");
	struct mw_label labels[] = {{MW_LABEL_LABEL, (char *)"app", (char *)"mcp"},
				    {MW_LABEL_ANNOTATION, (char *)"io.x.y", (char *)"1"}};
	struct mw_container c = {.name = "mcp-1", .image = "docker.io/library/node:18"};
	struct mw_newcomer n = container(&c);

	(void)state;
	assert_string_equal(ruled(&cfg, n), "name");
	strcpy(c.image, "alpine");
	assert_string_equal(ruled(&cfg, n), "");
	c.labels = &labels[1];
	c.n_labels = 1;
	assert_string_equal(ruled(&cfg, n), "key");
	c.labels = labels;
	assert_string_equal(ruled(&cfg, n), "label");
	c.n_labels = 0;
	strcpy(c.pod, "web-1");
	assert_string_equal(ruled(&cfg, n), "");
	strcpy(c.namespace, "prod");
	assert_string_equal(ruled(&cfg, n), "pod");
	assert_true(mw_rule_needs(&cfg).containers && mw_rule_needs(&cfg).cgroups);
	mw_config_free(&cfg);
}

static void says(const struct mw_config *cfg, struct mw_newcomer n, enum mw_class_from from, const char *class_name)
{
	struct mw_ruling r;

	mw_rule_decide(cfg, &n, &r);
	if (r.from != from || strcmp(r.class_name, class_name) != 0)
		fail_msg("%s %s: %s", mw_class_from_name(r.from), r.class_name, r.why);
}

/* Who is asked in which order, and what the workload's own word may do. */
static void test_carriers(void **state)
{
	struct mw_config cfg =
		load_ok("[monitor]\nclass_carriers = yes\n[class transport]\nselectable = yes\n"
			"[class context]\nselectable = yes\n[rule r]\ncontainer = ruled\nclass = generic\n");
	struct mw_label labels[] = {{MW_LABEL_ANNOTATION, (char *)MW_CLASS_KEY, (char *)"transport"},
				    {MW_LABEL_LABEL, (char *)MW_CLASS_KEY, (char *)"context"}};
	struct mw_container c = {.name = "x", .labels = labels, .n_labels = 2};
	struct mw_newcomer n = container(&c);

	(void)state;
	says(&cfg, n, MW_FROM_ANNOTATION, "transport");
	n.trusted = "tool";
	says(&cfg, n, MW_FROM_TRUSTED_XATTR, "tool");
	strcpy(c.name, "ruled");
	says(&cfg, n, MW_FROM_RULE, "generic");
	strcpy(c.name, "x");
	n.trusted = "nonesuch";
	n.cgroup = "/memweir.slice/memweir-tool.slice/docker-1.scope";
	says(&cfg, n, MW_FROM_ANNOTATION, "transport"); /* tighter than its slice's 50 MB */
	labels[0].value = (char *)"context";
	says(&cfg, n, MW_FROM_SLICE, "tool"); /* looser */
	n.user = "transport";
	says(&cfg, n, MW_FROM_USER_XATTR, "transport");
	n.user = "generic"; /* not selectable */
	says(&cfg, n, MW_FROM_SLICE, "tool");
	n.cgroup = "/x";
	says(&cfg, n, MW_FROM_ANNOTATION, "context");
	labels[0].value = (char *)"tool"; /* not selectable */
	says(&cfg, n, MW_FROM_LABEL, "context");
	c.n_labels = 1;
	says(&cfg, n, MW_FROM_NOBODY, "");
	n.parent = "context";
	n.trusted = "tool";
	says(&cfg, n, MW_FROM_NOBODY, "");
	cfg.monitor.class_carriers = false;
	n.parent = "";
	says(&cfg, n, MW_FROM_NOBODY, "");
	mw_config_free(&cfg);
}

static void test_set_and_write(void **state)
{
	struct mw_config cfg = load_ok(""), back = {0};
	struct mw_error err = {""};
	int fd = open(prefix, O_RDONLY | O_DIRECTORY);
	char path[128];

	(void)state;
	assert_int_equal(mw_config_set(&cfg, "rule a", (struct mw_kv[]){{"class", "tool"}}, 1, &err), -EINVAL);
	assert_int_equal(cfg.n_rules, 0);
	assert_int_equal(mw_config_set(&cfg, "rule a",
				       (struct mw_kv[]){{"class", "tool"}, {"namespace", "default"}, {"label", "a=*"}},
				       3, &err),
			 0);
	assert_int_equal(mw_config_set(&cfg, "rule a", (struct mw_kv[]){{"label", ""}}, 1, &err), 0);
	assert_string_equal(cfg.rules[0].label, "");
	assert_int_equal(mw_config_set(&cfg, "rule b", (struct mw_kv[]){{"class", "none"}, {"unit", "x"}}, 2, &err), 0);
	assert_int_equal(mw_config_write(&cfg, fd, "all.conf"), 0);
	snprintf(path, sizeof(path), "%s/all.conf", prefix);
	if (mw_config_load_file(path, &back, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(back.n_rules, 2);
	assert_string_equal(back.rules[0].namespace, "default");
	assert_string_equal(back.rules[1].class_name, "none");
	assert_int_equal(mw_config_save(prefix, "rule a", (struct mw_kv[]){{"namespace", "default"}, {"label", ""}}, 2,
					&err),
			 0);
	close(fd);
	mw_config_free(&cfg);
	mw_config_free(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, make_prefix, remove_prefix),
		cmocka_unit_test_setup_teardown(test_refused, make_prefix, remove_prefix),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test_setup_teardown(test_process, make_prefix, remove_prefix),
		cmocka_unit_test_setup_teardown(test_order, make_prefix, remove_prefix),
		cmocka_unit_test_setup_teardown(test_parent, make_prefix, remove_prefix),
		cmocka_unit_test_setup_teardown(test_unit, make_prefix, remove_prefix),
		cmocka_unit_test_setup_teardown(test_container, make_prefix, remove_prefix),
		cmocka_unit_test_setup_teardown(test_carriers, make_prefix, remove_prefix),
		cmocka_unit_test_setup_teardown(test_set_and_write, make_prefix, remove_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
