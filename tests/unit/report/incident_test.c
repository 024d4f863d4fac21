/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/incident.h"
#include "report/incident_index.h"
#include "report/json_out.h"
#include "report/postmortem.h"
#include "util/clock.h"

#define WALL (1795291501ULL * MW_NS_PER_S) /* 2026-11-21T20:05:01Z */

static struct mw_track track;
static char dir[64]; /* state directory of one test */

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/mw-incident-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct mw_incidents *open_store(__u32 max)
{
	struct mw_error err = {0};
	struct mw_incidents *s;

	if (mw_incidents_open(dir, max, &s, &err))
		fail_msg("%s", err.text);
	return s;
}

static void look(struct mw_track *t, __u64 time_ns, __u64 bytes)
{
	struct mw_usage u = {.time_ns = time_ns, .current = bytes, .max = 50000000, .high = MW_UNLIMITED};

	mw_track_note(t, &u);
}

static struct json_object *doc(const char *name, __u64 second)
{
	struct mw_incident inc = {.reason = MW_REASON_HEAP_SIZE,
				  .wall_ns = WALL + second * MW_NS_PER_S,
				  .why = "too big",
				  .signal = SIGKILL,
				  .wait_status = SIGKILL};
	struct mw_worker w = {.class_name = "tool", .cgroup_id = 7};
	struct json_object *o;

	snprintf(w.name, sizeof(w.name), "%s", name);
	o = mw_incident_json(&inc, &w, NULL, NULL, NULL, NULL);
	assert_non_null(o);
	return o;
}

static int add(struct mw_incidents *s, const char *name, __u64 second, char id[MW_INCIDENT_ID_SIZE])
{
	struct json_object *o = doc(name, second);
	char own[MW_INCIDENT_ID_SIZE] = "untouched";
	int r = mw_incidents_write(s, o, id ? id : own, MW_INCIDENT_ID_SIZE, NULL);

	json_object_put(o);
	return r;
}

static const char *path_of(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/incidents/%s", dir, file);
	return path;
}

static void put_file(const char *file, const char *text)
{
	FILE *f = fopen(path_of(file), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static size_t count_files(void)
{
	DIR *d = opendir(path_of(""));
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

/* The ids of a list in order, "a b c". */
static const char *ids(struct mw_incidents *s, const char *worker, size_t n)
{
	struct json_object *list = mw_incidents_list(s, worker, n);
	static char text[4096];
	size_t used = 0;

	text[0] = 0;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
					 json_object_get_string(json_object_object_get(one, "id")));
	}
	json_object_put(list);
	return text;
}

static const char *member(struct json_object *o, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(o, key, &value));
	return value ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN) : "null";
}

