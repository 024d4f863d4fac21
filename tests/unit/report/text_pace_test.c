/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "report/text_pace.h"
#include "util/clock.h"

static void lines(void **state)
{
	const struct mw_worker w = {
		.name = "web",
		.class_name = "tool",
		.pace = {.state = {.rate = 3.2e6}, .reclaims = 12, .bytes = 34100000, .took_ns = 210 * MW_NS_PER_MS},
	};
	const struct mw_pace_input in = {.current = 41000000, .high = 42500000};
	const struct mw_pace_decision d = {.kind = MW_PACE_BACK_OFF,
					   .why = MW_PACE_REFAULTS,
					   .hold_ns = 4 * MW_NS_PER_S};
	char buf[256];

	(void)state;
	assert_string_equal(mw_text_pace_begin(&w, &in, buf, sizeof(buf)),
			    "worker web (tool) reclaimed ahead of: takes 3.2 MB/s, uses 41.0 MB of 42.5 MB up to "
			    "memory.high");
	assert_string_equal(mw_text_pace_held(&w, &d, buf, sizeof(buf)),
			    "worker web (tool) not reclaimed ahead of for 4 s: half of what was freed is wanted back");
	assert_string_equal(mw_text_pace_over(&w, buf, sizeof(buf)),
			    "worker web (tool) no longer reclaimed ahead of: 12 batches freed 34.1 MB so far, 210 ms "
			    "of the guard's time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
