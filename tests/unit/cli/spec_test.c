/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* spec: files in, files out, no daemon anywhere. */
#include "fake.h"

#define JSON	 "{\"openapi\": \"3.0.0\", \"x-a\": 1, \"info\": {\"description\": \"one two three\"}, \"paths\": {}}"
#define YAML	 "openapi: 3.0.0\nexternalDocs: {url: u}\npaths: {}\n"
#define POINTING "{\"openapi\":\"3.0.0\",\"x-a\":{\"b\":{}},\"paths\":{\"/\":{\"$ref\":\"#/x-a/b\"}}}"

static struct fake f;
static char json[PATH_MAX], yaml[PATH_MAX], pointing[PATH_MAX], broken[PATH_MAX], out[PATH_MAX], dir[PATH_MAX];

static void path(char *to, const char *name, const char *text)
{
	FILE *file;

	snprintf(to, PATH_MAX, "%s/%s", f.dir, name);
	if (!text)
		return;
	file = fopen(to, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int start(void **state)
{
	(void)state;
	fake_dir(&f);
	path(json, "a.json", JSON);
	path(yaml, "b.yaml", YAML);
	path(pointing, "c.json", POINTING);
	path(broken, "broken.json", "{\"openapi\":\n \"3.0.0\",}");
	path(out, "out", NULL);
	path(dir, "dir", NULL);
	assert_int_equal(mkdir(dir, 0700), 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fake_stop(&f);
	return 0;
}

static void assert_file(const char *name, const char *text)
{
	char got[4096];

	file_read(name, got, sizeof(got));
	assert_string_equal(got, text);
}

static void says_what_it_saves(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "spec", json, yaml), 0);
	assert_out("FILE ");
	assert_out("EXTENSIONS\n");
	assert_out("JSON");
	assert_out("YAML");
	assert_int_equal(memweir(&f, "spec", "--json", json, yaml), 0);
	assert_out("\"specs\":[{\"file\":");
	assert_out("\"format\":\"YAML\",\"input_bytes\":48,\"output_bytes\":30,\"saved_pct\":37.5");
	assert_out("\"extensions\":1");
	assert_int_equal(access(out, F_OK), -1);
}

static void writes(void **state)
{
	char link_to[PATH_MAX], fifo[PATH_MAX], got[4096];
	struct stat st;
	int held;

	(void)state;
	path(link_to, "link", NULL);
	path(fifo, "fifo", NULL);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	held = open(fifo, O_RDWR | O_CLOEXEC);
	assert_true(held >= 0);
	assert_int_equal(memweir(&f, "spec", "-o", out, json), 0);
	assert_file(out, "{\"openapi\":\"3.0.0\",\"info\":{\"description\":\"one two three\"},\"paths\":{}}");
	assert_int_equal(memweir(&f, "spec", "-o", out, "-d", "8", "--keep-extensions", json), 0);
	assert_file(out, "{\"openapi\":\"3.0.0\",\"x-a\":1,\"info\":{\"description\":\"one two…\"},\"paths\":{}}");
	assert_int_equal(memweir(&f, "spec", "-o", out, "--no-descriptions", json), 0);
	assert_file(out, "{\"openapi\":\"3.0.0\",\"info\":{},\"paths\":{}}");
	/* In place. */
	assert_int_equal(memweir(&f, "spec", "-o", out, out), 0);
	assert_file(out, "{\"openapi\":\"3.0.0\",\"info\":{},\"paths\":{}}");
	/* What a reference points to is read twice. */
	assert_int_equal(memweir(&f, "spec", "-o", out, pointing), 0);
	assert_file(out, POINTING);
	/* A link stays one, a device a device. */
	assert_int_equal(symlink(out, link_to), 0);
	assert_int_equal(memweir(&f, "spec", "-o", link_to, pointing), 0);
	assert_int_equal(lstat(link_to, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(memweir(&f, "spec", "-o", fifo, pointing), 0);
	assert_int_equal(read(held, got, sizeof(got)), (ssize_t)strlen(POINTING "\n"));
	assert_int_equal(stat(fifo, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	close(held);
	/* What fails leaves what was there. */
	assert_int_equal(memweir(&f, "spec", "-o", out, broken), 1);
	assert_file(out, POINTING);
}

static void writes_to_a_directory(void **state)
{
	char a[PATH_MAX + 16], b[PATH_MAX + 16];

	(void)state;
	snprintf(a, sizeof(a), "%s/a.json", dir);
	snprintf(b, sizeof(b), "%s/b.json", dir);
	assert_int_equal(memweir(&f, "spec", "-o", dir, json, broken, yaml), 1);
	assert_err("broken.json:2:10: ");
	assert_file(a, "{\"openapi\":\"3.0.0\",\"info\":{\"description\":\"one two three\"},\"paths\":{}}");
	assert_file(b, "{\"openapi\":\"3.0.0\",\"paths\":{}}");
}

static void writes_to_standard_output(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "spec", "-o", "-", yaml), 0);
	assert_string_equal(last.out, "{\"openapi\":\"3.0.0\",\"paths\":{}}\n");
	assert_string_equal(last.err, "");
	assert_int_equal(memweir(&f, "spec", "-o", "-", "--stats", pointing), 0);
	assert_string_equal(last.out, POINTING "\n");
	assert_err("BEFORE");
	assert_int_equal(memweir(&f, "spec", "-o", "-", broken), 1);
	assert_string_equal(last.out, "");
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "spec"), 2);
	assert_int_equal(memweir(&f, "spec", "-o", out, json, yaml), 2);
	assert_err("expected a directory for several files");
	assert_int_equal(memweir(&f, "spec", "-d", "5", "-D", json), 2);
	assert_err("exclude each other");
	assert_int_equal(memweir(&f, "spec", "-d", "5000", json), 2);
	assert_int_equal(memweir(&f, "spec", "/nowhere"), 1);
	assert_err("/nowhere: No such file");
	assert_int_equal(memweir(&f, "spec", "-o", "/nowhere/x", json), 1);
	assert_err("/nowhere/x: No such file");
	assert_int_equal(memweir(&f, "spec", broken), 1);
	assert_err("broken.json:2:10: no JSON here: expected");
	assert_int_equal(memweir(&f, "spec", "/dev/null"), 1);
	assert_err("/dev/null: no OpenAPI document");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_saves),	 cmocka_unit_test(writes),
		cmocka_unit_test(writes_to_a_directory), cmocka_unit_test(writes_to_standard_output),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
