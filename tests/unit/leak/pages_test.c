/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leak/pages.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PAGE	4096ULL
#define PRESENT (1ULL << 63)
#define SWAPPED (1ULL << 62)
#define S	MW_NS_PER_S
#define BASE	0x100000ULL
#define MANY	40

static char root[] = "/tmp/mw-objects.XXXXXX";

static void put(const char *file, __u64 word, off_t at)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &word, sizeof(word), at), sizeof(word));
	close(fd);
}

static void make_dir(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* Page i of a process stands in a frame, is swapped out, or is not there. */
static void place(int pid, __u64 at, __u64 entry)
{
	char file[32];

	snprintf(file, sizeof(file), "%d/pagemap", pid);
	put(file, entry, (off_t)(at / PAGE * 8));
}

static void idle(__u64 frame, bool stands)
{
	char path[128];
	__u64 word = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/kernel/mm/page_idle/bitmap", root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(pread(fd, &word, sizeof(word), (off_t)(frame / 64 * 8)) >= 0);
	close(fd);
	word = stands ? word | 1ULL << frame % 64 : word & ~(1ULL << frame % 64);
	put("kernel/mm/page_idle/bitmap", word, (off_t)(frame / 64 * 8));
}

/* A file keeps bits that a kernel's bitmap adds up, so that each frame of this tree has a word of its own. */
static __u64 frame_of(int i)
{
	return 1000 * 64 + (__u64)i * 64;
}

static int make_root(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	make_dir("7");
	make_dir("kernel");
	make_dir("kernel/mm");
	make_dir("kernel/mm/page_idle");
	put("kernel/mm/page_idle/bitmap", 0, (off_t)(frame_of(MANY) / 64 * 8));
	return 0;
}

static int remove_root(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command); /* NOLINT(cert-env33-c) */
}

/* n objects of a page each at one stack, allocated a second after each other, from second 100 on. */
static struct mw_heap heap(int n, pid_t pid)
{
	static struct mw_heap_record records[MANY];
	const struct mw_heap_head head = {.began_ns = 1};
	struct mw_heap h = {.want_objects = true};

	memset(records, 0, sizeof(records));
	for (int i = 0; i < n; i++)
		records[i] = (struct mw_heap_record){.seq = 2,
						     .address = BASE + (__u64)i * PAGE,
						     .size = PAGE,
						     .weight = 64 * PAGE,
						     .time_ns = (100 + (__u64)i) * S,
						     .n_frames = 1,
						     .frames = {77}};
	assert_int_equal(mw_heap_add(&h, pid, &head, records, records, (size_t)n), 0);
	assert_int_equal(h.n_objects, n);
	return h;
}

static void ages_and_what_is_kept(void **state)
{
	_cleanup_(mw_heap_free) struct mw_heap before = heap(10, 7), now = heap(20, 7);
	struct mw_life l;

	(void)state;
	before.taken_ns = 110 * S;
	l = mw_pages_life(&now, &before, &now.sites[0], 200 * S);
	assert_int_equal(l.site, mw_heap_site_id(&before.sites[0]));
	assert_int_equal(l.oldest_ns, 100 * S);
	assert_true(l.mean_age_ns > 90 * S && l.mean_age_ns < 91 * S);
	assert_int_equal(l.had_bytes, 640 * PAGE);
	assert_int_equal(l.kept_bytes, 640 * PAGE);
	/* Half of them are gone. */
	mw_heap_free(&now);
	now = heap(5, 7);
	l = mw_pages_life(&now, &before, &now.sites[0], 200 * S);
	assert_int_equal(l.kept_bytes, 320 * PAGE);
	l = mw_pages_life(&now, NULL, &now.sites[0], 200 * S);
	assert_int_equal(l.had_bytes, 0);
}

static void spread_over_all(void **state)
{
	struct mw_heap h = {.n_objects = 1000};
	struct mw_pages o = {0};

	(void)state;
	h.objects = calloc(h.n_objects, sizeof(*h.objects));
	assert_non_null(h.objects);
	for (size_t i = 0; i < h.n_objects; i++)
		h.objects[i] = (struct mw_heap_object){.site = i % 2, .address = i * 10 * PAGE + 24, .size = 5 * PAGE};
	mw_pages_choose(&h, 1, PAGE, &o);
	assert_int_equal(o.n, MW_PAGES_OF_SITE);
	assert_true(o.pages[0].address < 100 * PAGE && o.pages[o.n - 1].address > 9000 * PAGE);
	for (__u32 i = 0; i < o.n; i++) {
		assert_int_equal(o.pages[i].at % PAGE, 0);
		assert_true(o.pages[i].at >= o.pages[i].address); /* none that is shared with what lies before it */
		assert_true(o.pages[i].at + PAGE <= o.pages[i].address + 5 * PAGE);
	}
	for (int i = 0; i < 9; i++)
		mw_pages_choose(&h, 0, PAGE, &o);
	assert_int_equal(o.n, MW_PAGES_PAGES);
	free(h.objects);
}