static void the_document(void **state)
{
	struct mw_incident inc = {.reason = MW_REASON_HEAP_SIZE,
				  .wall_ns = WALL,
				  .why = "w",
				  .signal = 9,
				  .wait_status = 9,
				  .killed_by = "kernel (memory.max)"};
	struct mw_worker w = {.name = "web-7", .class_name = "tool", .peak = 50, .started_wall_ns = WALL - 90500000000};
	struct mw_usage last = {.time_ns = 20 * MW_NS_PER_S, .current = 49, .heap = 40, .bin = 5, .max = 50};
	struct mw_pause_stat pauses[MW_PAUSE_MAX] = {0};
	struct json_object *o;
	char keys[512] = "";
	size_t used = 0;

	(void)state;
	last.events[MW_MEMCG_OOM_KILL] = 1;
	look(&track, 18 * MW_NS_PER_S + MW_NS_PER_S / 2, 8192);
	look(&track, 19 * MW_NS_PER_S, 49152);
	w.track = &track;
	o = mw_incident_json(&inc, &w, &last, "anon 40\nodd line here\nfile 18446744073709551615\n", pauses, NULL);
	json_object_object_foreach (o, key, value) {
		(void)value;
		used += (size_t)snprintf(keys + used, sizeof(keys) - used, " %s", key);
	}
	assert_string_equal(
		keys, " id time reason why name class cgroup cgroup_id uid killed_by signal exit_status saved_bytes "
		      "limit_bytes usage_bytes heap_bytes bin_bytes peak_bytes lifetime_s curve memory_stat "
		      "events pauses sites lines sites_left_out_bytes last_pauses");
	assert_string_equal(member(o, "id"), "\"20261121T200501Z-web-7\"");
	assert_string_equal(member(o, "time"), "\"2026-11-21T20:05:01.000Z\"");
	assert_string_equal(member(o, "reason"), "\"heap_size\"");
	assert_string_equal(member(o, "killed_by"), "\"kernel (memory.max)\"");
	assert_string_equal(member(o, "signal"), "9");
	assert_string_equal(member(o, "exit_status"), "null");
	assert_string_equal(member(o, "limit_bytes"), "50");
	assert_string_equal(member(o, "lifetime_s"), "90.5");
	assert_string_equal(member(o, "curve"), "[{\"t_s\":-1.5,\"bytes\":8192},{\"t_s\":-1.0,\"bytes\":49152}]");
	assert_string_equal(member(o, "memory_stat"), "{\"anon\":40,\"file\":18446744073709551615}");
	assert_string_equal(member(o, "events"), "{\"low\":0,\"high\":0,\"max\":0,\"oom\":0,\"oom_kill\":1,"
						 "\"oom_group_kill\":0}");
	assert_int_equal(json_object_object_length(json_object_object_get(o, "pauses")), MW_PAUSE_MAX);
	json_object_put(o);
	inc = (struct mw_incident){.reason = MW_REASON_LIFT, .wall_ns = WALL, .wait_status = -1};
	w.limits.max = MW_UNLIMITED;
	o = mw_incident_json(&inc, &w, NULL, NULL, NULL, NULL);
	assert_string_equal(member(o, "killed_by"), "null");
	assert_string_equal(member(o, "signal"), "null");
	assert_string_equal(member(o, "limit_bytes"), "null");
	assert_string_equal(member(o, "pauses"), "{}");
	json_object_put(o);
}

/* Made later, of what was copied, when the worker is gone and its memory is another's. */
static void facts_give_the_same_document(void **state)
{
	static const char stat[] = "anon 40\nfile 7\n";
	struct mw_incident inc = {
		.reason = MW_REASON_SIGNAL, .wall_ns = WALL, .why = "why", .signal = 11, .wait_status = 11};
	struct mw_pause_stat pauses[MW_PAUSE_MAX] = {{.count = 3, .total_ns = 90, .max_ns = 50}};
	struct mw_event e = {.kind = MW_PAUSE_SWAP_IN, .time_ns = 5 * MW_NS_PER_S, .duration_ns = 4711, .tid = 9};
	struct mw_mark marks[2] = {
		{.time_ns = 19 * MW_NS_PER_S, .cgroup_id = 7, .count = 1, .type = "level", .text = "warning"},
		{.time_ns = 19 * MW_NS_PER_S, .cgroup_id = 7, .count = 3, .type = "pause", .text = "long"}};
	struct mw_incident_more more = {.scene = {.end_ns = 21 * MW_NS_PER_S, .n_near = 1},
					.marks = marks,
					.n_marks = 2};
	struct json_object *before, *after;
	struct mw_incident_facts *f;

	(void)state;
	for (int full = 0; full < 2; full++) {
		struct mw_stalls stalls = {0};
		char path[] = "/memweir/tool/web-7";
		struct mw_label label = {.kind = MW_LABEL_LABEL};
		struct mw_container box = {.engine = "podman",
					   .id = "abc",
					   .name = "web",
					   .image = "i:1",
					   .labels = &label,
					   .n_labels = 1};
		struct mw_worker w = {.name = "web-7", .class_name = "tool", .cgroup_id = 7, .peak = 50};

		w.usage = (struct mw_usage){.time_ns = 20 * MW_NS_PER_S, .current = 49, .max = MW_UNLIMITED};
		track = (struct mw_track){0};
		look(&track, 19 * MW_NS_PER_S, 49152);
		w.track = &track;
		mw_stalls_note(&stalls, &e, MW_LIMIT_WORKER);
		w.stalls = full ? &stalls : NULL;
		w.cgroup = full ? path : NULL;
		w.container = full ? &box : NULL;
		before =
			mw_incident_json(&inc, &w, NULL, full ? stat : NULL, full ? pauses : NULL, full ? &more : NULL);
		f = mw_incident_facts(&inc, &w, full ? stat : NULL, full ? pauses : NULL, full ? &more : NULL);
		assert_non_null(f);
		memset(&w, 0xa5, sizeof(w));
		memset(&track, 0xa5, sizeof(track));
		memset(marks, full ? 0xa5 : marks[0].count, full ? sizeof(marks) : 0);
		memset(&stalls, 0xa5, sizeof(stalls));
		memset(path, 'x', sizeof(path) - 1);
		memset(&box, 0xa5, sizeof(box));
		after = mw_incident_facts_json(f);
		mw_incident_facts_free(f);
		assert_string_equal(json_object_to_json_string(after), json_object_to_json_string(before));
		json_object_put(before);
		json_object_put(after);
	}
}

