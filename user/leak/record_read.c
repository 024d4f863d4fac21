/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Reading a recording that anybody may have written. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "leak/record_impl.h"
#include "util/cleanup.h"

/* Where a record is taken apart: the bytes of the file, and what became of it. */
struct place {
	const unsigned char *bytes;
	size_t size, at;
	bool ends; /* the bytes did */
	const char *wrong; /* a number that cannot be; what was expected */
};

static __u64 get_byte(struct place *p)
{
	if (p->at >= p->size) {
		p->ends = true;
		return 0;
	}
	return p->bytes[p->at++];
}

/* Seven bits a byte onto what is there from bit `from` on. */
static __u64 get_bits(struct place *p, __u64 value, unsigned from)
{
	__u64 byte;

	do {
		byte = get_byte(p);
		if (from > 63 || (byte & 0x7f) << from >> from != (byte & 0x7f)) {
			p->wrong = "a number of at most 64 bits";
			return 0;
		}
		value |= (byte & 0x7f) << from;
		from += 7;
	} while (byte & MW_RECORD_MORE);
	return value;
}

static __u64 get_number(struct place *p)
{
	return get_bits(p, 0, 0);
}

static __u64 get_difference(struct place *p, __u64 before)
{
	__u64 first = get_byte(p), by = first & 0x1f;

	if (first & MW_RECORD_MORE)
		by = get_bits(p, by, 5);
	if (first & MW_RECORD_PAGES) {
		if (by > ~0ULL / MW_RECORD_PAGE)
			p->wrong = "a difference of at most 64 bits";
		by *= MW_RECORD_PAGE;
	}
	return first & MW_RECORD_MINUS ? before - by : before + by;
}

/* Anything but control characters: it goes to a terminal cleaned, and into JSON as it is. */
static void get_text(struct place *p, char text[MW_NAME_SIZE])
{
	__u64 n = get_number(p);

	text[0] = '\0';
	if (n >= MW_NAME_SIZE) {
		p->wrong = "a name of at most 63 bytes";
		return;
	}
	for (__u64 i = 0; i < n; i++) {
		text[i] = (char)get_byte(p);
		if (!p->ends && (unsigned char)text[i] < ' ')
			p->wrong = "a name without control characters";
	}
	text[n] = '\0';
}

static int bad(const struct mw_record_reader *r, size_t at, struct mw_error *err, const char *expected)
{
	return mw_fail(err, -EBADMSG, "%s: at byte %zu: expected %s", r->name, at, expected);
}

static int open_head(struct mw_record_reader *r, struct mw_error *err)
{
	struct place p = {r->bytes, r->size, MW_RECORD_MAGIC_SIZE, false, NULL};
	__u64 version = get_byte(&p) | get_byte(&p) << 8, order = get_byte(&p) | get_byte(&p) << 8;
	__u64 monitor[MW_RECORD_MONITOR];
	struct mw_error why = {""};

	if (!p.ends && order != MW_RECORD_ORDER)
		return mw_fail(err, -EBADMSG, "%s: at byte 10: byte order %04llx, expected %04x%s", r->name, order,
			       MW_RECORD_ORDER, order == 0xfffe ? " (its bytes were swapped)" : "");
	if (!p.ends && version != MW_RECORD_VERSION)
		return mw_fail(err, -EBADMSG, "%s: at byte 8: version %llu, expected %d", r->name, version,
			       MW_RECORD_VERSION);
	if (get_number(&p) != MW_RECORD_FIELDS || get_number(&p) != MW_RECORD_PROFILE)
		p.wrong = "the numbers of fields of version 1";
	if (p.wrong && !p.ends)
		return bad(r, 12, err, p.wrong);
	r->head.wall_ns = get_number(&p);
	r->head.time_ns = r->time_ns = get_number(&p);
	for (size_t i = 0; i < MW_RECORD_MONITOR; i++)
		monitor[i] = get_number(&p);
	if (p.ends)
		return bad(r, r->size, err, "the rest of the header; the file ends");
	if (!p.wrong && mw_record_monitor_in(monitor, &r->head.monitor, &why) < 0)
		p.wrong = why.text;
	if (p.wrong)
		return bad(r, p.at, err, p.wrong);
	r->at = p.at;
	return 0;
}

int mw_record_open(const char *name, const void *bytes, size_t size, struct mw_record_reader *ret_reader,
		   struct mw_error *err)
{
	struct mw_record_reader r = {.name = name, .bytes = bytes, .size = size};
	int rc;

	if (size >= MW_RECORD_MAGIC_SIZE && memcmp(bytes, MW_RECORD_MAGIC, MW_RECORD_MAGIC_SIZE) == 0)
		rc = open_head(&r, err);
	else if (mw_record_is_csv(bytes, size))
		rc = mw_record_csv_open(&r, err);
	else
		rc = bad(&r, 0, err, "a recording of memweir record, or a CSV with the heading seconds,memory_bytes");
	if (rc < 0)
		return rc;
	*ret_reader = r;
	return 0;
}

static void get_sample(struct mw_record_reader *r, struct place *p, struct mw_record_item *item)
{
	__u64 changed = get_number(p);

	item->usage = r->last[item->worker];
	if (changed >> MW_RECORD_FIELDS)
		p->wrong = "fields that this version knows";
	for (size_t i = 0; i < MW_RECORD_FIELDS && !p->wrong; i++) {
		__u64 *field = mw_record_field(&item->usage, i);

		if (changed & 1ULL << i)
			*field = get_difference(p, *field);
		/* Sizes are added up: a sum must not come round. */
		if (*field >> 60 && *field != MW_UNLIMITED)
			p->wrong = "figures below 2^60";
		else if (*field == MW_UNLIMITED && (i < 8 || i >= MW_RECORD_PLAIN))
			p->wrong = "a figure, not \"max\"";
	}
	item->usage.time_ns = item->time_ns;
	mw_record_derive(&item->usage);
}

