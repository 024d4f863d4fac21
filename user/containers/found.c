/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "containers/found.h"

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/utf8.h"

static bool id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_+.-", c));
}

bool mw_container_id_valid(const char *id, size_t n)
{
	if (!n || n >= MW_CONTAINER_ID || id[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!id_char(id[i]))
			return false;
	}
	return true;
}

bool mw_container_name_valid(const char *name)
{
	const char *colon = strchr(name, ':'), *at = name;

	if (colon) {
		if (!mw_container_id_valid(name, (size_t)(colon - name)))
			return false;
		at = colon + 1;
	}
	if (strlen(at) >= MW_CONTAINER_NAME)
		return false;
	for (size_t n;; at += n + 1) {
		n = strcspn(at, "/");
		if (!mw_container_id_valid(at, n))
			return false;
		if (!at[n])
			return true;
	}
}

bool mw_cgroup_path_valid(const char *path)
{
	if (path[0] != '/' || strlen(path) >= MW_CONTAINER_CGROUP || !mw_utf8_plain(path))
		return false;
	for (size_t n; *path; path += n) {
		path++;
		n = strcspn(path, "/");
		if (!n || (n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
	}
	return true;
}

static bool ours(const char *key)
{
	return !strncmp(key, "memweir.", 8);
}

/* Room for one more: a new one at the end, or for one of ours that of the last which is not. NULL: none. */
static struct mw_label *room(struct mw_container *c, const char *key)
{
	if (c->n_labels < MW_CONTAINER_LABELS)
		return &c->labels[c->n_labels++];
	c->labels_left_out++;
	for (size_t i = c->n_labels; ours(key) && i-- > 0;) {
		if (ours(c->labels[i].key))
			continue;
		free(c->labels[i].key);
		free(c->labels[i].value);
		return &c->labels[i];
	}
	return NULL;
}

int mw_container_add_label(struct mw_container *c, enum mw_label_kind kind, const char *key, size_t key_n,
			   const char *value, size_t value_n)
{
	_cleanup_free_ char *k = malloc(MW_LABEL_KEY_MAX + 1), *v = malloc(MW_LABEL_VALUE_MAX + 1);
	struct mw_label *label;

	if (!c->labels)
		c->labels = calloc(MW_CONTAINER_LABELS, sizeof(*c->labels));
	if (!k || !v || !c->labels)
		return -ENOMEM;
	if (!key_n || key_n > MW_LABEL_KEY_MAX || value_n > MW_LABEL_VALUE_MAX) {
		c->labels_left_out++;
		return 0;
	}
	/* A key that had to be changed is another key. */
	if (!mw_utf8_take(k, MW_LABEL_KEY_MAX + 1, key, key_n)) {
		c->labels_left_out++;
		return 0;
	}
	mw_utf8_take(v, MW_LABEL_VALUE_MAX + 1, value, value_n);
	if (mw_container_label(c, kind, k))
		return 0;
	label = room(c, k);
	if (label)
		*label = (struct mw_label){kind, TAKE_PTR(k), TAKE_PTR(v)};
	return 0;
}

void mw_answer_free(struct mw_answer *a)
{
	for (size_t i = 0; i < a->n_found; i++)
		mw_container_free(&a->found[i].c);
	a->n_found = 0;
}
