/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What report leaks writes for other programs' viewers: a profile, read by a decoder of its own that takes nothing the
 * format does not allow, and folded stacks.
 */
#include "fake.h"

#include <linux/types.h>
#include <zlib.h>

#define FRAME(more) "{" more ",\"inlined\":false}"
#define LIB	    "\"module\":\"/usr/lib/libx.so\",\"build_id\":\"abcd\""

static const char leaks[] =
	"{\"workers\":[{\"name\":\"web\",\"class\":\"tool\",\"sites\":["
	"{\"bytes\":30000000,\"objects\":1200,\"share\":0.7,\"kind\":\"heap\",\"pid\":42,\"comm\":\"a.out\","
	"\"runtime\":"
	"null,\"frames\":["
	"{\"function\":\"keep\",\"file\":\"k.c\",\"line\":12,\"module\":\"/bin/"
	"a\",\"build_id\":\"01ff\",\"offset\":4096,"
	"\"inlined\":true},"
	"{\"function\":\"add;all\",\"file\":\"k.c\",\"line\":20,\"module\":\"/bin/"
	"a\",\"build_id\":\"01ff\",\"offset\":4096,"
	"\"inlined\":false}," FRAME("\"function\":\"\",\"file\":\"\",\"line\":0," LIB ",\"offset\":300") "," FRAME(
		"\"function\":\"\",\"file\":\"\",\"line\":0,\"module\":\"\",\"build_id\":\"\",\"offset\":"
		"140000000000000") "]},"
				   "{\"bytes\":200,\"objects\":null,\"share\":0.01,\"kind\":\"growth\",\"pid\":43,"
				   "\"comm\":\"node\",\"runtime\":"
				   "\"node\",\"script\":\"x.js\",\"frames\":[" FRAME(
					   "\"function\":\"keep\",\"file\":\"k.c\",\"line\":13,\"module\":\"/bin/"
					   "a\",\"build_id\":\"01ff\",\"offset\":8") "]}],\"sites_left_out_bytes\":17},"
										     "{\"name\":\"quiet\",\"class\":"
										     "\"tool\",\"sites\":[]}]}";

static const struct fake_reply table[] = {{"GET", "/v1/report/leaks", 200, leaks}, {NULL}};
static struct fake f;

/* The bytes of a message that are not read yet. */
struct part {
	const unsigned char *at, *end;
};

static __u64 number(struct part *p)
{
	__u64 v = 0;

	for (unsigned shift = 0;; shift += 7) {
		unsigned char c;

		assert_true(p->at < p->end && shift < 64);
		c = *p->at++;
		assert_true(shift < 63 || c < 2);
		v |= (__u64)(c & 0x7f) << shift;
		if (c < 0x80) {
			assert_true(c || !shift); /* in as few bytes as will do */
			return v;
		}
	}
}

/* The next field: a number, or the part it is. 0: the end. */
static unsigned field(struct part *p, __u64 *ret_number, struct part *ret_part)
{
	__u64 key, n;

	if (p->at == p->end)
		return 0;
	key = number(p);
	*ret_part = (struct part){NULL, NULL};
	if ((key & 7) == 0) {
		*ret_number = number(p);
	} else {
		assert_int_equal(key & 7, 2);
		n = number(p);
		assert_true(n <= (__u64)(p->end - p->at));
		*ret_part = (struct part){p->at, p->at + n};
		p->at += n;
	}
	assert_true(key >> 3 >= 1 && key >> 3 <= 15);
	return (unsigned)(key >> 3);
}

#define MOST 64
static struct {
	struct part strings[MOST], mappings[MOST], locations[MOST], functions[MOST], samples[MOST], types[MOST];
	size_t n_strings, n_mappings, n_locations, n_functions, n_samples, n_types;
	__u64 time_ns, comment, default_type;
} all;

static const char *string(__u64 i)
{
	static char buf[8][200];
	static int turn;
	char *b = buf[turn++ % 8];

	assert_true(i < all.n_strings);
	snprintf(b, 200, "%.*s", (int)(all.strings[i].end - all.strings[i].at), (const char *)all.strings[i].at);
	return b;
}

