// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Lines that come in pieces, in a buffer that can be too small. */
#include "unit.h"

#include "lib/examples/connections/frame.c"

static const char *line;
static size_t length, next;

static enum frame look(const char *data, size_t from, size_t room)
{
	line = NULL;
	length = next = 99;
	return frame_next(data, from, strlen(data), room, &line, &length, &next);
}

static void whole_lines(void **state)
{
	const char *data = "one\ntwo\r\n\n\r\nr\rn\npart";

	(void)state;
	assert_int_equal(look(data, 0, 64), FRAME_LINE);
	assert_true(line == data && length == 3 && next == 4);
	assert_int_equal(look(data, 4, 64), FRAME_LINE);
	assert_true(line == data + 4 && length == 3 && next == 9);
	assert_int_equal(look(data, 9, 64), FRAME_LINE); /* an empty one */
	assert_true(length == 0 && next == 10);
	assert_int_equal(look(data, 10, 64), FRAME_LINE); /* of CR LF too */
	assert_true(length == 0 && next == 12);
	assert_int_equal(look(data, 12, 64), FRAME_LINE); /* CR inside stays */
	assert_true(length == 3 && next == 16);
	assert_int_equal(look(data, 16, 64), FRAME_PART);
	assert_int_equal(look(data, strlen(data), 64), FRAME_PART);
}

static void piece_by_piece(void **state)
{
	const char *data = "0123456\n";

	(void)state;
	for (size_t n = 0; n < 8; n++) {
		assert_int_equal(frame_next(data, 0, n, 8, &line, &length, &next), FRAME_PART);
	}
	assert_int_equal(frame_next(data, 0, 8, 8, &line, &length, &next),
			 FRAME_LINE); /* a full buffer, and a line in it */
	assert_int_equal(length, 7);
}

static void too_long(void **state)
{
	(void)state;
	assert_int_equal(look("01234567", 0, 8), FRAME_TOO_LONG);
	assert_int_equal(look("\n1234567", 1, 8), FRAME_PART); /* the first line's room can be had back */
	assert_int_equal(look("01234567", 0, 9), FRAME_PART);
	assert_int_equal(look("", 0, 8), FRAME_PART);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_lines),
		cmocka_unit_test(piece_by_piece),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
