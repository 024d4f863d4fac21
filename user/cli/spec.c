/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir spec: OpenAPI documents without what only people read. Needs no daemon and no rights. */
#include <errno.h>
#include <fcntl.h>
#include <memweir/spec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/call.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/size.h"
#include "util/table.h"

struct spec_values {
	bool json, stats, keep_extensions, no_descriptions;
	const char *out;
	long descriptions;
};

#define AT(field) offsetof(struct spec_values, field)
static const struct mw_option rows[] = {
	{"out", 'o', MW_OPT_TEXT, AT(out), "OUT",
	 "write it there: a file, a directory for several, - for standard output"},
	{"keep-extensions", 'x', MW_OPT_FLAG, AT(keep_extensions), NULL, "leave x-... keys in"},
	{"descriptions", 'd', MW_OPT_NUMBER, AT(descriptions), "CHARS", "keep so much of a description (default: 80)",
	 1, 4096},
	{"no-descriptions", 'D', MW_OPT_FLAG, AT(no_descriptions), NULL, "keep none, but where OpenAPI wants one"},
	{"stats", 's', MW_OPT_FLAG, AT(stats), NULL, "with -o -: say on standard error what was saved"},
	{"json", 'j', MW_OPT_FLAG, AT(json), NULL, "what was saved as one JSON document"},
	{NULL},
};

static const struct mw_column columns[] = {
	{"FILE", .shrink = true},      {"FORMAT"},
	{"BEFORE", .right = true},     {"AFTER", .right = true},
	{"SAVED", .right = true},      {"EXAMPLES", .right = true},
	{"TEXTS", .right = true},      {"METADATA", .right = true},
	{"EXTENSIONS", .right = true},
};

/* One file's way through. */
struct job {
	int in, out; /* out -1: nowhere */
	bool seekable;
	struct memweir_spec_stats stats;
	struct memweir_spec_error error;
};

static int64_t on_read(void *arg, void *buffer, size_t room)
{
	const struct job *job = arg;
	ssize_t n;

	do
		n = read(job->in, buffer, room);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int on_write(void *arg, const void *bytes, size_t count)
{
	const struct job *job = arg;

	while (job->out >= 0 && count) {
		ssize_t n = write(job->out, bytes, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = (const char *)bytes + n;
		count -= (size_t)n;
	}
	return 0;
}

static int on_again(void *arg)
{
	const struct job *job = arg;

	if (!job->seekable)
		return -ESPIPE;
	if (lseek(job->in, 0, SEEK_SET) < 0)
		return -errno;
	return job->out >= 0 && (ftruncate(job->out, 0) < 0 || lseek(job->out, 0, SEEK_SET) < 0) ? -errno : 0;
}

static int strip(const struct spec_values *v, const char *path, struct job *job, struct mw_error *err)
{
	struct memweir_spec_options options = MEMWEIR_INIT(struct memweir_spec_options);
	struct memweir_spec_io io = {sizeof(io), on_read, on_write, job->seekable ? on_again : NULL, job};
	int r;

	options.keep_extensions = v->keep_extensions;
	options.description_chars = v->no_descriptions ? -1 : (int32_t)v->descriptions;
	job->stats.size = sizeof(job->stats);
	job->error.size = sizeof(job->error);
	r = memweir_spec_strip(&options, &io, &job->stats, &job->error);
	if (r == 0)
		return 0;
	if (job->error.line)
		return mw_fail(err, r, "%s:%llu:%llu: %s", path, (unsigned long long)job->error.line,
			       (unsigned long long)job->error.column, job->error.text);
	return mw_fail(err, r, "%s: %s", path, job->error.text);
}

/* Where the result of path goes: OUT, or in the directory OUT its name with .json; behind links. NULL for no memory. */
static char *target(const char *out, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
	char *to, *real = realpath(out, NULL);
	struct stat st;

	if (stat(out, &st) < 0 || !S_ISDIR(st.st_mode))
		return real ? real : strdup(out);
	free(real);
	return asprintf(&to, "%s/%.*s.json", out, dot && dot > name ? (int)(dot - name) : (int)strlen(name), name) < 0
		       ? NULL
		       : to;
}

/* What a file that open() makes would have. */
static mode_t usual_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* A whole document replaces what is at to, or nothing does. */
static int to_file(const struct spec_values *v, const char *path, const char *to, struct job *job, struct mw_error *err)
{
	_cleanup_free_ char *fresh = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (asprintf(&fresh, "%s.XXXXXX", to) < 0)
		return mw_fail(err, -ENOMEM, "no memory");
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0)
		return mw_fail(err, -errno, "%s: %s", to, strerror(errno));
	job->out = fd;
	r = strip(v, path, job, err);
	if (r >= 0 && (fchmod(fd, usual_mode()) < 0 || rename(fresh, to) < 0))
		r = mw_fail(err, -errno, "%s: %s", to, strerror(errno));
	if (r < 0)
		unlink(fresh);
	return r;
}

/* Nothing of a document that fails. */
static int to_stream(const struct spec_values *v, const char *path, FILE *to, struct job *job, struct mw_error *err)
{
	_cleanup_fclose_ FILE *held = tmpfile();
	char bytes[16384];
	ssize_t n = 0;
	int r;

	if (!held)
		return mw_fail(err, -errno, "a temporary file: %s", strerror(errno));
	job->out = fileno(held);
	r = strip(v, path, job, err);
	for (off_t at = 0; r >= 0 && (n = pread(job->out, bytes, sizeof(bytes), at)) > 0; at += n)
		fwrite(bytes, 1, (size_t)n, to);
	if (r >= 0 && n < 0)
		return mw_fail(err, -errno, "a temporary file: %s", strerror(errno));
	if (r >= 0)
		fputc('\n', to);
	return r;
}

/* A device or pipe is written to, and not replaced. */
static int to_path(const struct spec_values *v, const char *path, struct job *job, struct mw_error *err)
{
	_cleanup_free_ char *to = target(v->out, path);
	struct stat st;
	FILE *device;
	int r;

	if (!to)
		return mw_fail(err, -ENOMEM, "no memory");
	if (stat(to, &st) < 0 || S_ISREG(st.st_mode))
		return to_file(v, path, to, job, err);
	device = fopen(to, "we");
	if (!device)
		return mw_fail(err, -errno, "%s: %s", to, strerror(errno));
	r = to_stream(v, path, device, job, err);
	if (fclose(device) != 0 && r >= 0)
		r = mw_fail(err, -errno, "%s: %s", to, strerror(errno));
	return r;
}

static int one_file(const struct spec_values *v, const char *path, struct job *job, struct mw_error *err)
{
	bool from_stdin = strcmp(path, "-") == 0;
	_cleanup_close_ int fd = from_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return mw_fail(err, -errno, "%s: %s", path, strerror(errno));
	job->in = fd;
	job->out = -1;
	job->seekable = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (!from_stdin || lseek(fd, 0, SEEK_CUR) == 0);
	if (!v->out)
		return strip(v, path, job, err);
	return strcmp(v->out, "-") == 0 ? to_stream(v, path, stdout, job, err) : to_path(v, path, job, err);
}

static double saved_pct(const struct memweir_spec_stats *s)
{
	return s->input_bytes ? 100 - 100.0 * (double)s->output_bytes / (double)s->input_bytes : 0;
}

static const char *format_name(const struct memweir_spec_stats *s)
{
	return s->format == MEMWEIR_SPEC_YAML ? "YAML" : "JSON";
}

static void add_row(struct mw_table *t, const char *path, const struct memweir_spec_stats *s)
{
	char before[16], after[16];

	mw_table_cell(t, path);
	mw_table_cell(t, format_name(s));
	mw_table_cell(t, mw_size_format(s->input_bytes, before, sizeof(before)));
	mw_table_cell(t, mw_size_format(s->output_bytes, after, sizeof(after)));
	mw_table_cellf(t, "%.1f%%", saved_pct(s));
	mw_table_cellf(t, "%llu", (unsigned long long)s->examples);
	mw_table_cellf(t, "%llu", (unsigned long long)s->texts);
	mw_table_cellf(t, "%llu", (unsigned long long)s->metadata);
	mw_table_cellf(t, "%llu", (unsigned long long)s->extensions);
}

static struct json_object *row_json(const char *path, const struct memweir_spec_stats *s)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_text(&o, "file", path);
	mw_json_text(&o, "format", format_name(s));
	mw_json_u64(&o, "input_bytes", s->input_bytes);
	mw_json_u64(&o, "output_bytes", s->output_bytes);
	mw_json_double(&o, "saved_pct", saved_pct(s), 2);
	mw_json_u64(&o, "examples", s->examples);
	mw_json_u64(&o, "texts", s->texts);
	mw_json_u64(&o, "metadata", s->metadata);
	mw_json_u64(&o, "extensions", s->extensions);
	mw_json_u64(&o, "references", s->references);
	mw_json_u64(&o, "kept", s->kept);
	return mw_json_end(&o);
}

