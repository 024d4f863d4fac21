// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// What heap.c is, in C++: new and the containers of its library.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#define GUILTY __attribute__((noinline, section("guilty")))

extern "C" const char __start_guilty[], __stop_guilty[];

struct session {
	std::string name;
	std::unique_ptr<char[]> buffer;
	session *before;
};

static session *kept;
static size_t held;

static GUILTY void leak_session(size_t size)
{
	kept = new session{std::string(100, 'x'), std::unique_ptr<char[]>(new char[size]), kept};
	held += size + sizeof(session) + 101;
}

static void churn(unsigned *seed)
{
	std::vector<std::string> words;

	for (int i = 0; i < 50; i++)
		words.push_back(std::string(static_cast<size_t>(rand_r(seed)) % 1000, 'y'));
}

int main()
{
	unsigned seed = 1;

	do {
		for (size_t end = held + (16 << 20); held < end;) {
			churn(&seed);
			leak_session(700);
		}
		std::printf("ready %zu %p %p %d\n", held, static_cast<const void *>(__start_guilty),
			    static_cast<const void *>(__stop_guilty), static_cast<int>(getpid()));
		std::fflush(stdout);
	} while (std::getchar() != EOF);
}