/* They are kept as text, and are objects again where it is read. */
static void written_with_its_sites(void **state)
{
	static const char text[] = "[{\"bytes\":7,\"share\":0.125,\"frames\":[{\"file\":\"/usr/src/a.c\"}]}]";
	struct mw_sites sites = {.list = mw_json_keep(json_tokener_parse(text)),
				 .lines = mw_json_keep(json_object_new_array())};
	struct mw_incident inc = {.reason = MW_REASON_SIGNAL, .wall_ns = WALL, .wait_status = 11};
	struct mw_worker w = {.name = "web-7", .class_name = "tool", .cgroup_id = 7, .sites = &sites};
	struct json_object *o = mw_incident_json(&inc, &w, NULL, NULL, NULL, NULL);
	struct mw_incidents *s = open_store(10);
	char id[MW_INCIDENT_ID_SIZE];

	(void)state;
	mw_kept_drop(sites.list);
	mw_kept_drop(sites.lines);
	assert_int_equal(mw_incidents_write(s, o, id, sizeof(id), NULL), 0);
	json_object_put(o);
	o = mw_incidents_get(s, id);
	assert_non_null(o);
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(o, "sites"), MW_JSON_COMPACT), text);
	assert_string_equal(member(o, "lines"), "[]");
	assert_string_equal(member(o, "sites_left_out_bytes"), "0");
	json_object_put(o);
	mw_incidents_close(s);
}

