/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Cleanup by attribute: a function that uses these has no goto and can be checked by reading it alone. */
#ifndef MW_CLEANUP_H
#define MW_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Close *fd if it is one, set it to -1, keep errno. */
static inline void mw_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static inline void mw_freep(void *p)
{
	free(*(void **)p);
	*(void **)p = NULL;
}

static inline void mw_fclosep(FILE **f)
{
	int saved = errno;

	if (*f)
		fclose(*f);
	*f = NULL;
	errno = saved;
}

static inline void mw_closedirp(DIR **d)
{
	int saved = errno;

	if (*d)
		closedir(*d);
	*d = NULL;
	errno = saved;
}

#define _cleanup_(f)	   __attribute__((cleanup(f)))
#define _cleanup_close_	   _cleanup_(mw_close)
#define _cleanup_free_	   _cleanup_(mw_freep)
#define _cleanup_fclose_   _cleanup_(mw_fclosep)
#define _cleanup_closedir_ _cleanup_(mw_closedirp)

/* Hand a resource to the caller: the variable forgets it. */
#define TAKE_PTR(p)                                                                                                    \
	({                                                                                                             \
		typeof(p) *_pp = &(p);                                                                                 \
		typeof(p) _v = *_pp;                                                                                   \
		*_pp = NULL;                                                                                           \
		_v;                                                                                                    \
	})
#define TAKE_FD(fd)                                                                                                    \
	({                                                                                                             \
		int *_fp = &(fd);                                                                                      \
		int _v = *_fp;                                                                                         \
		*_fp = -1;                                                                                             \
		_v;                                                                                                    \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
