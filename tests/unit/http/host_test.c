// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Whose requests are heard: tables of headers as browsers, programs and strangers send them. */
#include "../unit.h"

#include "http/host.h"
#include "util/cleanup.h"

static void knows_this_machine(void **state)
{
	static const char *const ours[] = {
		"localhost", "LOCALHOST:9757", "127.0.0.1", "127.0.0.1:9757", "127.255.255.255:65535",
		"[::1]",     "[::1]:1",
	};
	static const char *const others[] = {
		"",
		":",
		":9757",
		"localhost:",
		"localhost:0",
		"localhost:65536",
		"localhost:99999999999999999999",
		"localhost:-1",
		"localhost:97 57",
		"localhost:9757.evil.com",
		"localhost.",
		"localhost.evil.com",
		"localhost@evil.com",
		"evil.com",
		"evil.com:9757",
		"xlocalhost",
		"127.0.0.1.evil.com",
		"127.0.0.1.nip.io:9757",
		"127.0.0",
		"127.0.0.256",
		"127.0.0.0001",
		"127.0.0.1:9757:1",
		"127.1",
		"128.0.0.1",
		"10.127.0.1",
		"2130706433",
		"0x7f.0.0.1",
		"0177.0.0.1",
		"0.0.0.0",
		"[::]",
		"[::1",
		"::1",
		"[::1]x",
		"[::1]:x",
		"[::ffff:127.0.0.1]",
		"[0:0:0:0:0:0:0:1]",
		" localhost",
		"localhost ",
		"localhost\t:1",
		"user@localhost",
		"localhost/",
		"\xff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (!mw_host_is_loopback(ours[i]))
			fail_msg("%s is ours", ours[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (mw_host_is_loopback(others[i]))
			fail_msg("%s is not ours", others[i]);
}

static void assert_verdict(const struct mw_origin *o, unsigned expected, size_t row)
{
	const char *why = NULL;
	unsigned status = mw_origin_check(o, &why);

	if (status != expected)
		fail_msg("row %zu: %u instead of %u (%s)", row, status, expected, why ? why : "");
	assert_int_equal(!status, !why);
	if (why)
		assert_true(strlen(why) < 200 && !strpbrk(why, "\"\\\n"));
}

/* The same headers over the unix socket and over TCP. */
static void hears_whom_it_should(void **state)
{
	static const struct {
		unsigned local, tcp;
		struct mw_origin o;
	} rows[] = {
		/* programs */
		{0, 0, {"GET", "localhost"}},
		{0, 0, {"HEAD", "127.0.0.1:9757"}},
		{0, 403, {"POST", "localhost"}},
		{0, 403, {"DELETE", "localhost", .user_agent = "curl/7.88.1"}},
		{0, 403, {"get", "localhost"}},
		{0, 403, {"OPTIONS", "localhost"}},
		{0, 421, {"GET", "h"}},
		{0, 421, {"POST", "memweir:1"}},
		{0, 421, {"GET", NULL}},
		{0, 421, {"POST", ""}},
		/* a name that was made to lead here */
		{421, 421, {"GET", "evil.com:9757", .user_agent = "Mozilla/5.0"}},
		{421, 421, {"GET", "evil.com", .fetch_site = "same-origin", .fetch_mode = "cors"}},
		{421, 421, {"POST", "evil.com:9757", .origin = "http://evil.com:9757"}},
		{421, 421, {"GET", "192.168.1.2:9757"}},
		{421, 421, {"GET", "a b"}},
		/* the address bar, our own page, a link */
		{0,
		 0,
		 {"GET", "localhost:9758", .user_agent = "Mozilla/5.0", .fetch_site = "none",
		  .fetch_mode = "navigate"}},
		{0,
		 0,
		 {"GET", "localhost:9758", .fetch_site = "same-origin", .fetch_mode = "cors", .fetch_dest = "empty"}},
		{0, 0, {"GET", "localhost:9758", .origin = "http://localhost:9758", .fetch_site = "same-origin"}},
		{0, 0, {"GET", "localhost:9758", .origin = "HTTP://LOCALHOST:9758"}},
		{0,
		 0,
		 {"GET", "localhost:9758", .referer = "http://wiki.example/", .fetch_site = "cross-site",
		  .fetch_mode = "navigate", .fetch_dest = "document"}},
		/* other pages: fetch, image, frame, script, another port of this machine */
		{403, 403, {"GET", "localhost:9758", .origin = "https://evil.com"}},
		{403, 403, {"GET", "localhost:9758", .origin = "null"}},
		{403, 403, {"GET", "localhost:9758", .origin = "https://localhost:9758"}},
		{403, 403, {"GET", "localhost:9758", .origin = "http://localhost:3000"}},
		{403, 403, {"GET", "localhost:9758", .origin = "http://localhost:97580"}},
		{403, 403, {"GET", "localhost:9758", .origin = "http://127.0.0.1:9758"}},
		{403, 403, {"GET", "localhost:9758", .origin = ""}},
		{403,
		 403,
		 {"GET", "localhost:9758", .fetch_site = "cross-site", .fetch_mode = "no-cors", .fetch_dest = "image"}},
		{403,
		 403,
		 {"GET", "localhost:9758", .fetch_site = "cross-site", .fetch_mode = "navigate",
		  .fetch_dest = "iframe"}},
		{403, 403, {"GET", "localhost:9758", .fetch_site = "cross-site"}},
		{403,
		 403,
		 {"HEAD", "localhost:9758", .fetch_site = "same-site", .fetch_mode = "cors", .fetch_dest = "empty"}},
		{403, 403, {"GET", "localhost:9758", .fetch_site = "bogus"}},
		{403, 421, {"GET", NULL, .origin = "http://"}},
		/* a browser never acts, from whatever page, and whatever it leaves out */
		{403, 403, {"POST", "localhost:9758", .origin = "http://localhost:9758", .fetch_site = "same-origin"}},
		{403, 403, {"POST", "localhost:9758", .origin = "null"}},
		{403, 403, {"POST", "localhost:9758", .fetch_site = "none"}},
		{403, 403, {"DELETE", "localhost:9758", .fetch_mode = "cors"}},
		{403, 403, {"PATCH", "localhost:9758", .fetch_dest = "empty"}},
		{403, 403, {"POST", "localhost:9758", .referer = "https://evil.com/"}},
		{403, 403, {"POST", "localhost:9758", .referer = ""}},
		{403, 403, {"POST", "localhost:9758", .user_agent = "Mozilla/5.0 (X11; Linux x86_64) Firefox/50"}},
		{403, 403, {"OPTIONS", "localhost:9758", .origin = "https://evil.com", .fetch_mode = "cors"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mw_origin o = rows[i].o;

		assert_verdict(&o, rows[i].local, i);
		o.tcp = true;
		assert_verdict(&o, rows[i].tcp, i);
	}
}

/* Anything a header can hold: what is let through is only ever what was meant to be. */
static void random_headers(void **state)
{
	static const char letters[] = "localhost127.0:[]/htpevi@-9 \t\xff%";
	char text[3][32];
	const char *why;

	(void)state;
	srand(7);
	for (int i = 0; i < 200000; i++) {
		for (size_t t = 0; t < ARRAY_SIZE(text); t++) {
			size_t n = (size_t)rand() % (sizeof(text[t]) - 1);

			for (size_t c = 0; c < n; c++)
				text[t][c] = letters[(size_t)rand() % (sizeof(letters) - 1)];
			text[t][n] = '\0';
		}
		struct mw_origin o = {"GET", text[0], .tcp = true};

		if (!mw_origin_check(&o, &why))
			assert_true(mw_host_is_loopback(text[0]));
		o = (struct mw_origin){"GET", text[0], .origin = rand() % 2 ? text[1] : NULL, .fetch_site = text[2]};
		if (!mw_origin_check(&o, &why) && o.origin)
			assert_string_equal(text[1] + 7, text[0]);
		if (!mw_origin_check(&o, &why))
			assert_true(!strchr(text[0], '.') || !strncmp(text[0], "127.", 4));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_this_machine),
		cmocka_unit_test(hears_whom_it_should),
		cmocka_unit_test(random_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
