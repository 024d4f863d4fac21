/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir freeze */
#include "cli/act.h"

MW_ACT_VERB(freeze, "stop a worker where it is, until thaw");
