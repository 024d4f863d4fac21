// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "../unit.h"

#include <arpa/inet.h>

#include "util/address.h"
#include "util/cleanup.h"

static void takes_loopback(void **state)
{
	struct mw_address a;

	(void)state;
	assert_int_equal(mw_address_parse("127.0.0.1:9757", &a), 0);
	assert_int_equal(a.any.sa_family, AF_INET);
	assert_int_equal(a.size, sizeof(struct sockaddr_in));
	assert_int_equal(ntohs(a.v4.sin_port), 9757);
	assert_int_equal(ntohl(a.v4.sin_addr.s_addr), INADDR_LOOPBACK);
	assert_int_equal(mw_address_parse("127.9.8.7:1", &a), 0);
	assert_int_equal(mw_address_parse("[::1]:65535", &a), 0);
	assert_int_equal(a.any.sa_family, AF_INET6);
	assert_int_equal(a.size, sizeof(struct sockaddr_in6));
	assert_int_equal(ntohs(a.v6.sin6_port), 65535);
	assert_true(IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr));
}

/* What others could reach, what is not whole, and what means the same in another form: nothing is guessed. */
static void refuses_the_rest(void **state)
{
	static const char *const wrong[] = {
		"",
		"none",
		":",
		":9757",
		"9757",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:0",
		"127.0.0.1:65536",
		"127.0.0.1:097",
		"127.0.0.1:+1",
		"127.0.0.1: 1",
		"127.0.0.1:1 ",
		"127.0.0.1:99999999999999999999",
		"127.0.0.1:9757:9757",
		"127.1:9757",
		"127.0.0.256:1",
		"128.0.0.1:9757",
		"0.0.0.0:9757",
		"192.168.1.1:9757",
		"255.255.255.255:1",
		"localhost:9757",
		"*:9757",
		"::1:9757",
		"[::1]",
		"[::1]9757",
		"[::1]:0",
		"[::]:9757",
		"[::ffff:127.0.0.1]:9757",
		"[fe80::1]:9757",
		"/run/memweir.sock",
		"127.0.0.1.evil.example.com.:9757",
	};
	struct mw_address a = {.size = 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (mw_address_parse(wrong[i], &a) != -EINVAL || a.size != 7)
			fail_msg("%s was taken", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_loopback),
		cmocka_unit_test(refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
