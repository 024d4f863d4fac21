/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The recorder's file: made, or taken up from an earlier daemon, or set aside where it is none of ours. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/recorder_impl.h"
#include "util/cleanup.h"

static const __u32 ring_sizes[MW_RING_MAX] = {MW_RING_ACTS_SIZE, MW_RING_PAUSES_SIZE};

static __u64 rings_bytes(void)
{
	return (MW_RING_ACTS_SIZE + MW_RING_PAUSES_SIZE) * sizeof(struct mw_mark);
}

__u64 mw_recorder_size(__u32 tracks)
{
	return MW_RECORDER_HEAD + rings_bytes() + (__u64)tracks * sizeof(struct mw_track);
}

const char *mw_recorder_head_wrong(const struct mw_recorder_head *h, __u64 file_size, const char *boot_id)
{
	if (file_size < sizeof(*h) || memcmp(h->magic, MW_RECORDER_MAGIC, sizeof(h->magic)) != 0)
		return "it is no recording of memweir";
	if (h->version != MW_RECORDER_VERSION)
		return "it is of another version of memweir";
	if (h->head_size != MW_RECORDER_HEAD || h->track_size != sizeof(struct mw_track) ||
	    h->mark_size != sizeof(struct mw_mark) || memcmp(h->ring_size, ring_sizes, sizeof(ring_sizes)) != 0)
		return "its layout is not the one of its version";
	if (!memchr(h->boot_id, 0, sizeof(h->boot_id)) || strcmp(h->boot_id, boot_id) != 0)
		return "it is of another boot";
	if (!h->tracks || h->tracks > MW_RECORDER_TRACKS || file_size < mw_recorder_size(h->tracks))
		return "it is shorter than it says";
	return "";
}

int mw_recorder_give(const struct mw_recorder *rec, const void *at, size_t size)
{
	off_t offset = (const char *)at - (const char *)rec->head;

	return rec->fd < 0 ? 0 : -posix_fallocate(rec->fd, offset, (off_t)size);
}

static void begin_head(struct mw_recorder_head *h, const char *boot_id, __u32 tracks)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): map() was not refused */
	*h = (struct mw_recorder_head){
		.version = MW_RECORDER_VERSION,
		.head_size = MW_RECORDER_HEAD,
		.track_size = sizeof(struct mw_track),
		.mark_size = sizeof(struct mw_mark),
		.tracks = tracks,
	};
	memcpy(h->ring_size, ring_sizes, sizeof(h->ring_size));
	snprintf(h->boot_id, sizeof(h->boot_id), "%s", boot_id);
	memcpy(h->magic, MW_RECORDER_MAGIC, sizeof(h->magic));
}

static int map(struct mw_recorder *rec, __u32 tracks)
{
	int flags = rec->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *at;

	rec->mapped = mw_recorder_size(tracks);
	at = mmap(NULL, rec->mapped, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, rec->fd, 0);
	if (at == MAP_FAILED || !at)
		return -errno;
	rec->head = at;
	rec->rings[MW_RING_ACTS] = (struct mw_mark *)((char *)at + MW_RECORDER_HEAD);
	rec->rings[MW_RING_PAUSES] = rec->rings[MW_RING_ACTS] + MW_RING_ACTS_SIZE;
	rec->tracks = (struct mw_track *)((char *)at + MW_RECORDER_HEAD + rings_bytes());
	return 0;
}

static int tables(struct mw_recorder *rec, __u32 tracks)
{
	rec->used = calloc(tracks, 1);
	rec->given = calloc(tracks, 1);
	return rec->used && rec->given ? 0 : -ENOMEM;
}

