/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where the daemon program is. */
#ifndef MW_LIBEXEC_H
#define MW_LIBEXEC_H

#include <stddef.h>

#define MW_DAEMON_PROGRAM "memweir-daemon"

/* Beside the running program (a build tree), else where it was installed. Returns buf. */
const char *mw_libexec_daemon(char *buf, size_t size);

#endif
