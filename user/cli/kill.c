/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir kill */
#include "cli/act.h"

MW_ACT_VERB(kill, "end a worker and all its processes");
