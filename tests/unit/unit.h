/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What every cmocka test of ours includes, in the order cmocka wants it. */
#ifndef MW_TESTS_UNIT_H
#define MW_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#endif
