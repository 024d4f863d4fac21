/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Files of engines as somebody would write them who means harm: the others are found all the same. */
#include "host.h"

#define EVIL	   "run/runc/evil/state.json"
#define WEB6_STATE "run/runc/web6/state.json"
#define PROCESS	   "\"init_process_pid\":1021,\"init_process_start\":7000"

/* The innocent beside the guilty. */
static void assert_others(void)
{
	assert_found("web6");
	assert_found("web7");
	assert_found("docker:web");
}

static void assert_refused(const char *words)
{
	int r = host_ask("evil", NULL);

	if (r != -ENOENT)
		fail_msg("expected -ENOENT, found %d: %s", r, said.text);
	if (!strstr(said.text, words))
		fail_msg("expected \"%s\" in \"%s\"", words, said.text);
	assert_others();
}

static void not_what_they_should_be(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{"", "it ends too early, at byte 0"},
		{"{\"id\":", "it ends too early, at byte 6"},
		{"null", "1 not read"},
		{"[]", "expected a cgroup v2 path"},
		{"{} {}", "more than one value"},
		{"{\"cgroup_paths\":{\"\":7}," PROCESS "}", "expected a cgroup v2 path"},
		{"{\"cgroup_paths\":[\"/sys/fs/cgroup/x\"]," PROCESS "}", "expected a cgroup v2 path"},
		{"{\"cgroup_paths\":{\"memory\":\"/sys/fs/cgroup/memory/x\"}," PROCESS "}", "the engine uses v1?"},
		{"{\"cgroup_paths\":{\"\":\"/etc\"}," PROCESS "}", "below /sys/fs/cgroup"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup\"}," PROCESS "}", "below the cgroup root"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/\"}," PROCESS "}", "below the cgroup root"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/../../etc\"}," PROCESS "}", "below the cgroup root"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/a/../b\"}," PROCESS "}", "below the cgroup root"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/a\\u0000b\"}," PROCESS "}", "expected a cgroup v2 path"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/a\\nb\"}," PROCESS "}", "expected a cgroup v2 path"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/x\"},\"init_process_pid\":-1,\"init_process_start\":1}",
		 "init_process_pid"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/"
		 "x\"},\"init_process_pid\":4294967297,\"init_process_start\":1}",
		 "init_process_pid"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/x\"},\"init_process_pid\":\"1\",\"init_process_start\":1}",
		 "init_process_pid"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/x\"},\"init_process_pid\":1.5,\"init_process_start\":1}",
		 "init_process_pid"},
		{"{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/x\"},\"init_process_pid\":1,\"init_process_start\":-5}",
		 "init_process_start"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tree_file(EVIL, rows[i].text);
		/* A container whose file says nothing is one that does not run, and why. */
		assert_refused(rows[i].words);
	}
}

static void cut_anywhere(void **state)
{
	const char *whole = host_text(WEB6_STATE);
	size_t n = strlen(whole);

	(void)state;
	for (size_t cut = 0; cut < n; cut += 37) {
		tree_bytes(WEB6_STATE, whole, cut);
		assert_int_equal(host_ask("web6", NULL), -ENOENT);
	}
	tree_bytes(WEB6_STATE, whole, n);
	assert_found("web6");
}

static void too_deep_and_too_large(void **state)
{
	_cleanup_free_ char *text = malloc(2U << 20);

	(void)state;
	assert_non_null(text);
	memset(text, '[', 100000);
	tree_bytes(EVIL, text, 100000);
	assert_refused("nesting too deep");
	/* As many values as go into a file that is just not too large: more memory than it may have is not needed. */
	for (size_t i = 0; i < 1U << 20; i += 3)
		memcpy(text + i, "[],", 3);
	text[0] = '[';
	text[1] = '1';
	tree_bytes(EVIL, text, 1U << 20);
	assert_int_equal(host_ask("evil", NULL), -ENOENT);
	assert_others();
	memset(text, ' ', 2U << 20);
	tree_bytes(EVIL, text, (1U << 20) + 1);
	assert_refused("/run/runc/evil/state.json: too large");
}

static void not_regular_files(void **state)
{
	char target[PATH_MAX];

	(void)state;
	tree_dir("run/runc/evil");
	assert_int_equal(mkfifo(tree_path(EVIL), 0644), 0);
	assert_refused("not a regular file");
	assert_int_equal(unlink(tree_path(EVIL)), 0);
	tree_dir(EVIL);
	assert_refused("not a regular file");
	assert_int_equal(rmdir(tree_path(EVIL)), 0);
	/* Links: to a file of the tree, out of it, up with dots; no folder that is one either. */
	assert_int_equal(symlink("../web6/state.json", tree_path(EVIL)), 0);
	assert_refused("Too many levels of symbolic links");
	assert_int_equal(unlink(tree_path(EVIL)), 0);
	assert_int_equal(symlink("/etc/passwd", tree_path(EVIL)), 0);
	assert_refused("Too many levels of symbolic links");
	assert_int_equal(unlink(tree_path(EVIL)), 0);
	assert_int_equal(rmdir(tree_path("run/runc/evil")), 0);
	assert_int_equal(symlink("web6", tree_path("run/runc/evil")), 0);
	assert_int_equal(host_ask("evil", NULL), -ENOENT);
	assert_others();
	snprintf(target, sizeof(target), "%s", tree_path("run/runc"));
	assert_int_equal(symlink(target, tree_path("run/crun/evil")), 0);
	assert_int_equal(host_ask("evil", NULL), -ENOENT);
	assert_others();
}

