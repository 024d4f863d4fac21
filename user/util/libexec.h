/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where the programs are that nobody calls by hand. */
#ifndef MW_LIBEXEC_H
#define MW_LIBEXEC_H

#include <stddef.h>

#define MW_DAEMON_PROGRAM    "memweir-daemon"
#define MW_CONTAINER_PROGRAM "memweir-container"
#define MW_SYMBOLS_PROGRAM   "memweir-symbols"
#define MW_OTLP_PROGRAM	     "memweir-otlp"

/* Beside the running program (a build tree, libexec itself), else where it was installed. Returns buf. */
const char *mw_libexec(const char *program, char *buf, size_t size);

#endif
