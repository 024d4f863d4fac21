/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as a recording: refused with a sentence, or read to its end; what was read is written again and reads the
 * same, and is replayed and measured. Built as config_fuzz.c is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leak/calibrate.h"
#include "leak/record.h"
#include "leak/replay.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void check_item(const struct mw_record_reader *r, const struct mw_record_item *item)
{
	must(item->kind > MW_RECORD_NONE && item->kind < MW_RECORD_MAX, "a kind there is");
	must(item->kind == MW_RECORD_CLOSE || item->worker < r->n_workers, "a worker there is");
	must(r->at <= r->size, "within the bytes");
	if (item->kind == MW_RECORD_WORKER)
		must(item->about.name[0] && strlen(item->about.name) < MW_NAME_SIZE &&
			     item->about.profile.hibernate_threshold >= 0.1,
		     "a worker that can be");
	if (item->kind == MW_RECORD_SAMPLE)
		must(item->usage.heap == item->usage.anon + item->usage.swapped && item->usage.time_ns == item->time_ns,
		     "a sample that adds up");
}

static int as_recorded(const struct mw_record_worker *about, struct mw_replay_rules *r, void *arg, struct mw_error *err)
{
	(void)about, (void)r, (void)arg, (void)err;
	return 0;
}

struct measured {
	struct mw_calibration c;
	struct mw_calibrated w; /* all as one: what times that go to and fro do to it */
};

static int measure(__u32 worker, const struct mw_record_worker *about, const struct mw_usage *u, void *arg)
{
	struct measured *m = arg;

	(void)worker, (void)about;
	return mw_calibrate_sample(&m->c, &m->w, u);
}

static void replay(const uint8_t *data, size_t size, bool good)
{
	struct measured m = {0};
	const struct mw_replay_asks asks = {.rules = as_recorded, .sample = measure, .arg = &m};
	_cleanup_(mw_replay_run_free) struct mw_replay_run run = {0};
	struct mw_error err = {""};
	int rc = mw_replay_run("f", data, size, &asks, &run, &err);

	must((rc >= 0) == good, "what reads is replayed, and nothing else");
	must(rc >= 0 || *err.text, "a failure without a sentence");
	for (__u32 i = 0; i < run.n_workers; i++) {
		const struct mw_replay_result *r = &run.workers[i].replay.result;

		must(r->last_ns >= r->first_ns && r->over_high_ns <= r->last_ns - r->first_ns, "times that can be");
		must(r->trend.verdict <= r->most && r->most < MW_TREND_MAX, "a verdict there is");
	}
	must(mw_calibrate_end(&m.c, &m.w) == 0, "it is measured");
	for (enum mw_budget_from from = 0; from < MW_BUDGET_FROM_MAX; from++)
		must(mw_budget_propose(&m.c, from, 1000).max_heap >= MW_CALIBRATE_ROUND, "a budget that can be");
	mw_calibration_free(&m.c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(mw_record_reader_free) struct mw_record_reader r = {0}, second = {0};
	_cleanup_(mw_record_writer_free) struct mw_record_writer w = {0};
	struct mw_record_item item, again;
	struct mw_error err = {""};
	__u64 written = 0;
	int rc;

	if (mw_record_open("f", data, size, &r, &err) < 0) {
		must(*err.text, "a failure without a sentence");
		return 0;
	}
	must(mw_record_begin(&w, &r.head) == 0, "a head is written");
	while ((rc = mw_record_next(&r, &item, &err)) == 1) {
		check_item(&r, &item);
		must(mw_record_add(&w, &item) == 0, "what was read is written");
		written++;
	}
	must(rc == 0 || *err.text, "a failure without a sentence");
	must(mw_record_open("f", w.bytes, w.size, &second, &err) == 0, "what was written is opened");
	while (mw_record_next(&second, &again, &err) == 1) {
		written--;
		item = again;
	}
	must(written == 0 && !second.cut, "what was written is read");
	replay(data, size, rc == 0);
	return 0;
}

#ifdef MW_FUZZ_MAIN

/* Seeds hold zeros, which mutate.h's texts cannot: bytes of a good recording are changed, and its length. */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void add(struct mw_record_writer *w, struct mw_record_item item)
{
	must(mw_record_add(w, &item) == 0, "a good record is written");
}

static void good(struct mw_record_writer *w, uint64_t *state)
{
	struct mw_record_head head = {.wall_ns = 1ULL << 60, .time_ns = 1ULL << 40};
	struct mw_record_item item = {.kind = MW_RECORD_WORKER, .time_ns = 1ULL << 40};

	head.monitor = (struct mw_monitor){.check_interval_ns = 5000000000ULL,
					   .sample_interval_ns = 500000000,
					   .alert_threshold = 0.85,
					   .max_history = 10};
	must(mw_record_begin(w, &head) == 0, "a head is written");
	snprintf(item.about.name, sizeof(item.about.name), "w");
	item.about.profile = (struct mw_profile){.max_heap = 1 << 26, .hibernate_threshold = 0.8};
	add(w, item);
	item.kind = MW_RECORD_SAMPLE;
	for (int i = 0; i < 8; i++) {
		item.time_ns += draw(state) % 1000000000;
		for (size_t f = 0; f < MW_RECORD_FIELDS; f++)
			if (draw(state) % 3 == 0)
				*mw_record_field(&item.usage, f) = draw(state) >> (8 + draw(state) % 50);
		add(w, item);
	}
	item.used = 12345;
	item.kind = MW_RECORD_CHECK;
	add(w, item);
	item.kind = MW_RECORD_ENDED;
	add(w, item);
	item.kind = MW_RECORD_CLOSE;
	add(w, item);
}

/* Arguments: inputs (20000), seed (1). */
int main(int argc, char **argv)
{
	static const char csv[] = "seconds,memory_bytes\n0.0,8913000\n1.1,155900000\n2.25,1\r\n";
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000;
	uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	state = state ? state : 1; /* zero stays zero */
	for (unsigned long i = 0; i < rounds; i++) {
		_cleanup_(mw_record_writer_free) struct mw_record_writer w = {0};
		_cleanup_free_ uint8_t *copy = NULL;
		bool text = i % 4 == 3;
		size_t size;

		good(&w, &state);
		size = text ? sizeof(csv) - 1 : w.size;
		copy = malloc(size);
		memcpy(copy, text ? (const void *)csv : w.bytes, size);
		for (uint64_t m = draw(&state) % 6; m; m--)
			copy[draw(&state) % size] = (uint8_t)(draw(&state) % 4 ? draw(&state) : 0xff);
		LLVMFuzzerTestOneInput(copy, draw(&state) % 4 ? size : draw(&state) % size);
	}
	printf("%lu inputs\n", rounds);
	return 0;
}

#endif
