// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
// What guilty.c is, in C++: sessions that are never closed, in a map, or held by each other. guilty_new KIND RATE SIZE
// CHURN
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <time.h>
#include <vector>

struct session {
	std::string name;
	std::vector<char> buffer;
	std::shared_ptr<session> peer;
};

class session_table
{
	std::map<std::string, std::unique_ptr<session>> sessions;
	unsigned long last = 0;

      public:
	__attribute__((noinline)) void forget_session(size_t size)
	{
		auto s = std::make_unique<session>();

		s->name = "session number " + std::to_string(++last);
		s->buffer.assign(size, 1);
		sessions.emplace(s->name, std::move(s));
	}
};

__attribute__((noinline)) static void forget_ring(size_t size)
{
	auto a = std::make_shared<session>(), b = std::make_shared<session>();

	a->buffer.assign(size / 2, 1);
	b->buffer.assign(size / 2, 1);
	a->peer = b;
	b->peer = a;
}

__attribute__((noinline)) static void serve(size_t size, int times)
{
	for (int i = 0; i < times; i++) {
		std::vector<std::string> words(8, std::string(size / 8 + 1, 'x'));

		words.push_back(words.front() + words.back());
	}
}

int main(int argc, char **argv)
{
	bool ring = argc > 1 && !strcmp(argv[1], "ring");
	double rate = argc > 2 ? atof(argv[2]) : 1e5, owed = 0;
	size_t size = argc > 3 ? strtoul(argv[3], nullptr, 10) : 1000;
	int churn = argc > 4 ? atoi(argv[4]) : 5;
	session_table table;

	for (;;) {
		struct timespec tick = {0, 50000000};

		for (owed += rate * 0.05; owed >= (double)size; owed -= (double)size) {
			serve(size, churn);
			if (ring)
				forget_ring(size);
			else
				table.forget_session(size);
		}
		nanosleep(&tick, nullptr);
	}
}
