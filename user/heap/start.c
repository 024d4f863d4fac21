/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Environment, region, fork. MEMWEIR_HEAP_SAMPLE=BYTES is the mean distance of samples (0: off),
 * MEMWEIR_HEAP_SEED=NUMBER makes a program of one thread choose the same ones each time. What fails leaves the sampler
 * off, without a word: there is no region then, and that is what a reader finds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "heap/chance.h"
#include "heap/impl.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3 */
#endif

struct mw_heap_head *mw_heap_head;
__u64 mw_heap_seed;
enum mw_heap_state mw_heap_state;

static __u32 *not_forked; /* a page that a child finds empty */

/* Digits alone; false: there is no such variable, or something else in it. */
static bool number(const char *name, __u64 *ret_value)
{
	const char *text = getenv(name);
	__u64 value = 0;

	if (!text || !*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > MW_HEAP_MEAN_MAX)
			return false;
		value = value * 10 + (__u64)(*text - '0');
	}
	*ret_value = value;
	return true;
}

/* By system calls: mmap is a name of ours. */
static void *map(void *at, size_t size, int flags, int fd)
{
	long p = syscall(SYS_mmap, at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags, fd, 0);

	return (void *)p; /* NOLINT(performance-no-int-to-ptr): system calls return numbers */
}

/*
 * The first page is a copy of a memfd's, for its name in /proc/PID/maps; all is private, and so a child's own after a
 * fork. Sealed, since a page of a file that was cut off would be a SIGBUS.
 */
static int name_page(void *at, size_t page)
{
	int fd = (int)syscall(SYS_memfd_create, MW_HEAP_MAPPING, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	int r = -1;

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_memfd_create, MW_HEAP_MAPPING, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)page) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 &&
	    map(at, page, MAP_FIXED, fd) != MAP_FAILED)
		r = 0;
	close(fd);
	return r;
}

static struct mw_heap_head *make_region(size_t page)
{
	size_t size = page + MW_HEAP_RECORDS_MAX * sizeof(struct mw_heap_record);
	char *at = map(NULL, size + page, MAP_ANONYMOUS | MAP_NORESERVE, -1);

	if (at == MAP_FAILED)
		return NULL;
	not_forked = (__u32 *)(void *)(at + size);
	madvise(at, size, MADV_NOHUGEPAGE); /* of two megabytes only what is used */
	if (name_page(at, page) < 0 || madvise(not_forked, page, MADV_WIPEONFORK) < 0) {
		syscall(SYS_munmap, at, size + page);
		return NULL;
	}
	*not_forked = 1;
	return (struct mw_heap_head *)(void *)at;
}

static __u64 now_ns(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * 1000000000ULL + (__u64)t.tv_nsec;
}

static void begin_seed(void)
{
	const void *random = (void *)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr): as numbers are */

	if (number("MEMWEIR_HEAP_SEED", &mw_heap_seed) || !random)
		return;
	memcpy(&mw_heap_seed, random, sizeof(mw_heap_seed));
	mw_heap_seed = mw_heap_random(&mw_heap_seed); /* libc makes its canary of the same bytes */
}

/* Before other constructors, most of which allocate. */
static void __attribute__((constructor(101))) start(void)
{
	__u64 mean = MW_HEAP_MEAN_DEFAULT;
	size_t page = getauxval(AT_PAGESZ);
	struct mw_heap_head *h = NULL;
	int saved = errno;

	if ((!getenv("MEMWEIR_HEAP_SAMPLE") || number("MEMWEIR_HEAP_SAMPLE", &mean)) && mean >= MW_HEAP_MEAN_MIN &&
	    mean <= MW_HEAP_MEAN_MAX)
		h = make_region(page);
	if (h) {
		h->version = MW_HEAP_VERSION;
		h->head_size = sizeof(*h);
		h->record_size = sizeof(struct mw_heap_record);
		h->n_records = MW_HEAP_RECORDS_MAX;
		h->records_at = page;
		h->mean_bytes = mean;
		h->began_ns = now_ns();
		h->pid = (__u32)getpid();
		__atomic_store_n(&h->magic, MW_HEAP_MAGIC, __ATOMIC_RELEASE);
		begin_seed();
		mw_heap_stack_prepare();
	}
	mw_heap_head = h;
	if (!h)
		mw_heap_state = MW_HEAP_OFF;
	else
		mw_heap_state = mw_heap_hook() ? MW_HEAP_BEHIND : MW_HEAP_ON;
	errno = saved;
}

void mw_heap_look_for_fork(void)
{
	if (MW_HEAP_LIKELY(__atomic_load_n(not_forked, __ATOMIC_RELAXED)) ||
	    __atomic_exchange_n(not_forked, 1, __ATOMIC_ACQ_REL))
		return;
	mw_heap_head->began_ns = now_ns();
	mw_heap_head->n_forks++;
	mw_heap_head->pid = (__u32)getpid();
}