/* An administrator's links are followed, within the root folder. */
static void a_data_folder_elsewhere(void **state)
{
	char from[PATH_MAX], to[PATH_MAX];

	(void)state;
	tree_dir("data");
	snprintf(from, sizeof(from), "%s", tree_path("var/lib/docker"));
	snprintf(to, sizeof(to), "%s", tree_path("data/docker"));
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(symlink("/data/docker", from), 0);
	assert_found("docker:web");
	assert_string_equal(found.name, "web");
}

/* Folders that are no IDs. */
static void odd_ids(void **state)
{
	static const char *const names[] = {"..x", ".hidden", "a b", "a:b", "\xff\xfe", "$(id)", "-rf", "a\nb"};
	char path[128], text[256];

	(void)state;
	snprintf(text, sizeof(text), "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/evil\"}," PROCESS "}");
	host_process(1021, 7000, "/evil");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "run/runc/%s/state.json", names[i]);
		tree_file(path, text);
	}
	/* "-rf" is one; of the rest nobody is told. */
	assert_int_equal(host_ask(NULL, "/evil"), 0);
	assert_string_equal(found.id, "-rf");
	assert_others();
}

static void odd_texts(void **state)
{
	(void)state;
	tree_file(EVIL, "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/evil\"}," PROCESS ",\"config\":{\"labels\":["
			"\"a=1\\u0000\\u001b[31m2\",\"b=\xff\xfe\xc3x\",\"c=\\u202egnp.\",\"d\\n=x\",\"=empty\","
			"\"none\",7,null,[],"
			"\"e=\\ud800\",\"f=\xc3\xa4\xe2\x82\xac\",\"a=again\"]}}");
	host_process(1021, 7000, "/evil");
	assert_found("evil");
	assert_string_equal(mw_container_label(&found, MW_LABEL_ANNOTATION, "a"), "1??[31m2");
	assert_string_equal(mw_container_label(&found, MW_LABEL_ANNOTATION, "b"), "???x");
	assert_string_equal(mw_container_label(&found, MW_LABEL_ANNOTATION, "c"), "?gnp.");
	assert_string_equal(mw_container_label(&found, MW_LABEL_ANNOTATION, "f"), "\xc3\xa4\xe2\x82\xac");
	assert_int_equal(found.n_labels, 5);
	assert_int_equal(found.labels_left_out, 2); /* keys that would have to be changed */
}

static void too_many_labels(void **state)
{
	_cleanup_free_ char *text = malloc(200000);
	size_t n;

	(void)state;
	assert_non_null(text);
	n = (size_t)sprintf(text,
			    "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/evil\"}," PROCESS ",\"config\":{\"labels\":[");
	for (int i = 0; i < 100; i++)
		n += (size_t)sprintf(text + n, "\"key%d=%0*d\",", i, i == 50 ? 1024 : 1023, i);
	n += (size_t)sprintf(text + n, "\"memweir.class=tool\"]}}");
	tree_bytes(EVIL, text, n);
	host_process(1021, 7000, "/evil");
	assert_found("evil");
	assert_int_equal(found.n_labels, MW_CONTAINER_LABELS);
	assert_int_equal(found.labels_left_out, 37);
	/* Ours are kept whatever stands before them. */
	assert_string_equal(mw_container_label(&found, MW_LABEL_ANNOTATION, "memweir.class"), "tool");
	assert_int_equal(strlen(mw_container_label(&found, MW_LABEL_ANNOTATION, "key7")), MW_LABEL_VALUE_MAX);
}

/* Nine of one name: eight are told, the ninth counted. */
static void many_of_one_name(void **state)
{
	char path[128], text[256];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "run/runc/many%d/state.json", i);
		snprintf(text, sizeof(text),
			 "{\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/m/"
			 "%d\"},\"init_process_pid\":%d,\"init_process_start\":%d}",
			 i, 2000 + i, 7000);
		tree_file(path, text);
		snprintf(path, sizeof(path), "/m/%d", i);
		host_process(2000 + i, 7000, path);
	}
	assert_int_equal(host_ask("many", NULL), -EEXIST);
	assert_said("many: 20 containers, some of them: ");
	assert_found("many19");
	assert_int_equal(host_ask(NULL, "/m"), -EEXIST);
}

/* More than may be open at once: what is left out is said. */
static void more_files_than_may_be_open(void **state)
{
	char path[128];

	(void)state;
	for (int i = 0; i < 4200; i++) {
		snprintf(path, sizeof(path), "run/runc/n%d/state.json", i);
		tree_file(path, "{}");
	}
	assert_int_equal(host_ask("nobody", NULL), -ENOENT);
	assert_said("not read");
	assert_found("docker:web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(not_what_they_should_be),
		host_test(cut_anywhere),
		host_test(too_deep_and_too_large),
		host_test(not_regular_files),
		host_test(a_data_folder_elsewhere),
		host_test(odd_ids),
		host_test(odd_texts),
		host_test(too_many_labels),
		host_test(many_of_one_name),
		host_test(more_files_than_may_be_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
