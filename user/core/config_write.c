/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The whole configuration as one file, which reads back as what it was made from. */
#include "core/config_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

struct writing {
	FILE *f;
	enum mw_section_kind kind;
	bool bin_follows; /* of the class being written */
};

static void write_row(const char *key, const char *value, const char *doc, void *arg)
{
	const struct mw_key *row;
	struct writing *w = arg;
	char path[320];

	(void)doc;
	row = mw_key_find(w->kind, key);
	if (w->bin_follows && strcmp(key, "max_bin_heap") == 0)
		value = "auto"; /* a number would no longer follow max_heap */
	if (row->type == MW_KEY_PATH && *value != '/' && strcmp(value, "none") != 0) {
		snprintf(path, sizeof(path), "/%s", value); /* kept relative to the cgroup root */
		value = path;
	}
	if (w->kind == MW_SECTION_RULE && !*value)
		return;
	if (mw_key_check(row, value) == 0) /* a path of the command line may be one no file can hold */
		fprintf(w->f, "%s = %s\n", key, value);
}

static void write_workers(const struct mw_config *cfg, FILE *f)
{
	const char *worker = "";

	for (size_t i = 0; i < cfg->n_worker_settings; i++) {
		const struct mw_setting *s = &cfg->worker_settings[i];

		if (strcmp(s->worker, worker) != 0)
			fprintf(f, "\n[worker %s]\n", s->worker);
		worker = s->worker;
		fprintf(f, "%s = %s\n", s->key, s->value);
	}
}

static void write_all(FILE *f, const void *arg)
{
	const struct mw_config *cfg = arg;

	fputs("# Written by memweir-daemon: the configuration in force, should it die while the files are wrong.\n", f);
	fputs("\n[monitor]\n", f);
	mw_config_rows_monitor(&cfg->monitor, write_row, &(struct writing){f, MW_SECTION_MONITOR, false});
	fputs("\n[tree]\n", f);
	mw_config_rows_tree(&cfg->tree, write_row, &(struct writing){f, MW_SECTION_TREE, false});
	fputs("\n[http]\n", f);
	mw_config_rows_http(&cfg->http, write_row, &(struct writing){f, MW_SECTION_HTTP, false});
	fputs("\n[otlp]\n", f);
	mw_config_rows_otlp(&cfg->otlp, write_row, &(struct writing){f, MW_SECTION_OTLP, false});
	for (size_t i = 0; i < cfg->n_classes; i++) {
		const struct mw_class *cls = &cfg->classes[i];

		fprintf(f, "\n[class %s]\n", cls->name);
		mw_config_rows_profile(&cls->profile, write_row,
				       &(struct writing){f, MW_SECTION_CLASS, cls->profile.bin_follows});
	}
	write_workers(cfg, f);
	for (size_t i = 0; i < cfg->n_rules; i++) {
		fprintf(f, "\n[rule %s]\n", cfg->rules[i].name);
		mw_config_rows_rule(&cfg->rules[i], write_row, &(struct writing){f, MW_SECTION_RULE, false});
	}
}

int mw_config_write(const struct mw_config *cfg, int dir_fd, const char *name)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	char tmp_name[64];
	size_t len = 0;
	ssize_t n;
	int r = mw_config_render(write_all, cfg, &text, &len);

	if (r < 0)
		return r;
	snprintf(tmp_name, sizeof(tmp_name), ".%.40s.tmp", name);
	fd = openat(dir_fd, tmp_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n == (ssize_t)len && renameat(dir_fd, tmp_name, dir_fd, name) == 0)
		return 0;
	r = n >= 0 && n < (ssize_t)len ? -ENOSPC : -errno;
	unlinkat(dir_fd, tmp_name, 0);
	return r;
}
