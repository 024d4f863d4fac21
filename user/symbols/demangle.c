/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "symbols/demangle.h"

#include <libiberty/demangle.h>
#include <stdio.h>
#include <string.h>
#undef ARRAY_SIZE /* libiberty has one too */

#include "util/cleanup.h"

#define MANGLED_MAX 16384 /* longer ones take long, and no one reads them */

bool mw_demangle(const char *name, char *buf, size_t size)
{
	_cleanup_free_ char *said = NULL;
	char *clone;

	/* Rust's older names are valid names of C++ too, with the hash as a last part. */
	if (name[0] == '_' && strnlen(name, MANGLED_MAX) < MANGLED_MAX) {
		said = rust_demangle(name, 0);
		if (!said)
			said = cplus_demangle_v3(name, DMGL_PARAMS | DMGL_ANSI);
	}
	/* Copies and parts of a function that the compiler made are that function. */
	clone = said ? strstr(said, " [clone ") : NULL;
	if (clone)
		*clone = '\0';
	snprintf(buf, size, "%s", said ? said : name);
	return said;
}
