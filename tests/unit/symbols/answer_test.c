/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What goes to memweir-symbols and what comes back: the same as was put in, or an error that says what is wrong. */
#include "../unit.h"

#include "symbols/answer.h"
#include "util/cleanup.h"

static struct mw_error said;

static void assert_said(const char *words)
{
	if (!strstr(said.text, words))
		fail_msg("expected \"%s\" in \"%s\"", words, said.text);
}

static void a_question(void **state)
{
	struct mw_question q = {.pid = 7, .start_ticks = 99, .dead = true, .modules = {.uid = 1000, .gid = 100}},
			   same = {0};
	struct mw_module m = {.start = 0x1000,
			      .end = 0x2000,
			      .offset = 0x3000,
			      .address = 0x401000,
			      .has_address = true,
			      .deleted = true,
			      .dev_major = 0xfe,
			      .dev_minor = 1,
			      .inode = 12345,
			      .build_id = "00ff"};
	_cleanup_free_ char *text = NULL, *again = NULL;
	size_t n, again_n;

	(void)state;
	assert_int_equal(mw_modules_add(&q.modules, &m, "/srv/a b", 8), 0);
	assert_int_equal(mw_modules_add(&q.modules, &(struct mw_module){.start = 0x2000, .end = ~0ULL}, "", 0), 0);
	assert_int_equal(mw_question_add(&q, ~0ULL, true), 0);
	assert_int_equal(mw_question_add(&q, 0, false), 0);
	assert_int_equal(mw_question_write(&q, &text, &n), 0);
	assert_string_equal(text, "pid 7 99\nuser 1000 100\n"
				  "module 1000-2000 3000 401000 fe:1 12345 00ff 1 /srv/a b\n"
				  "module 2000-ffffffffffffffff 0 - 0:0 0 - 0 \n"
				  "return ffffffffffffffff\naddress 0\n");
	assert_int_equal(mw_question_read(text, n, &same, &said), 0);
	assert_true(same.dead && same.pid == 7 && same.start_ticks == 99 && same.n == 2 && same.modules.n == 2);
	assert_string_equal(same.modules.at[0].path, "/srv/a b");
	assert_int_equal(mw_question_write(&same, &again, &again_n), 0);
	assert_string_equal(again, text);
	mw_question_free(&q);
	mw_question_free(&same);
}

static void questions_that_are_none(void **state)
{
	static const char *const texts[] = {
		"",
		"address 1",
		"pid 0 1\naddress 1",
		"pid -1 1",
		"pid 1",
		"pid 1 1 1",
		"pid 1 1\naddress",
		"pid 1 1\naddress x",
		"pid 1 1\naddress -1",
		"pid 1 1\n\n",
		"pid 1 1\nmodule 1000-2000 0 - 0:0 0 - 0 /a",
		"user 1 1\nmodule 2000-1000 0 - 0:0 0 - 0 /a",
		"user 1 1\nmodule 1000-2000 0 -- 0:0 0 - 0 /a",
		"user 1 1\nmodule 1000-2000 0 - 0:0 0 xyz 0 /a",
		"user 1 1\nmodule 1000-2000 0 - 0:0 0 abc 0 /a",
		"user 1 1\nmodule 1000-2000 0 - 0:0 0 - 0 /a\nmodule 1800-2800 0 - 0:0 0 - 0 /a",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct mw_question q = {0};

		if (mw_question_read(texts[i], strlen(texts[i]), &q, &said) != -EBADMSG)
			fail_msg("taken: \"%s\"", texts[i]);
		assert_said("question: ");
		mw_question_free(&q);
	}
}

static void addresses_past_the_end(void **state)
{
	struct mw_question q = {0};

	(void)state;
	for (int i = 0; i < MW_ADDRESSES_MAX; i++)
		assert_int_equal(mw_question_add(&q, (__u64)i, false), 0);
	assert_int_equal(mw_question_add(&q, 1, false), -EINVAL);
	mw_question_free(&q);
}

/* Two places; one with a function that was put into another, one that nobody knows. */
static void fill(struct mw_symbols *s)
{
	assert_int_equal(mw_symbols_place(s), 0);
	assert_int_equal(mw_symbols_frame(s,
					  &(struct mw_frame){"in\xc3\xa4\n", "/a.c", 3, 4, "/weir", "00ff", 5, true}),
			 0);
	assert_int_equal(mw_symbols_frame(s, &(struct mw_frame){"out", "/a.c", 7, 0, "/weir", "00ff", 5, false}), 0);
	assert_int_equal(mw_symbols_place(s), 0);
	assert_int_equal(mw_symbols_frame(s, &(struct mw_frame){.offset = ~0ULL}), 0);
	s->unfinished = 1;
	s->unread = 2;
	strcpy(s->problem, "/x: none");
}

