/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Only page faults: the worst that charging can cost. touch BYTES ROUNDS */
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (argc != 3 || area == MAP_FAILED)
		return 2;
	madvise(area, bytes, MADV_NOHUGEPAGE);
	for (long round = strtol(argv[2], NULL, 10); round > 0; round--) {
		for (size_t i = 0; i < bytes; i += 4096)
			area[i] = 1;
		madvise(area, bytes, MADV_DONTNEED);
	}
	return 0;
}
