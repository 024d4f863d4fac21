/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How fast is this machine? The same mixed work here and in an emulated one: nanoseconds for it, the least of nine. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/clock.h"

static int by_size(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

int main(void)
{
	int fd = open("/proc/self/statm", O_RDONLY);
	__u64 took[9], hash = 1;
	char text[128];

	for (int n = 0; n < 9; n++) {
		__u64 began = mw_now_ns();

		for (int i = 0; i < 2000; i++) {
			ssize_t got = pread(fd, text, sizeof(text), 0);

			for (int j = 0; j < 20 * got; j++)
				hash = hash * 31 + (unsigned char)text[j % got];
		}
		took[n] = mw_now_ns() - began;
	}
	qsort(took, 9, sizeof(took[0]), by_size);
	printf("%llu\n", took[0] + hash % 2);
	return 0;
}