static void get_worker(struct place *p, struct mw_record_worker *about, struct mw_error *why)
{
	__u64 profile[MW_RECORD_PROFILE];

	get_text(p, about->name);
	get_text(p, about->class_name);
	for (size_t i = 0; i < MW_RECORD_PROFILE; i++)
		profile[i] = get_number(p);
	if (!p->ends && !p->wrong && mw_record_profile_in(profile, &about->profile, why) < 0)
		p->wrong = why->text;
	if (!p->ends && !p->wrong && !about->name[0])
		p->wrong = "a worker's name";
}

static void get_check(const struct mw_record_reader *r, struct place *p, struct mw_record_item *item)
{
	const struct mw_usage *before = &r->last[item->worker];
	__u64 said;

	item->used = get_difference(p, before->heap + before->bin);
	said = get_number(p);
	if (said >= MW_TREND_MAX || item->used >> 62)
		p->wrong = "a verdict that this version knows, of a figure below 2^62";
	item->said = (enum mw_trend_verdict)said;
}

static void get_rest(struct mw_record_reader *r, struct place *p, struct mw_record_item *item, struct mw_error *why)
{
	bool adds = item->kind == MW_RECORD_WORKER && item->worker == r->n_workers;

	if (item->kind <= MW_RECORD_NONE || item->kind >= MW_RECORD_MAX)
		p->wrong = "a kind of record that this version knows";
	else if (item->kind == MW_RECORD_CLOSE ? item->worker != 0 : item->worker >= r->n_workers && !adds)
		p->wrong = "a worker that was told of";
	else if (adds && item->worker >= MW_RECORD_WORKERS)
		p->wrong = "at most 65536 workers";
	else if (!item->time_ns || item->time_ns >> 62)
		p->wrong = "a time of this recording";
	else if (item->kind == MW_RECORD_WORKER)
		get_worker(p, &item->about, why);
	else if (item->kind == MW_RECORD_SAMPLE)
		get_sample(r, p, item);
	else if (item->kind == MW_RECORD_CHECK)
		get_check(r, p, item);
	else if (item->kind == MW_RECORD_CLOSE && get_number(p) != r->records && !p->ends)
		p->wrong = "the number of the records before";
}

/* What a crash leaves of a file that had grown and was not written yet. */
static bool all_zero(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static int take(struct mw_record_reader *r, const struct mw_record_item *item)
{
	if (item->kind == MW_RECORD_WORKER && item->worker == r->n_workers) {
		int rc = mw_record_room(&r->last, r->n_workers, &r->workers_room);

		if (rc < 0)
			return rc;
		r->n_workers++;
	}
	if (item->kind == MW_RECORD_SAMPLE)
		r->last[item->worker] = item->usage;
	r->closed = item->kind == MW_RECORD_CLOSE;
	r->time_ns = item->time_ns;
	r->records++;
	return 0;
}

int mw_record_next(struct mw_record_reader *r, struct mw_record_item *ret_item, struct mw_error *err)
{
	struct place p = {r->bytes, r->size, r->at, false, NULL};
	struct mw_record_item item = {0};
	struct mw_error why = {""};
	__u64 tag;

	if (r->csv)
		return mw_record_csv_next(r, ret_item, err);
	if (r->at == r->size || r->cut)
		return 0;
	if (r->closed)
		return bad(r, r->at, err, "nothing: the recording was closed before");
	if (!r->bytes[r->at] && all_zero(r->bytes + r->at, r->size - r->at)) {
		r->cut = true;
		return 0;
	}
	tag = get_number(&p);
	item.kind = (enum mw_record_kind)(tag & 7);
	item.worker = tag >> 3 < MW_RECORD_WORKERS ? (__u32)(tag >> 3) : MW_RECORD_WORKERS;
	item.time_ns = get_difference(&p, r->time_ns);
	if (!p.ends && !p.wrong)
		get_rest(r, &p, &item, &why);
	if (p.ends) {
		r->cut = true;
		return 0;
	}
	if (p.wrong)
		return bad(r, r->at, err, p.wrong);
	if (take(r, &item) < 0)
		return mw_fail(err, -ENOMEM, "%s: no memory", r->name);
	r->at = p.at;
	*ret_item = item;
	return 1;
}

void mw_record_reader_free(struct mw_record_reader *r)
{
	free(r->last);
	*r = (struct mw_record_reader){0};
}

/* A pipe says no size: it is read to its end. */
int mw_record_load(const char *path, unsigned char **ret_bytes, size_t *ret_size, struct mw_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t size = 0, room = 0;
	ssize_t n = 1;

	if (fd < 0)
		return mw_fail(err, -errno, "%s: %s", path, strerror(errno));
	while (n > 0) {
		if (size == room) {
			unsigned char *grown = realloc(bytes, room ? 2 * room : 65536);

			if (!grown)
				return mw_fail(err, -ENOMEM, "%s: no memory after %zu bytes", path, size);
			bytes = grown;
			room = room ? 2 * room : 65536;
		}
		n = read(fd, bytes + size, room - size);
		if (n < 0)
			return mw_fail(err, -errno, "%s: at byte %zu: %s", path, size, strerror(errno));
		size += (size_t)n;
		if (size > MW_RECORD_SIZE_MAX)
			return mw_fail(err, -EFBIG, "%s: more than %llu bytes, expected at most so many", path,
				       MW_RECORD_SIZE_MAX);
	}
	*ret_bytes = TAKE_PTR(bytes);
	*ret_size = size;
	return 0;
}
