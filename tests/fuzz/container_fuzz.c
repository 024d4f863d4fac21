/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as a file of a container engine, or as the helper's answer. The first byte chooses which. With clang:
 * -fsanitize=fuzzer,address. With -DMW_FUZZ_MAIN any compiler makes a program that mutates the seeds below, N times
 * (first argument), the same way every time.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "containers/state.h"
#include "util/cleanup.h"
#include "util/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* What header and answer promise of each text. */
static void check_found(const struct mw_found *f)
{
	const struct mw_container *c = &f->c;

	must(mw_utf8_plain(c->name) && mw_utf8_plain(c->image) && mw_utf8_plain(c->pod) && mw_utf8_plain(c->namespace),
	     "a name with odd bytes");
	must(mw_utf8_plain(f->unit) && !strchr(f->unit, '/'), "a unit that is none");
	must(!c->cgroup[0] || mw_cgroup_path_valid(c->cgroup), "a cgroup that is no path");
	must(c->pid >= 0 && c->n_labels <= MW_CONTAINER_LABELS, "bounds");
	for (size_t i = 0; i < c->n_labels; i++) {
		must(mw_utf8_plain(c->labels[i].key) && mw_utf8_plain(c->labels[i].value), "a label with odd bytes");
		must(c->labels[i].key[0] && strlen(c->labels[i].key) <= MW_LABEL_KEY_MAX &&
			     strlen(c->labels[i].value) <= MW_LABEL_VALUE_MAX,
		     "a label's length");
		must(mw_container_label(c, c->labels[i].kind, c->labels[i].key) == c->labels[i].value, "a key twice");
	}
}

static int check_name(const char *id, const char *name, const char *image, void *arg)
{
	(void)arg;
	must(mw_container_id_valid(id, strlen(id)), "an ID that is none");
	must(mw_container_id_valid(name, strlen(name)) && mw_utf8_plain(image), "a name that is none");
	return 0;
}

/* What could be found passes through the pipe unchanged. */
static void round_trip(struct mw_found *f)
{
	_cleanup_free_ struct mw_answer *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	_cleanup_free_ char *text = NULL, *again = NULL;
	struct mw_error err = {""};

	must(a && b, "memory");
	strcpy(f->c.engine, "runc");
	strcpy(f->c.id, "a");
	a->found[0] = *f;
	a->n_found = 1;
	must(mw_answer_write(a, &text) == 0 && strlen(text) <= MW_ANSWER_MAX, "an answer");
	if (mw_answer_read(text, strlen(text), b, &err) == 0) {
		must(mw_answer_write(b, &again) == 0 && !strcmp(text, again), "the same answer again");
		mw_answer_free(b);
	} else {
		/* A process without a place is refused there. */
		must(f->c.pid && !f->unit[0] && !(f->c.cgroup[0] && f->c.pid_start), err.text);
	}
}

static void fuzz_answer(const char *text, size_t n)
{
	_cleanup_free_ struct mw_answer *a = calloc(1, sizeof(*a));
	struct mw_error err = {""};

	must(a, "memory");
	if (mw_answer_read(text, n, a, &err) < 0) {
		must(*err.text, "a refusal without a sentence");
		return;
	}
	for (size_t i = 0; i < a->n_found; i++)
		check_found(&a->found[i]);
	mw_answer_free(a);
}

static void fuzz_question(const char *text)
{
	struct mw_found f = {0};

	if (mw_state_link(text, &f))
		must(mw_container_id_valid(f.c.id, strlen(f.c.id)), "a link's ID");
	check_found(&f);
	if (mw_container_name_valid(text))
		must(!strstr(text, "..//") && mw_utf8_plain(text) && text[0] != '.' && !strstr(text, "/."), "a name");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const parse[])(const char *, size_t, struct mw_found *,
				    struct mw_error *) = {mw_state_runc, mw_state_crun, mw_state_oci, mw_state_docker,
							  mw_state_machine};
	unsigned int which = size ? data[0] % (ARRAY_SIZE(parse) + 3) : 0;
	size_t n = size ? size - 1 : 0;
	_cleanup_free_ char *text = malloc(n + 1); /* exactly as large, so that a read past it is seen */
	struct mw_found f = {0};
	struct mw_error err = {""};
	int r;

	must(text, "memory");
	if (n)
		memcpy(text, data + 1, n);
	text[n] = '\0';
	if (which == ARRAY_SIZE(parse)) {
		mw_state_storage(text, n, check_name, NULL, &err);
	} else if (which == ARRAY_SIZE(parse) + 1) {
		fuzz_answer(text, n);
	} else if (which == ARRAY_SIZE(parse) + 2) {
		fuzz_question(text);
	} else {
		r = parse[which](text, n, &f, &err);
		must(r == 0 || *err.text, "a refusal without a sentence");
		check_found(&f);
		mw_state_kubernetes(&f);
		check_found(&f);
		round_trip(&f);
	}
	mw_container_free(&f.c);
	return 0;
}

#ifdef MW_FUZZ_MAIN
#include "mutate.h"

/* The kind, then what such a file looks like. */
static const char *const seeds[] = {
	"\x18{\"id\":\"a\",\"init_process_pid\":12,\"init_process_start\":34,\"config\":{\"labels\":[\"a=b\",\"memweir."
	"class="
	"tool\",\"io.kubernetes.cri.sandbox-name=p\",\"bundle=/x\"]},\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/a/"
	"b.scope\"}}",
	"\x19{\"pid\": 12, \"process-start-time\": 34, \"cgroup-path\": \"/a/b.scope/container\", \"scope\": "
	"\"b.scope\"}",
	"\x1a{\"annotations\":{\"io.container.manager\":\"libpod\",\"a\":\"\\u0000\\ud800\\u202e\"},\"linux\":{}}",
	"\x1b{\"Name\":\"/"
	"web\",\"Config\":{\"Image\":\"a:1\",\"Labels\":{\"a\":\"b\",\"io.kubernetes.pod.name\":\"p\"}}}",
	"\x1cNAME=web\nSCOPE=machine-a\\\\x2db.scope\nLEADER=692\nCLASS=container\n",
	"\x1d[{\"id\":\"ab\",\"names\":[\"web\"],\"metadata\":\"{\\\"image-name\\\":\\\"a:1\\\"}\"},{\"id\":\"../x\"}]",
	"\x1e{\"found\":[{\"engine\":\"runc\",\"id\":\"a\",\"name\":\"a\",\"image\":\"\",\"pod\":\"\",\"namespace\":"
	"\"\",\"cgroup\":"
	"\"/"
	"a\",\"unit\":\"\",\"pid\":1,\"pid_start\":2,\"uid\":0,\"labels\":[{\"kind\":\"label\",\"key\":\"a\",\"value\":"
	"\"b\"}],"
	"\"labels_left_out\":0}],\"left_out\":0,\"unread\":0,\"problem\":\"\",\"looked\":\"/run/runc\"}",
	"\x1fnginx-1_default_web-0123456789abcdef.log",
	"\x1f"
	"docker:ns/pod/web",
};

static const char *const words[] = {"\"",	    "{",  "[[[[[[[[", "}]",	  "\\u0000", "\xff\xfe",
				    "\xe2\x80\xae", "-1", "1e99",     "null",	  "/../",    "18446744073709551616",
				    "\\\\",	    "=",  "_",	      "memweir.", "{\"a\":", "true"};

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}

#endif