static void written_and_read_again(void **state)
{
	struct mw_incidents *s = open_store(10);
	char id[MW_INCIDENT_ID_SIZE];
	struct json_object *o, *original = doc("web-7", 0);
	struct stat st;

	(void)state;
	assert_int_equal(add(s, "web-7", 0, id), 0);
	assert_string_equal(id, "20261121T200501Z-web-7");
	assert_int_equal(stat(path_of("20261121T200501Z-web-7.json"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(path_of(""), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(count_files(), 1);
	o = mw_incidents_get(s, id);
	assert_true(json_object_equal(o, original));
	json_object_put(o);
	json_object_put(original);
	assert_null(mw_incidents_get(s, "20261121T200502Z-web-7"));
	assert_null(mw_incidents_get(s, "../../etc/passwd"));
	assert_null(mw_incidents_get(s, "20261121T200501Z-../x"));
	assert_null(mw_incidents_get(s, ""));
	assert_int_equal(mw_incidents_failures(s), 0);
	mw_incidents_close(s);
	mw_incidents_close(NULL);
}

static void ids_are_unique_across_restarts(void **state)
{
	struct mw_incidents *s = open_store(10);
	char id[MW_INCIDENT_ID_SIZE];

	(void)state;
	assert_int_equal(add(s, "web", 0, id), 0);
	assert_int_equal(add(s, "web", 0, id), 0);
	assert_string_equal(id, "20261121T200501Z-web-2");
	mw_incidents_close(s);
	s = open_store(10);
	assert_int_equal(add(s, "web", 0, id), 0);
	assert_string_equal(id, "20261121T200501Z-web-3");
	assert_int_equal(add(s, "web-2", 0, id), 0); /* its own id is another's suffix */
	assert_string_equal(id, "20261121T200501Z-web-2-2");
	assert_string_equal(ids(s, NULL, 0), "20261121T200501Z-web-3 20261121T200501Z-web-2-2 "
					     "20261121T200501Z-web-2 20261121T200501Z-web");
	assert_string_equal(ids(s, "web-2", 0), "20261121T200501Z-web-2-2");
	assert_string_equal(ids(s, "web", 2), "20261121T200501Z-web-3 20261121T200501Z-web-2");
	assert_string_equal(ids(s, "we", 0), "");
	mw_incidents_close(s);
}

static void the_oldest_go(void **state)
{
	struct mw_incidents *s = open_store(3);

	(void)state;
	for (__u64 i = 0; i < 6; i++)
		assert_int_equal(add(s, "w", i, NULL), 0);
	assert_int_equal(count_files(), 3);
	assert_string_equal(ids(s, NULL, 0), "20261121T200506Z-w 20261121T200505Z-w 20261121T200504Z-w");
	assert_string_equal(ids(s, NULL, 1), "20261121T200506Z-w");
	mw_incidents_close(s);
	/* Fewer are wanted now: they go with the next write, not by opening. */
	s = open_store(1);
	assert_int_equal(count_files(), 3);
	assert_int_equal(add(s, "w", 9, NULL), 0);
	assert_int_equal(count_files(), 1);
	assert_string_equal(ids(s, NULL, 0), "20261121T200510Z-w");
	mw_incidents_close(s);
}

static void what_is_not_ours_is_skipped_and_counted(void **state)
{
	struct mw_incidents *s = open_store(100);
	static char huge[(256 << 10) + 2];
	FILE *f;

	(void)state;
	assert_int_equal(add(s, "good", 0, NULL), 0);
	mw_incidents_close(s);
	put_file("notes.txt", "x"); /* 1 */
	put_file("20261121T200501Z-.json", "{}"); /* 2: no name */
	assert_int_equal(mkdir(path_of("20261121T200501Z-dir.json"), 0700), 0); /* 3 */
	assert_int_equal(symlink("/etc/passwd", path_of("20261121T200501Z-link.json")), 0); /* 4 */
	assert_int_equal(mkfifo(path_of("20261121T200501Z-fifo.json"), 0600), 0); /* 5 */
	put_file("20261121T200502Z-empty.json", ""); /* 6 */
	put_file("20261121T200502Z-half.json", "{\"name\":\"half\", \"ti"); /* 7 */
	put_file("20261121T200502Z-array.json", "[1]"); /* 8 */
	put_file("20261121T200502Z-other.json", "{\"name\":7,\"time\":\"t\",\"reason\":\"r\"}"); /* 9 */
	put_file("20261121T200502Z-tail.json", "{\"name\":\"n\",\"time\":\"t\",\"reason\":\"r\"} x"); /* 10 */
	put_file("20261121T200502Z-utf8.json", "{\"name\":\"\xff\",\"time\":\"t\",\"reason\":\"r\"}"); /* 11 */
	memset(huge, ' ', sizeof(huge) - 1);
	put_file("20261121T200502Z-huge.json", huge); /* 12 */
	f = fopen(path_of("20261121T200502Z-nul.json"), "w");
	fwrite("{}\0{}", 1, 5, f); /* 13 */
	fclose(f);
	put_file(".writing", "{\"half"); /* what a crash leaves is no failure */
	s = open_store(100);
	assert_int_equal(mw_incidents_failures(s), 5);
	assert_string_equal(ids(s, NULL, 0), "20261121T200501Z-good");
	assert_int_equal(mw_incidents_failures(s), 13);
	assert_string_equal(ids(s, NULL, 0), "20261121T200501Z-good");
	assert_int_equal(mw_incidents_failures(s), 13); /* counted once */
	assert_null(mw_incidents_get(s, "20261121T200501Z-link"));
	/* A name that is taken by something else is not written over or through. */
	assert_int_equal(add(s, "link", 0, NULL), 0);
	assert_string_equal(ids(s, "link", 0), "20261121T200501Z-link-2");
	assert_int_equal(access(path_of(".writing"), F_OK), -1);
	/* A file an administrator removes is no failure. */
	assert_int_equal(unlink(path_of("20261121T200501Z-good.json")), 0);
	assert_string_equal(ids(s, NULL, 0), "20261121T200501Z-link-2");
	assert_int_equal(mw_incidents_failures(s), 14); /* the link, asked for by id */
	mw_incidents_close(s);
}

static void documents_that_are_none(void **state)
{
	struct mw_incidents *s = open_store(3);
	struct json_object *o = json_object_new_object();
	char id[8] = "same", *big = malloc(300 << 10);
	struct mw_error err = {0};

	(void)state;
	assert_int_equal(mw_incidents_write(s, o, id, sizeof(id), &err), -EINVAL);
	json_object_object_add(o, "id", json_object_new_string("20261121T200501Z-a/b"));
	assert_int_equal(mw_incidents_write(s, o, id, sizeof(id), &err), -EINVAL);
	json_object_put(o);
	o = doc("w", 0);
	memset(big, 'x', 300 << 10);
	json_object_object_add(o, "why", json_object_new_string_len(big, 300 << 10));
	assert_int_equal(mw_incidents_write(s, o, id, sizeof(id), &err), -E2BIG);
	assert_string_equal(id, "same");
	assert_int_equal(mw_incidents_waiting(s), 0);
	assert_int_equal(mw_incidents_failures(s), 3);
	free(big);
	json_object_put(o);
	mw_incidents_close(s);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit l;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* Writing fails half-way through the file. */
static void what_cannot_be_written_waits(void **state)
{
	struct mw_incidents *s = open_store(100);
	char id[MW_INCIDENT_ID_SIZE] = "same", first[MW_INCIDENT_ID_SIZE];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(add(s, "a", 0, NULL), 0);
	limit_file_size(100);
	assert_int_equal(add(s, "b", 1, id), -EFBIG);
	assert_int_equal(add(s, "b", 1, id), -EFBIG);
	assert_string_equal(id, "same");
	assert_int_equal(count_files(), 1); /* nothing half written */
	assert_int_equal(mw_incidents_waiting(s), 2);
	assert_string_equal(ids(s, NULL, 0), "20261121T200502Z-b-2 20261121T200502Z-b 20261121T200501Z-a");
	assert_int_equal(mw_incidents_flush(s), -EFBIG);
	for (__u64 i = 0; i < MW_INCIDENTS_WAITING; i++) /* the queue is bounded; the first two are lost */
		assert_int_equal(add(s, "c", 10 + i, NULL), -EFBIG);
	assert_int_equal(mw_incidents_waiting(s), MW_INCIDENTS_WAITING);
	assert_int_equal(mw_incidents_failures(s), 2 + MW_INCIDENTS_WAITING + 2);
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(add(s, "d", 99, first), 0);
	assert_int_equal(mw_incidents_waiting(s), 0);
	assert_int_equal(count_files(), 1 + MW_INCIDENTS_WAITING + 1);
	assert_string_equal(ids(s, NULL, 1), first);
	mw_incidents_close(s);
}

static void closing_tries_once_more(void **state)
{
	struct mw_incidents *s = open_store(100);

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	limit_file_size(100);
	assert_int_equal(add(s, "a", 0, NULL), -EFBIG);
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(count_files(), 0);
	mw_incidents_close(s);
	assert_int_equal(count_files(), 1);
}

/* A file system of 64 KiB, in a mount namespace of our own. */
static bool small_disk(void)
{
	if (!unshare(CLONE_NEWNS) && !mount("none", "/", "none", MS_REC | MS_PRIVATE, "") &&
	    !mount("none", dir, "tmpfs", 0, "size=64k,mode=0700"))
		return true;
	print_message("no small file system of our own: %s\n", strerror(errno));
	return false;
}

static void a_full_disk(void **state)
{
	struct mw_incidents *s;
	struct mw_error err = {0};
	struct json_object *o;
	__u64 n = 0;
	char id[96];
	int r;

	(void)state;
	if (!small_disk()) {
		skip();
		return;
	}
	s = open_store(1000);
	while ((r = add(s, "w", n, NULL)) == 0 && n < 1000)
		n++;
	assert_int_equal(r, -ENOSPC);
	assert_true(n > 3 && n < 64);
	o = doc("w", n + 1);
	assert_int_equal(mw_incidents_write(s, o, id, sizeof(id), &err), -ENOSPC);
	assert_string_equal(err.text, "incident not written: No space left on device; 2 wait in memory");
	json_object_put(o);
	assert_int_equal(count_files(), n);
	assert_int_equal(json_object_array_length(o = mw_incidents_list(s, NULL, 0)), n + 2);
	json_object_put(o);
	for (__u64 i = 0; i < 3; i++) {
		char name[64];

		snprintf(name, sizeof(name), "20261121T2005%02lluZ-w.json", 1 + i);
		assert_int_equal(unlink(path_of(name)), 0);
	}
	assert_int_equal(mw_incidents_flush(s), 0);
	assert_int_equal(mw_incidents_waiting(s), 0);
	assert_int_equal(count_files(), n - 1);
	mw_incidents_close(s);
	assert_int_equal(umount(dir), 0);
}

static void where_it_cannot_be(void **state)
{
	struct mw_incidents *s = NULL;
	struct mw_error err = {0};
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/missing/state", dir);
	assert_int_equal(mw_incidents_open(path, 3, &s, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	snprintf(path, sizeof(path), "%s/incidents", dir);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_true(mw_incidents_open(dir, 3, &s, &err) < 0); /* a link is not followed */
	assert_null(s);
}

static void an_open_directory_is_made_private(void **state)
{
	struct mw_incidents *s;
	struct stat st;

	(void)state;
	assert_int_equal(mkdir(path_of(""), 0755), 0);
	s = open_store(3);
	assert_int_equal(stat(path_of(""), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	mw_incidents_close(s);
}

struct writer {
	struct mw_incidents *s;
	char name[16];
};

static void *write_many(void *arg)
{
	struct writer *w = arg;
	size_t ok = 0;

	for (__u64 i = 0; i < 20; i++)
		ok += add(w->s, w->name, i % 5, NULL) == 0;
	return (void *)ok;
}

static void threads_write_while_one_lists(void **state)
{
	struct mw_incidents *s = open_store(50);
	struct writer w[3];
	pthread_t threads[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		w[i].s = s;
		snprintf(w[i].name, sizeof(w[i].name), "w%d", i);
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &w[i]), 0);
	}
	for (int i = 0; i < 50; i++)
		json_object_put(mw_incidents_list(s, NULL, 5));
	for (int i = 0; i < 3; i++) {
		void *ok;

		assert_int_equal(pthread_join(threads[i], &ok), 0);
		assert_int_equal((size_t)ok, 20);
	}
	assert_int_equal(count_files(), 50);
	assert_int_equal(mw_incidents_failures(s), 0);
	mw_incidents_close(s);
}

/* The ids of the briefs, "a b c"; each of them is a document. */
static const char *briefs(struct mw_incidents *s)
{
	char cursor[MW_INCIDENT_ID_SIZE] = MW_INCIDENTS_NEWEST;
	static char text[4096];
	struct mw_kept *k;
	size_t used = 0;

	text[0] = 0;
	while ((k = mw_incidents_brief_before(s, cursor))) {
		struct json_object *o = json_tokener_parse(k->text);

		assert_string_equal(member(o, "reason"), "\"heap_size\"");
		assert_string_equal(member(o, "why"), "\"too big\"");
		assert_string_equal(member(o, "signal"), "9");
		assert_string_equal(json_object_get_string(json_object_object_get(o, "id")), cursor);
		assert_false(json_object_object_get_ex(o, "memory_stat", NULL));
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "", cursor);
		json_object_put(o);
		mw_kept_drop(k);
	}
	return text;
}

static void in_brief(void **state)
{
	struct mw_incidents *s = open_store(3);

	(void)state;
	assert_string_equal(briefs(s), "");
	for (__u64 i = 0; i < 4; i++)
		assert_int_equal(add(s, "w", i, NULL), 0);
	assert_string_equal(briefs(s), "20261121T200504Z-w 20261121T200503Z-w 20261121T200502Z-w");
	unlink(path_of("20261121T200503Z-w.json")); /* no file is read */
	assert_string_equal(briefs(s), "20261121T200504Z-w 20261121T200503Z-w 20261121T200502Z-w");
	assert_null(mw_incidents_get(s, "20261121T200503Z-w"));
	assert_string_equal(briefs(s), "20261121T200504Z-w 20261121T200502Z-w");
	mw_incidents_close(s);
	s = open_store(3); /* the first time they are read */
	put_file("20261121T200503Z-w.json", "{");
	assert_string_equal(briefs(s), "20261121T200504Z-w 20261121T200502Z-w");
	unlink(path_of("20261121T200502Z-w.json"));
	assert_string_equal(briefs(s), "20261121T200504Z-w 20261121T200502Z-w");
	mw_incidents_close(s);
}

static void briefs_of_the_newest(void **state)
{
	struct mw_incident_index x = {0};
	char id[MW_INCIDENT_ID_SIZE];

	(void)state;
	for (unsigned i = 0; i < MW_INCIDENT_BRIEFS + 2; i++) {
		snprintf(id, sizeof(id), "20261121T%06uZ-w", 2 * i + 1);
		assert_int_equal(mw_incident_index_reserve(&x), 0);
		mw_incident_index_add(&x, id, NULL);
		mw_incident_index_keep(&x, id, mw_kept_new("{}", 2));
	}
	assert_int_equal(x.briefs, MW_INCIDENT_BRIEFS);
	assert_null(x.entries[0].brief);
	assert_null(x.entries[1].brief);
	assert_non_null(x.entries[2].brief);
	assert_non_null(x.entries[MW_INCIDENT_BRIEFS + 1].brief);
	mw_incident_index_keep(&x, x.entries[1].id, mw_kept_new("{}", 2)); /* older than all of them */
	assert_null(x.entries[1].brief);
	mw_incident_index_keep(&x, "20261121T999999Z-w", mw_kept_new("{}", 2)); /* it is not there */
	mw_incident_index_remove(&x, &x.entries[5]);
	assert_int_equal(x.briefs, MW_INCIDENT_BRIEFS - 1);
	mw_incident_index_keep(&x, x.entries[1].id, mw_kept_new("{}", 2)); /* now there is room */
	assert_non_null(x.entries[1].brief);
	mw_incident_index_free(&x);
}

static void which_ids_are_valid(void **state)
{
	char id[128];

	(void)state;
	assert_true(mw_incident_id_valid("20261121T200501Z-a"));
	assert_true(mw_incident_id_valid("20261121T200501Z-..a_-2"));
	assert_false(mw_incident_id_valid("20261121T200501Z-"));
	assert_false(mw_incident_id_valid("20261121T200501Z"));
	assert_false(mw_incident_id_valid("2026"));
	assert_false(mw_incident_id_valid("20261121t200501Z-a"));
	assert_false(mw_incident_id_valid("20261121T200501Z-a b"));
	assert_false(mw_incident_id_valid("20261121T200501Z-a/b"));
	memset(id, 'a', sizeof(id));
	memcpy(id, "20261121T200501Z-", 17);
	id[MW_INCIDENT_ID_SIZE] = 0;
	assert_false(mw_incident_id_valid(id));
	id[MW_INCIDENT_ID_SIZE - 1] = 0;
	assert_true(mw_incident_id_valid(id));
}

#define in_dir(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document),
		cmocka_unit_test(facts_give_the_same_document),
		cmocka_unit_test(which_ids_are_valid),
		cmocka_unit_test(briefs_of_the_newest),
		in_dir(in_brief),
		in_dir(written_with_its_sites),
		in_dir(written_and_read_again),
		in_dir(ids_are_unique_across_restarts),
		in_dir(the_oldest_go),
		in_dir(what_is_not_ours_is_skipped_and_counted),
		in_dir(documents_that_are_none),
		in_dir(what_cannot_be_written_waits),
		in_dir(closing_tries_once_more),
		in_dir(where_it_cannot_be),
		in_dir(an_open_directory_is_made_private),
		in_dir(threads_write_while_one_lists),
		in_dir(a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
