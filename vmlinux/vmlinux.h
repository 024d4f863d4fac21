/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's types for the architecture compiled for; see scripts/gen-vmlinux. */
#if defined(__TARGET_ARCH_x86)
#include "x86/vmlinux.h"
#elif defined(__TARGET_ARCH_arm64)
#include "arm64/vmlinux.h"
#else
#error "memweir: no kernel types for this architecture; run scripts/gen-vmlinux and add it here"
#endif