static void an_answer(void **state)
{
	static const struct mw_address pcs[] = {{0x1005, true}, {~0ULL, false}};
	_cleanup_free_ char *text = NULL, *again = NULL;
	struct mw_symbols s = {0}, same;

	(void)state;
	fill(&s);
	assert_int_equal(mw_symbols_write(&s, pcs, &text), 0);
	assert_string_equal(text,
			    "{\"addresses\":[{\"address\":\"0x1005\",\"frames\":[{\"function\":\"in\xc3\xa4?\","
			    "\"file\":\"/a.c\",\"line\":3,\"column\":4,\"module\":\"/weir\",\"build_id\":\"00ff\","
			    "\"offset\":5,\"inlined\":true},{\"function\":\"out\",\"file\":\"/a.c\",\"line\":7,"
			    "\"module\":\"/weir\",\"build_id\":\"00ff\",\"offset\":5}]},{\"address\":"
			    "\"0xffffffffffffffff\",\"frames\":[{\"offset\":18446744073709551615}]}],"
			    "\"unfinished\":1,\"unread\":2,\"problem\":\"/x: none\"}");
	assert_int_equal(mw_symbols_read(text, strlen(text), 2, &same, &said), 0);
	assert_int_equal(mw_symbols_write(&same, pcs, &again), 0);
	assert_string_equal(again, text);
	mw_symbols_free(&same);
	mw_symbols_free(&s);
	assert_int_equal(mw_symbols_read(text, strlen(text), 3, &same, &said), -EPROTO);
	assert_said("\"addresses\"");
}

static void many_frames(void **state)
{
	static const struct mw_address pc = {1, false};
	_cleanup_free_ char *text = NULL;
	struct mw_symbols s = {0}, same;
	char name[16];

	(void)state;
	assert_int_equal(mw_symbols_place(&s), 0);
	for (int i = 0; i < 2 * MW_FRAMES_MAX; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(mw_symbols_frame(&s, &(struct mw_frame){.function = name}), 0);
	}
	assert_int_equal(s.n_frames, MW_FRAMES_MAX);
	assert_int_equal(mw_symbols_write(&s, &pc, &text), 0);
	assert_int_equal(mw_symbols_read(text, strlen(text), 1, &same, &said), 0);
	assert_string_equal(same.frames[63].function, "f63");
	mw_symbols_free(&same);
	mw_symbols_free(&s);
}

/* Each as long as may be, and of characters that take the most room on the way: still within what is read. */
static void long_texts(void **state)
{
	static const struct mw_address pc = {~0ULL, false};
	char long_text[3000], id[MW_BUILD_ID];
	_cleanup_free_ char *text = NULL;
	struct mw_symbols s = {0}, same;
	struct mw_frame f = {long_text, long_text, ~0U, ~0U, long_text, id, ~0ULL, true};

	(void)state;
	memset(long_text, '"', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	memset(id, 'a', sizeof(id));
	id[sizeof(id) - 1] = '\0';
	assert_int_equal(mw_symbols_place(&s), 0);
	for (int i = 0; i < 2 * MW_FRAMES_MAX; i++)
		assert_int_equal(mw_symbols_frame(&s, &f), 0);
	assert_int_equal(s.n_frames, MW_PLACE_TEXT / (MW_FUNCTION_TEXT + 2 * MW_FILE_TEXT + MW_BUILD_ID - 4));
	assert_int_equal(strlen(s.frames[0].function), MW_FUNCTION_TEXT - 1);
	assert_int_equal(strlen(s.frames[5].file), MW_FILE_TEXT - 1);
	memset(s.problem, '\x1b', sizeof(s.problem) - 1); /* a file may be called so */
	assert_int_equal(mw_symbols_write(&s, &pc, &text), 0);
	assert_true(strlen(text) < 4096 + MW_SYMBOLS_ANSWER_EACH);
	assert_int_equal(mw_symbols_read(text, strlen(text), 1, &same, &said), 0);
	assert_string_equal(same.frames[5].file, s.frames[5].file);
	assert_int_equal(same.problem[0], '?');
	mw_symbols_free(&same);
	mw_symbols_free(&s);
	/* And with frames that are short, and many. */
	f = (struct mw_frame){"\"\"\"\"", "", ~0U, ~0U, "", id, ~0ULL, true};
	assert_int_equal(mw_symbols_place(&s), 0);
	for (int i = 0; i < MW_FRAMES_MAX; i++)
		assert_int_equal(mw_symbols_frame(&s, &f), 0);
	free(TAKE_PTR(text));
	assert_int_equal(mw_symbols_write(&s, &pc, &text), 0);
	assert_true(strlen(text) < 4096 + MW_SYMBOLS_ANSWER_EACH);
	mw_symbols_free(&s);
}

static void answers_that_are_none(void **state)
{
#define TAIL	       ",\"unfinished\":0,\"unread\":0,\"problem\":\"\"}"
#define FRAME(members) "{\"addresses\":[{\"frames\":[{" members "}]}]" TAIL
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"addresses\":[]" TAIL,
		"{\"addresses\":[{}]" TAIL,
		"{\"addresses\":[{\"frames\":[]}]" TAIL,
		"{\"addresses\":[{\"frames\":[7]}]" TAIL,
		"{\"addresses\":{\"frames\":[]}" TAIL,
		FRAME(""),
		FRAME("\"offset\":-1"),
		FRAME("\"offset\":1,\"function\":7"),
		FRAME("\"offset\":1,\"function\":\"a\\n\""),
		FRAME("\"offset\":1,\"file\":\"\\u202e\""),
		FRAME("\"offset\":1,\"build_id\":\"../x\""),
		FRAME("\"offset\":1,\"line\":4294967296"),
		FRAME("\"offset\":1,\"column\":\"1\""),
		"{\"addresses\":[{\"frames\":[{\"offset\":1}]}],\"unfinished\":2,\"unread\":0,\"problem\":\"\"}",
		"{\"addresses\":[{\"frames\":[{\"offset\":1}]}],\"unfinished\":0,\"unread\":0}",
		FRAME("\"offset\":1") " x",
	};
	struct mw_symbols s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (mw_symbols_read(texts[i], strlen(texts[i]), 1, &s, &said) != -EPROTO)
			fail_msg("taken: %s", texts[i]);
		assert_said("memweir-symbols: ");
	}
	/* And one that is, so that the others fail for what is wrong in them. */
	assert_int_equal(mw_symbols_read(FRAME("\"offset\":1"), strlen(FRAME("\"offset\":1")), 1, &s, &said), 0);
	mw_symbols_free(&s);
}