/* 30 objects: pages 0-9 untouched, 10-14 touched, 15-19 swapped out, 20 moved, 21 freed and taken again, 22 gone. */
static void what_became_of_them(void **state)
{
	_cleanup_(mw_heap_free) struct mw_heap h = heap(30, 7);
	static struct mw_pages o;
	struct mw_life l = mw_pages_life(&h, NULL, &h.sites[0], 200 * S);

	(void)state;
	for (int i = 0; i < 23; i++)
		place(7, BASE + (__u64)i * PAGE, PRESENT | frame_of(i));
	place(7, BASE + 29 * PAGE, SWAPPED | 5);
	o = (struct mw_pages){0};
	mw_pages_choose(&h, l.site, PAGE, &o);
	assert_int_equal(o.n, 30);
	mw_pages_mark(root, root, PAGE, 200 * S, &o);
	assert_true(o.marked);
	assert_int_equal(o.n, 24); /* 23 to 28 were never touched */
	assert_false(mw_pages_look(root, root, PAGE, 205 * S, &o, &h, &l, 1));
	assert_int_equal(l.pages, 0);

	for (int i = 10; i < 15; i++)
		idle(frame_of(i), false);
	for (int i = 15; i < 20; i++)
		place(7, BASE + (__u64)i * PAGE, SWAPPED | 5);
	place(7, BASE + 20 * PAGE, PRESENT | frame_of(39));
	h.objects[21].time_ns++;
	place(7, BASE + 22 * PAGE, 0);
	place(7, BASE + 29 * PAGE, PRESENT | frame_of(29)); /* it was needed again */
	assert_true(mw_pages_look(root, root, PAGE, 260 * S, &o, &h, &l, 1));
	assert_true(l.touched_known);
	assert_int_equal(l.span_ns, 60 * S);
	assert_int_equal(l.pages, 10 + 5 + 5 + 1);
	assert_int_equal(l.untouched, 10 + 5);
	assert_int_equal(l.swapped, 5);
	/* While new marks are too young, the last word is said again. */
	o.since_ns = 260 * S;
	l = mw_pages_life(&h, NULL, &h.sites[0], 264 * S);
	assert_int_equal(l.pages, 0);
	assert_false(mw_pages_look(root, root, PAGE, 264 * S, &o, &h, &l, 1));
	assert_int_equal(l.pages, 21);
	assert_int_equal(l.untouched, 15);
}

/* This very process, and the real pagemap: what was touched is there, what was not is not; no claim without page_idle.
 */
static void a_real_process(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, MANY * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	_cleanup_(mw_heap_free) struct mw_heap h = heap(MANY, getpid());
	static struct mw_pages o;
	struct mw_life l;

	(void)state;
	assert_true(p != MAP_FAILED);
	madvise(p, MANY * page, MADV_NOHUGEPAGE);
	for (int i = 0; i < MANY; i++) {
		h.objects[i].address = (__u64)(uintptr_t)p + (__u64)i * page;
		h.objects[i].size = page;
		if (i < 30)
			p[(size_t)i * page] = 1;
	}
	l = mw_pages_life(&h, NULL, &h.sites[0], 200 * S);
	o = (struct mw_pages){0};
	mw_pages_choose(&h, l.site, page, &o);
	mw_pages_mark("/proc", "/sys", page, 200 * S, &o);
	assert_in_range(o.n, o.marked ? 0 : 30, 30);
	assert_true(mw_pages_look("/proc", "/sys", page, 230 * S, &o, &h, &l, 1));
	assert_int_equal(l.touched_known, o.marked && o.n);
	assert_in_range(l.pages, 0, 30);
	assert_int_equal(l.untouched >= l.swapped, 1);
	munmap(p, MANY * page);
}

static void marks_of_this_process(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, MANY * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	_cleanup_(mw_heap_free) struct mw_heap h = heap(MANY, getpid());
	static struct mw_pages o;
	struct mw_life l;

	assert_true(p != MAP_FAILED);
	madvise(p, MANY * page, MADV_NOHUGEPAGE);
	memset(p, 1, MANY * page);
	sleep(1); /* new pages wait in lists of each processor before they stand in one of reclaim */
	for (int i = 0; i < MANY; i++) {
		h.objects[i].address = (__u64)(uintptr_t)p + (__u64)i * page;
		h.objects[i].size = page;
	}
	l = mw_pages_life(&h, NULL, &h.sites[0], 200 * S);
	o = (struct mw_pages){0};
	mw_pages_choose(&h, l.site, page, &o);
	mw_pages_mark("/proc", "/sys", page, 200 * S, &o);
	assert_in_range(o.n, MANY / 2, MANY);
	for (__u32 i = 0; i < o.n / 2; i++)
		*(volatile char *)(p + (o.pages[i].at - (__u64)(uintptr_t)p)) = 2;
	assert_true(mw_pages_look("/proc", "/sys", page, 230 * S, &o, &h, &l, 1));
	assert_true(l.touched_known);
	assert_in_range(l.untouched, 1, o.n - o.n / 2);
	munmap(p, MANY * page);
}

/* Marks of the real page_idle: who is touched in between loses them. */
static void a_real_page_idle(void **state)
{
	(void)state;
	if (access("/sys/kernel/mm/page_idle/bitmap", R_OK | W_OK) < 0) {
		puts("skipped: no /sys/kernel/mm/page_idle/bitmap (CONFIG_IDLE_PAGE_TRACKING, root)");
		skip();
	}
	marks_of_this_process();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ages_and_what_is_kept), cmocka_unit_test(spread_over_all),
		cmocka_unit_test(what_became_of_them),	 cmocka_unit_test(a_real_process),
		cmocka_unit_test(a_real_page_idle),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