static void read_profile(struct part p)
{
	struct part *const lists[] = {NULL,	     all.types,	    all.samples, all.mappings,
				      all.locations, all.functions, all.strings};
	size_t *const counts[] = {
		NULL,	       &all.n_types, &all.n_samples, &all.n_mappings, &all.n_locations, &all.n_functions,
		&all.n_strings};
	struct part inner;
	__u64 n = 0;
	unsigned what;

	memset(&all, 0, sizeof(all));
	while ((what = field(&p, &n, &inner))) {
		if (what <= 6) {
			assert_true(inner.at && *counts[what] < MOST);
			lists[what][(*counts[what])++] = inner;
		} else {
			assert_true(!inner.at && (what == 9 || what == 13 || what == 14));
			*(what == 9 ? &all.time_ns : what == 13 ? &all.comment : &all.default_type) = n;
		}
	}
}

/* The numbers of a message by field, 0 where not there; id is what it is to be called by. */
static void numbers(struct part p, __u64 ret[16], __u64 id)
{
	struct part inner;
	__u64 n = 0;
	unsigned what;

	memset(ret, 0, 16 * sizeof(*ret));
	while ((what = field(&p, &n, &inner)))
		if (!inner.at)
			ret[what] = n;
	assert_true(!id || ret[1] == id);
}

static void say_location(FILE *out, __u64 id)
{
	__u64 l[16], m[16], line[16], fn[16];
	struct part p, inner;

	assert_true(id >= 1 && id <= all.n_locations);
	p = all.locations[id - 1];
	numbers(p, l, id);
	if (l[2]) {
		assert_true(l[2] <= all.n_mappings);
		numbers(all.mappings[l[2] - 1], m, l[2]);
		assert_true(l[3] >= m[2] && l[3] < m[3]);
		fprintf(out, " %s(%s)", string(m[5]), string(m[6]));
	}
	fprintf(out, "@%llu[", l[3]);
	for (unsigned what; (what = field(&p, &(__u64){0}, &inner));) {
		if (what != 4)
			continue;
		numbers(inner, line, 0);
		assert_true(line[1] && line[1] <= all.n_functions);
		numbers(all.functions[line[1] - 1], fn, line[1]);
		assert_int_equal(fn[2], fn[3]);
		fprintf(out, " %s %s:%llu", string(fn[2]), string(fn[4]), line[2]);
	}
	fputs(" ]", out);
}

static void say_sample(FILE *out, struct part p)
{
	struct part inner;
	__u64 label[16];

	for (unsigned what; (what = field(&p, &(__u64){0}, &inner));) {
		assert_non_null(inner.at);
		if (what == 3) {
			numbers(inner, label, 0);
			fprintf(out, " %s=%s", string(label[1]), label[2] ? string(label[2]) : "");
			if (label[3])
				fprintf(out, "%llu", label[3]);
			continue;
		}
		fputs(what == 2 ? " :" : "", out);
		while (inner.at < inner.end) {
			if (what == 1)
				say_location(out, number(&inner));
			else
				fprintf(out, " %llu", number(&inner));
		}
	}
	fputs("\n", out);
}

/* The file as text, in static memory. */
static const char *decode(const char *path)
{
	static unsigned char raw[65536];
	static char text[65536];
	gzFile in = gzopen(path, "rb");
	unsigned char head[2] = {0};
	FILE *out, *plain = fopen(path, "re");
	__u64 type[16];
	int n;

	assert_int_equal(fread(head, 1, 2, plain), 2);
	fclose(plain);
	assert_true(head[0] == 0x1f && head[1] == 0x8b);
	n = gzread(in, raw, sizeof(raw));
	assert_true(n > 0 && gzclose(in) == Z_OK);
	read_profile((struct part){raw, raw + n});
	assert_true(all.n_strings && all.strings[0].at == all.strings[0].end);
	out = fmemopen(text, sizeof(text), "w");
	for (size_t i = 0; i < all.n_types; i++) {
		numbers(all.types[i], type, 0);
		fprintf(out, "%s %s\n", string(type[1]), string(type[2]));
	}
	fprintf(out, "%s %s\n", string(all.default_type), string(all.comment));
	for (size_t i = 0; i < all.n_samples; i++)
		say_sample(out, all.samples[i]);
	fclose(out);
	return text;
}

static const char expected[] =
	"inuse_objects count\ninuse_space bytes\ninuse_space memweir " MW_VERSION " report leaks\n"
	" /bin/a(01ff)@4096[ keep k.c:12 add;all k.c:20 ] /usr/lib/libx.so(abcd)@300[ ]@140000000000000[ ] : 1200 "
	"30000000"
	" worker=web class=tool kind=heap comm=a.out pid=42\n"
	" /bin/a(01ff)@8[ keep k.c:13 ] : 0 200 worker=web class=tool kind=growth comm=node pid=43 runtime=node "
	"script=x.js\n"
	"@0[ [left out] :0 ] : 0 17 worker=web class=tool\n";