static int usage(const struct mw_cli *cli, const struct spec_values *v, int argc)
{
	struct stat st;

	if (v->descriptions && v->no_descriptions)
		return mw_say_usage(cli, "--descriptions and --no-descriptions exclude each other");
	if (v->out && argc > 1 && (stat(v->out, &st) < 0 || !S_ISDIR(st.st_mode)))
		return mw_say_usage(cli, "--out: found \"%s\", expected a directory for several files", v->out);
	return 0;
}

static int spec_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct spec_values *v = cli->values;
	bool on_stdout = v->out && strcmp(v->out, "-") == 0;
	_cleanup_(mw_table_freep) struct mw_table *t = mw_table_new(columns, ARRAY_SIZE(columns));
	_cleanup_json_ struct json_object *doc = mw_json_document(mw_wall_ns());
	struct json_object *list = json_object_new_array();
	FILE *where = on_stdout ? stderr : stdout;
	int code = usage(cli, v, argc);

	json_object_object_add(doc, "specs", list);
	if (code)
		return code;
	for (int i = 0; i < argc; i++) {
		struct mw_error err = {0};
		struct job job = {0};

		if (one_file(v, argv[i], &job, &err) < 0) {
			mw_say_error(cli, "%s", err.text);
			code = MW_EXIT_FAILURE;
			continue;
		}
		add_row(t, argv[i], &job.stats);
		json_object_array_add(list, row_json(argv[i], &job.stats));
	}
	if (on_stdout && !v->stats)
		return code;
	if (v->json)
		fprintf(where, "%s\n", json_object_to_json_string_ext(doc, MW_JSON_COMPACT));
	else if (mw_table_rows(t))
		mw_table_print(t, where, mw_terminal_width(where));
	return code;
}

const struct mw_verb mw_verb_spec = {
	.name = "spec",
	.args = "[--out OUT] [--descriptions CHARS | --no-descriptions] [--keep-extensions] [--json] FILE...",
	.summary = "strip OpenAPI documents to what programs read, say what it saves",
	.notes = "FILE is OpenAPI 2.0, 3.0 or 3.1 in JSON or YAML, - standard input; up to 100 MB, read as a stream. "
		 "Examples,\nlonger descriptions, contact, license, documentation links and x-... keys go; what "
		 "carries meaning stays. Without --out\nnothing is written. Needs no daemon and no root.",
	.options = rows,
	.min_args = 1,
	.max_args = -1,
	.run = spec_run,
};
