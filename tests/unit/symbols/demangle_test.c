/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Names as compilers of C++ and Rust wrote them. */
#include "../unit.h"

#include "symbols/demangle.h"
#include "util/cleanup.h"

static void names(void **state)
{
	static const struct {
		const char *mangled, *said;
	} rows[] = {
		{"_ZN4weir5CacheIlE3putEl", "weir::Cache<long>::put(long)"},
		{"_ZN4weir12_GLOBAL__N_14anonEv", "weir::(anonymous namespace)::anon()"},
		{"_ZZ4mainENKUliE_clEi.constprop.0", "main::{lambda(int)#1}::operator()(int) const"},
		{"_ZN4weir5CacheIlE3putEl.isra.0.cold", "weir::Cache<long>::put(long)"},
		{"_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<int, std::allocator<int> >::push_back(int&&)"},
		{"_Znwm", "operator new(unsigned long)"},
		/* Rust, the older way: the hash goes, escapes are undone */
		{"_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place"},
		{"_ZN1r4weir13Pool$LT$T$GT$3put17hca6240212085af3eE", "r::weir::Pool<T>::put"},
		{"_ZN5tokio7runtime4task3raw4poll17h2c9b4a5f6d7e8091E", "tokio::runtime::task::raw::poll"},
		{"_ZN66_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..drop..Drop$GT$4drop17h0123456789abcdefE",
		 "<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop"},
		{"_ZN4weir4pool28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE", "weir::pool::{{closure}}"},
		/* Rust, v0 */
		{"_RNvCskwGfYPst2Cb_3foo16example_function", "foo::example_function"},
		{"_RNvMNtCs6GmmlP4bgsG_1r4weirINtB2_4PoolhE3putB4_", "<r::weir::Pool<u8>>::put"},
		{"_RINvNtC3std3mem8align_ofjE", "std::mem::align_of::<usize>"},
	};
	char buf[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!mw_demangle(rows[i].mangled, buf, sizeof(buf)) || strcmp(buf, rows[i].said) != 0)
			fail_msg("%s: \"%s\", expected \"%s\"", rows[i].mangled, buf, rows[i].said);
	}
}

static void other_names(void **state)
{
	static const char *const same[] = {"main",	"",    "_", "_Z", "_ZN", "_R", "__libc_start_main",
					   "go.(*T).f", "_Zzz"};
	char buf[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		assert_false(mw_demangle(same[i], buf, sizeof(buf)));
		assert_string_equal(buf, same[i]);
	}
}

/* Names that were made to take all time or stack there is. */
static void hostile(void **state)
{
	static char name[40000];
	char buf[64];

	(void)state;
	strcpy(name, "_Z1f");
	memset(name + 4, 'P', 10000);
	mw_demangle(name, buf, sizeof(buf));
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
	memset(name, 'x', sizeof(name) - 1);
	memcpy(name, "_ZN", 3);
	assert_false(mw_demangle(name, buf, sizeof(buf)));
	strcpy(name, "_Z1fI");
	for (int i = 0; i < 3000; i++)
		strcat(name, "1aI");
	mw_demangle(name, buf, sizeof(buf));
	strcpy(name, "_RNv");
	memset(name + 4, 'B', 4000);
	mw_demangle(name, buf, sizeof(buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(other_names),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
