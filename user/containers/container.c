/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "containers/container.h"

void mw_container_free(struct mw_container *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_labels; i++) {
		free(c->labels[i].key);
		free(c->labels[i].value);
	}
	free(c->labels);
	c->labels = NULL;
	c->n_labels = 0;
}

const char *mw_container_label(const struct mw_container *c, enum mw_label_kind kind, const char *key)
{
	for (size_t i = 0; i < c->n_labels; i++) {
		if (c->labels[i].kind == kind && !strcmp(c->labels[i].key, key))
			return c->labels[i].value;
	}
	return NULL;
}
