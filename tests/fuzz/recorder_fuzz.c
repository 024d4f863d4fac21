/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes in the recorder's file: set aside with a sentence, or taken up, and then what is in it is read and gone on
 * with. The input is a list of patches to a good file: offset (3 bytes), length, bytes. Built as config_fuzz.c is.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/recorder_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define TRACKS 3
#define NOW    (5000 * MW_NS_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int dir_fd = -1;

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static struct mw_recorder *opened(struct mw_error *note)
{
	struct mw_recorder *rec = NULL;

	must(mw_recorder_open(dir_fd, "boot", TRACKS, NOW, &rec, note) == 0, "it is opened, whatever is there");
	return rec;
}

static void use(struct mw_recorder *rec, struct mw_track *t)
{
	struct mw_usage u = {.time_ns = NOW + MW_NS_PER_S, .current = 1 << 20, .max = MW_UNLIMITED};
	struct mw_look looks[MW_TRACK_POINTS];
	struct mw_mark marks[16];
	__u64 at, bytes;
	size_t n;

	must(mw_track_read(t, looks) <= MW_TRACK_POINTS, "no more points than there are");
	for (__u32 i = 0; mw_track_usage(t, i, &at, &bytes); i++)
		must(i < MW_TRACK_POINTS, "an end");
	n = mw_recorder_marks(rec, t->cgroup_id, 0, marks, ARRAY_SIZE(marks));
	for (size_t i = 0; i < n; i++)
		must(strlen(marks[i].type) < MW_MARK_TYPE && strlen(marks[i].text) < MW_MARK_TEXT, "texts that end");
	mw_track_paused(t, 1000000);
	mw_recorder_pause(rec, t, 1000000, NOW + 1, "a pause");
	mw_recorder_mark(rec, t->cgroup_id, "level", 1, NOW + 2, "a mark");
	mw_track_note(t, &u);
	n = mw_track_read(t, looks);
	must(n && looks[n - 1].usage == 1 << 20, "and on it goes");
}

static void make_good(void)
{
	struct mw_error note;
	struct mw_recorder *rec;

	mw_recorder_remove(dir_fd);
	rec = opened(&note);
	must(!note.text[0], "a new one is good");
	for (__u64 id = 1; id < TRACKS; id++) {
		struct mw_track *t = mw_recorder_begin(rec, id, "worker");
		struct mw_usage u = {.max = 1 << 30, .high = MW_UNLIMITED};

		for (__u64 i = 0; i < 10; i++) {
			u.time_ns = NOW - (10 - i) * MW_NS_PER_S;
			u.current = i << 20;
			mw_track_note(t, &u);
			mw_recorder_pause(rec, t, i, u.time_ns, "pause");
		}
		mw_recorder_mark(rec, id, "lifted", 0, NOW - 5, "text");
	}
	mw_recorder_close(rec);
}

static void patch(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = openat(dir_fd, MW_RECORDER_FILE, O_RDWR | O_CLOEXEC);
	/* what matters is at the beginning of the head, the rings and the tracks */
	static const __u32 begins[] = {0, MW_RECORDER_HEAD, MW_RECORDER_HEAD + MW_RING_ACTS_SIZE * 256,
				       MW_RECORDER_HEAD + (MW_RING_ACTS_SIZE + MW_RING_PAUSES_SIZE) * 256};

	must(fd >= 0, "it is there");
	while (size > 4) {
		off_t at = begins[data[0] % 4] + (off_t)(((unsigned)data[1] << 8 | data[2]) % 8192);
		size_t n = data[3] < size - 4 ? data[3] : size - 4;

		if (data[3] == 255)
			must(ftruncate(fd, at) == 0, "cut");
		else
			must(pwrite(fd, data + 4, n, at) == (ssize_t)n, "patched");
		data += 4 + n;
		size -= 4 + n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_error note, again;
	struct mw_recorder *rec;
	__u32 n = 0;

	if (dir_fd < 0) {
		char dir[] = "/dev/shm/mw-recorder-fuzz-XXXXXX"; /* as in life: a tmpfs */

		must(mkdtemp(dir), "a directory");
		dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	make_good();
	patch(data, size);
	rec = opened(&note);
	while (rec->n_left) {
		__u64 id = rec->left[0].cgroup_id;
		struct mw_track *t;

		must(mw_recorder_left(rec, id), "who is left is found");
		t = mw_recorder_begin(rec, id, "worker");
		must(t && t->cgroup_id == id, "and taken");
		use(rec, t);
		n++;
	}
	while (rec->n_given < TRACKS && mw_recorder_begin(rec, 1000 + n, "new"))
		n++;
	mw_recorder_close(rec);
	rec = opened(&again);
	must(!again.text[0], "what was gone on with is good");
	mw_recorder_close(rec);
	return 0;
}

#ifdef MW_FUZZ_MAIN

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000;
	uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 1;
	char dir[] = "/dev/shm/mw-recorder-fuzz-XXXXXX"; /* as in life: a tmpfs */
	uint8_t buf[256];

	must(mkdtemp(dir), "a directory");
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned long i = 0; i < rounds; i++) {
		size_t size = 0;

		for (uint64_t k = 0; k < 1 + i % 4; k++)
			for (size_t at = 0; at < 32; at++) {
				state ^= state << 13, state ^= state >> 7, state ^= state << 17;
				buf[size++] = at == 1	? (uint8_t)(state % 3)
					      : at == 3 ? (uint8_t)(state % 29)
							: (uint8_t)state;
			}
		LLVMFuzzerTestOneInput(buf, size);
	}
	mw_recorder_remove(dir_fd);
	rmdir(dir);
	printf("%lu inputs\n", rounds);
	return 0;
}

#endif