static void what_it_says_went_wrong(void **state)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{"{\"error\":\"process 7 has ended\",\"errno\":3}", -ESRCH},
		{"{\"error\":\"no\",\"errno\":13}", -EACCES},
		{"{\"error\":\"no\",\"errno\":110}", -ETIMEDOUT},
		{"{\"error\":\"no\",\"errno\":5}", -EPROTO},
		{"{\"error\":\"no\",\"errno\":0}", -EPROTO},
		{"{\"error\":\"no\"}", -EPROTO},
	};
	struct mw_modules m;
	struct mw_symbols s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(mw_symbols_read(rows[i].text, strlen(rows[i].text), 1, &s, &said), rows[i].code);
		assert_int_equal(mw_modules_read(rows[i].text, strlen(rows[i].text), &m, &said), rows[i].code);
	}
	assert_int_equal(mw_symbols_read(rows[0].text, strlen(rows[0].text), 1, &s, &said), -ESRCH);
	assert_said("memweir-symbols: process 7 has ended");
}

static void a_list_of_modules(void **state)
{
	struct mw_modules m = {.pid = 7, .start_ticks = 9, .uid = 1000, .gid = 100}, same;
	struct mw_module one = {.start = 0x1000, .end = 0x2000, .offset = 3, .has_address = true, .inode = 5};
	static const char bad[] =
		"{\"pid\":7,\"start_ticks\":9,\"uid\":0,\"gid\":0,\"left_out\":0,\"modules\":[{\"start\":"
		"4096,\"end\":4096,\"offset\":0,\"dev_major\":0,\"dev_minor\":0,\"inode\":0,"
		"\"deleted\":false,\"path\":\"/a\"}]}";
	_cleanup_free_ char *text = NULL, *again = NULL;

	(void)state;
	strcpy(one.build_id, "00ff");
	assert_int_equal(mw_modules_add(&m, &one, "/odd\n", 5), 0);
	m.left_out = 4;
	assert_int_equal(mw_modules_write(&m, &text), 0);
	assert_int_equal(mw_modules_read(text, strlen(text), &same, &said), 0);
	assert_int_equal(mw_modules_write(&same, &again), 0);
	assert_string_equal(again, text);
	assert_string_equal(same.at[0].path, "/odd?");
	assert_true(same.at[0].has_address && same.uid == 1000 && same.gid == 100 && same.left_out == 4);
	mw_modules_free(&m);
	mw_modules_free(&same);
	assert_int_equal(mw_modules_read(bad, strlen(bad), &same, &said), -EPROTO);
	assert_said("\"start\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question),
		cmocka_unit_test(questions_that_are_none),
		cmocka_unit_test(addresses_past_the_end),
		cmocka_unit_test(an_answer),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(long_texts),
		cmocka_unit_test(many_frames),
		cmocka_unit_test(a_list_of_modules),
		cmocka_unit_test(what_it_says_went_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
