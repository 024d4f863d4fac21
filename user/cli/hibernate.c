/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir hibernate */
#include "cli/act.h"

MW_ACT_VERB(hibernate, "reclaim an idle worker down to what it needs; it goes on running");