/* An empty file in place of whatever is there. */
static int make(struct mw_recorder *rec, int dir_fd, const char *boot_id, __u32 tracks)
{
	int r;

	mw_close(&rec->fd);
	unlinkat(dir_fd, MW_RECORDER_FILE, 0);
	rec->fd = openat(dir_fd, MW_RECORDER_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (rec->fd < 0)
		return -errno;
	if (ftruncate(rec->fd, (off_t)mw_recorder_size(tracks)) < 0)
		return -errno;
	r = map(rec, tracks);
	if (r == 0)
		r = mw_recorder_give(rec, rec->head, MW_RECORDER_HEAD);
	if (r == 0)
		begin_head(rec->head, boot_id, tracks);
	return r;
}

static int by_id(const void *a, const void *b)
{
	const struct mw_left *x = a, *y = b;

	return x->cgroup_id < y->cgroup_id ? -1 : x->cgroup_id > y->cgroup_id;
}

/* Read, not looked at through the map: that would give memory to each hole. */
static int take_tracks(struct mw_recorder *rec, __u64 now_ns)
{
	__u64 offset = (__u64)((char *)rec->tracks - (char *)rec->head);
	struct mw_track t;
	__u32 kept = 0;

	rec->left = calloc(rec->head->tracks, sizeof(*rec->left));
	if (!rec->left)
		return -ENOMEM;
	for (__u32 i = 0; i < rec->head->tracks; i++, offset += sizeof(t)) {
		if (pread(rec->fd, &t, sizeof(t), (off_t)offset) != sizeof(t) || !mw_track_valid(&t, now_ns) ||
		    mw_recorder_give(rec, &rec->tracks[i], sizeof(t)) < 0)
			continue;
		rec->left[rec->n_left++] = (struct mw_left){t.cgroup_id, i};
		rec->given[i] = rec->used[i] = 1;
		rec->n_given++;
	}
	qsort(rec->left, rec->n_left, sizeof(*rec->left), by_id);
	for (__u32 i = 0; i < rec->n_left; i++) {
		if (kept && rec->left[kept - 1].cgroup_id == rec->left[i].cgroup_id)
			mw_recorder_end(rec, &rec->tracks[rec->left[i].at]);
		else
			rec->left[kept++] = rec->left[i];
	}
	rec->n_left = kept;
	return 0;
}

/* Texts end, and what has no memory is given it before it is looked at. */
static int take_marks(struct mw_recorder *rec)
{
	for (int ring = 0; ring < MW_RING_MAX; ring++) {
		__u32 size = rec->head->ring_size[ring];
		__u32 n = rec->head->ring_seq[ring] < size ? (__u32)rec->head->ring_seq[ring] : size;
		int r = n ? mw_recorder_give(rec, rec->rings[ring], n * sizeof(struct mw_mark)) : 0;

		if (r < 0)
			return r;
		rec->ring_given[ring] = (n + 15) / 16 * 16;
		for (__u32 i = 0; i < n; i++) {
			struct mw_mark *m = &rec->rings[ring][i];

			m->type[sizeof(m->type) - 1] = m->text[sizeof(m->text) - 1] = '\0';
			m->count += !m->count;
		}
	}
	return 0;
}

/* 0; 1: there is none; -EINVAL: why says what is wrong with it. */
static int take_up(struct mw_recorder *rec, int dir_fd, const char *boot_id, __u32 tracks, __u64 now_ns,
		   const char **ret_why)
{
	struct mw_recorder_head h = {0};
	struct stat st;
	int r;

	rec->fd = openat(dir_fd, MW_RECORDER_FILE, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (rec->fd < 0)
		return errno == ENOENT ? 1 : -EINVAL;
	if (fstat(rec->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    pread(rec->fd, &h, sizeof(h), 0) < 0)
		return -EINVAL;
	*ret_why = mw_recorder_head_wrong(&h, (__u64)st.st_size, boot_id);
	if (**ret_why)
		return -EINVAL;
	tracks = tracks > h.tracks ? tracks : h.tracks;
	if ((__u64)st.st_size < mw_recorder_size(tracks) && ftruncate(rec->fd, (off_t)mw_recorder_size(tracks)) < 0)
		return -errno;
	r = map(rec, tracks);
	if (r < 0)
		return r;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): map() was not refused */
	rec->head->tracks = tracks;
	rec->looked_before_ns = h.looked_ns <= now_ns ? h.looked_ns : 0;
	r = tables(rec, tracks);
	if (r == 0)
		r = take_marks(rec);
	return r < 0 ? r : take_tracks(rec, now_ns);
}

static void release(struct mw_recorder *rec)
{
	if (rec->head)
		munmap(rec->head, rec->mapped);
	mw_close(&rec->fd);
	free(rec->used);
	free(rec->given);
	free(rec->left);
	*rec = (struct mw_recorder){.fd = -1};
}

void mw_recorder_close(struct mw_recorder *rec)
{
	if (!rec)
		return;
	release(rec);
	free(rec);
}

void mw_recorder_remove(int dir_fd)
{
	unlinkat(dir_fd, MW_RECORDER_FILE, 0);
	unlinkat(dir_fd, MW_RECORDER_ASIDE, 0);
}

int mw_recorder_open(int dir_fd, const char *boot_id, __u32 max_workers, __u64 now_ns, struct mw_recorder **ret_rec,
		     struct mw_error *note)
{
	struct mw_recorder *rec = calloc(1, sizeof(*rec));
	const char *why = "it cannot be opened";
	int r;

	if (!rec)
		return -ENOMEM;
	rec->fd = -1;
	note->text[0] = '\0';
	r = take_up(rec, dir_fd, boot_id, max_workers, now_ns, &why);
	if (r != 0) {
		release(rec);
		if (r < 0)
			mw_fail(note, r, "the recording of the daemon before (" MW_RECORDER_FILE ") is set aside: %s",
				r == -EINVAL ? why : strerror(-r));
		if (r < 0)
			renameat(dir_fd, MW_RECORDER_FILE, dir_fd, MW_RECORDER_ASIDE);
		r = make(rec, dir_fd, boot_id, max_workers);
		if (r < 0) {
			mw_fail(note, r,
				"the recording of the last 60 s will not outlive this daemon: " MW_RECORDER_FILE ": %s",
				strerror(-r));
			release(rec);
			unlinkat(dir_fd, MW_RECORDER_FILE, 0);
			r = map(rec, max_workers);
			if (r == 0)
				begin_head(rec->head, boot_id, max_workers);
		}
		if (r == 0)
			r = tables(rec, max_workers);
	}
	if (r < 0) {
		mw_recorder_close(rec);
		return r;
	}
	*ret_rec = rec;
	return 0;
}
