/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir thaw */
#include "cli/act.h"

MW_ACT_VERB(thaw, "let a frozen worker go on");
