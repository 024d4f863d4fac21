/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * libmemweir: what a worker uses to live inside its memory limit. libmemweir(3)
 * explains it; each header below stands alone too.
 *
 *	cc worker.c $(pkg-config --cflags --libs libmemweir)
 */
#ifndef MEMWEIR_H
#define MEMWEIR_H

#include <memweir/lib.h>
#include <memweir/batch.h>
#include <memweir/byte_pool.h>
#include <memweir/guard.h>
#include <memweir/json.h>
#include <memweir/limiter.h>
#include <memweir/plan.h>
#include <memweir/pool.h>
#include <memweir/session.h>
#include <memweir/spec.h>
#include <memweir/writer.h>

#endif