static void profile(void **state)
{
	char path[128], option[160];
	__u64 m[16];

	(void)state;
	snprintf(path, sizeof(path), "%s/p.pb.gz", f.dir);
	snprintf(option, sizeof(option), "--pprof=%s", path);
	assert_int_equal(memweir(&f, "report", "leaks", option), 0);
	assert_string_equal(last.out, "");
	assert_string_equal(decode(path), expected);
	assert_int_equal(all.n_functions, 3);
	assert_int_equal(all.n_mappings, 2);
	numbers(all.mappings[0], m, 1);
	assert_true(m[3] == 4097 && m[7] && m[8] && m[9] && m[10]); /* names, files, lines, inlined */
	numbers(all.mappings[1], m, 2);
	assert_true(m[3] == 301 && !m[7] && !m[8] && !m[9] && !m[10]);
	assert_true(all.time_ns > 1700000000000000000ULL);
	assert_int_equal(memweir(&f, "report", "leaks", option), 1); /* the file must be new */
	assert_non_null(strstr(last.err, "p.pb.gz: File exists, expected a new file"));
	assert_string_equal(decode(path), expected);
	unlink(path);
}

static void to_a_pipe(void **state)
{
	char path[128], command[PATH_MAX + 512];

	(void)state;
	snprintf(path, sizeof(path), "%s/q.pb.gz", f.dir);
	snprintf(command, sizeof(command), "MEMWEIR_SOCKET=%s %s report leaks --pprof | cat >%s", f.socket,
		 memweir_path(), path);
	assert_int_equal(system(command), 0);
	assert_string_equal(decode(path), expected);
	unlink(path);
	snprintf(command, sizeof(command), "MEMWEIR_SOCKET=%s %s report leaks --pprof 2>/dev/null >/dev/full", f.socket,
		 memweir_path());
	assert_int_equal(WEXITSTATUS(system(command)), 1);
}

static void not_with_others(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "report", "leaks", "--pprof", "--json"), 2);
	assert_int_equal(memweir(&f, "report", "leaks", "--pprof", "--folded"), 2);
	assert_int_equal(memweir(&f, "report", "pauses", "--pprof=x"), 2);
	assert_int_equal(memweir(&f, "report", "incidents", "--pprof=x"), 2);
	assert_int_equal(memweir(&f, "report", "leaks", "--pprof=/no/such/dir/x"), 1);
	assert_non_null(strstr(last.err, "/no/such/dir/x: No such file or directory"));
}

/* "STACK BYTES" lines: a blank before the number, ; between frames and nowhere else. */
static void folded(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "report", "leaks", "--folded"), 0);
	assert_string_equal(last.out, "web;0x7f544a44c000;libx.so+0x12c;add:all;keep 30000000\n"
				      "web;keep 200\n"
				      "web;[left out] 17\n");
}

#define FLAMEGRAPH "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"

/* Who draws them has a box for each frame, as wide as what was allocated below it. */
static void flame_graph(void **state)
{
	char command[PATH_MAX + 512], svg[65536];

	(void)state;
	if (access(FLAMEGRAPH, R_OK) != 0) {
		puts("skipped: no flamegraph.pl (package libdevel-nytprof-perl)");
		skip();
	}
	snprintf(command, sizeof(command), "MEMWEIR_SOCKET=%s %s report leaks --folded | perl " FLAMEGRAPH " >%s/svg",
		 f.socket, memweir_path(), f.dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "%s/svg", f.dir);
	file_read(command, svg, sizeof(svg));
	unlink(command);
	assert_non_null(strstr(svg, "<title>web (30,000,217 samples, 100.00%)"));
	assert_non_null(strstr(svg, "<title>libx.so+0x12c (30,000,000 samples, 100.00%)"));
	assert_non_null(strstr(svg, "<title>add:all (30,000,000 samples, 100.00%)"));
}

static int start(void **state)
{
	(void)state;
	fake_start(&f, table);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fake_stop(&f);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile), cmocka_unit_test(to_a_pipe),	  cmocka_unit_test(not_with_others),
		cmocka_unit_test(folded),  cmocka_unit_test(flame_graph),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
