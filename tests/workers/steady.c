/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Innocent: holds a fixed amount and works in it; each line on stdin is answered with its length. steady [bytes] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 8 << 20, at = 0;
	char *p = malloc(bytes), line[4096];

	if (!p)
		return 9;
	memset(p, 1, bytes);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		for (size_t i = 0; i < 64; i++) {
			at = (at + 4096 * 7) % bytes;
			p[at]++;
		}
		printf("%zu\n", strlen(line));
	}
	return 0;
}
