/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What engines call their containers. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_in.h"
#include "containers/state.h"
#include "util/cleanup.h"
#include "util/utf8.h"

int mw_state_docker(const char *text, size_t n, struct mw_found *f, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	struct json_object *config, *labels;
	char name[MW_CONTAINER_NAME];
	int r = mw_json_parse(text, n, &obj, err);

	if (r < 0)
		return r;
	if (!mw_json_member_text(obj, "Name", name, sizeof(name)))
		return mw_fail(err, -EBADMSG, "Name: expected a text");
	strcpy(f->c.name, name + (name[0] == '/'));
	config = mw_json_member(obj, "Config", json_type_object);
	mw_json_member_text(config, "Image", f->c.image, sizeof(f->c.image));
	labels = mw_json_member(config, "Labels", json_type_object);
	if (!labels)
		return 0;
	json_object_object_foreach (labels, key, value) {
		if (!json_object_is_type(value, json_type_string))
			continue;
		r = mw_container_add_label(&f->c, MW_LABEL_LABEL, key, strlen(key), json_object_get_string(value),
					   (size_t)json_object_get_string_len(value));
		if (r < 0)
			return r;
	}
	return 0;
}

/* metadata is JSON within JSON. */
static void storage_image(struct json_object *container, char *ret_image, size_t size)
{
	_cleanup_(mw_json_putp) struct json_object *inner = NULL;
	struct json_object *metadata = mw_json_member(container, "metadata", json_type_string);

	ret_image[0] = '\0';
	if (metadata && mw_json_parse(json_object_get_string(metadata), (size_t)json_object_get_string_len(metadata),
				      &inner, NULL) == 0)
		mw_json_member_text(inner, "image-name", ret_image, size);
}

int mw_state_storage(const char *text, size_t n, mw_state_name_fn *fn, void *arg, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *list = NULL;
	char id[MW_CONTAINER_ID], name[MW_CONTAINER_NAME], image[MW_CONTAINER_NAME];
	int r = mw_json_parse(text, n, &list, err);

	if (r < 0)
		return r;
	if (!json_object_is_type(list, json_type_array))
		return mw_fail(err, -EBADMSG, "expected a list of containers");
	for (size_t i = 0; !r && i < json_object_array_length(list); i++) {
		struct json_object *container = json_object_array_get_idx(list, i), *names, *first;

		if (!mw_json_member_text(container, "id", id, sizeof(id)) || !mw_container_id_valid(id, strlen(id)))
			continue;
		names = mw_json_member(container, "names", json_type_array);
		first = names && json_object_array_length(names) ? json_object_array_get_idx(names, 0) : NULL;
		if (!json_object_is_type(first, json_type_string) ||
		    !mw_container_id_valid(json_object_get_string(first), (size_t)json_object_get_string_len(first)))
			continue;
		strcpy(name, json_object_get_string(first));
		storage_image(container, image, sizeof(image));
		r = fn(id, name, image, arg);
	}
	return r;
}

/* KEY=VALUE of a line that ends before end, with quotes and doubled backslashes taken off ("machine-a\x2db.scope"). */
static bool line_value(const char *line, const char *end, const char *key, char *ret, size_t size)
{
	size_t n = strlen(key), used = 0;

	if ((size_t)(end - line) <= n || strncmp(line, key, n) != 0 || line[n] != '=')
		return false;
	line += n + 1;
	if (end - line >= 2 && line[0] == '"' && end[-1] == '"') {
		line++;
		end--;
	}
	for (; line < end; line++) {
		if (*line == '\\' && (++line == end || *line != '\\'))
			return false;
		if (*line < ' ' || used + 1 >= size)
			return false;
		ret[used++] = *line;
	}
	ret[used] = '\0';
	return used;
}

int mw_state_machine(const char *text, size_t n, struct mw_found *f, struct mw_error *err)
{
	char leader[16] = "", class[32] = "", unit[MW_CONTAINER_NAME] = "";
	char *rest;
	unsigned long pid;

	for (const char *line = text, *end; line < text + n; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + n - line));
		if (!end)
			end = text + n;
		line_value(line, end, "LEADER", leader, sizeof(leader));
		line_value(line, end, "CLASS", class, sizeof(class));
		line_value(line, end, "SCOPE", unit, sizeof(unit));
	}
	if (strcmp(class, "container") != 0)
		return mw_fail(err, -ENOENT, "CLASS: not a container");
	pid = strtoul(leader, &rest, 10);
	if (leader[0] < '0' || leader[0] > '9' || *rest || !pid || pid > INT_MAX)
		return mw_fail(err, -EBADMSG, "LEADER: expected the number of a process");
	if (!unit[0] || unit[0] == '.' || strchr(unit, '/') || !mw_utf8_plain(unit))
		return mw_fail(err, -EBADMSG, "SCOPE: expected a unit");
	f->c.pid = (pid_t)pid;
	strcpy(f->unit, unit);
	return 0;
}

/* A part that ends at stop, into ret; what is behind, NULL if there is none or it is no name. */
static const char *link_part(const char *at, char stop, char *ret, size_t size)
{
	const char *end = strchr(at, stop);

	if (!end || (size_t)(end - at) >= size || !mw_container_id_valid(at, (size_t)(end - at)))
		return NULL;
	memcpy(ret, at, (size_t)(end - at));
	ret[end - at] = '\0';
	return end + 1;
}

bool mw_state_link(const char *file, struct mw_found *f)
{
	const char *dash = strrchr(file, '-'), *at = file;
	size_t n = dash ? strlen(dash + 1) : 0;
	char name[MW_CONTAINER_NAME];

	if (n <= 4 || strcmp(dash + 1 + n - 4, ".log") != 0 || !mw_container_id_valid(dash + 1, n - 4))
		return false;
	at = link_part(at, '_', f->c.pod, sizeof(f->c.pod));
	at = at ? link_part(at, '_', f->c.namespace, sizeof(f->c.namespace)) : NULL;
	if (!at || at >= dash || (size_t)(dash - at) >= sizeof(name) || !mw_container_id_valid(at, (size_t)(dash - at)))
		return false;
	memcpy(f->c.name, at, (size_t)(dash - at));
	f->c.name[dash - at] = '\0';
	memcpy(f->c.id, dash + 1, n - 4);
	f->c.id[n - 4] = '\0';
	return true;
}

/* What an annotation or a label says, where nothing better is known. */
static void fill(struct mw_container *c, const char *key, char *to, size_t size)
{
	const char *value = mw_container_label(c, MW_LABEL_ANNOTATION, key);

	if (!value)
		value = mw_container_label(c, MW_LABEL_LABEL, key);
	if (value && strlen(value) < size)
		strcpy(to, value);
}

void mw_state_kubernetes(struct mw_found *f)
{
	static const struct {
		const char *key;
		size_t at, size;
	} rows[] = {
#define ROW(key, member) {key, offsetof(struct mw_container, member), sizeof(((struct mw_container *)0)->member)}
		ROW("io.kubernetes.cri.container-name", name),
		ROW("io.kubernetes.cri.sandbox-name", pod),
		ROW("io.kubernetes.cri.sandbox-namespace", namespace),
		ROW("io.kubernetes.cri.image-name", image),
		ROW("io.kubernetes.container.name", name),
		ROW("io.kubernetes.pod.name", pod),
		ROW("io.kubernetes.pod.namespace", namespace),
		ROW("io.kubernetes.cri-o.ImageName", image),
#undef ROW
	};
	const char *manager = mw_container_label(&f->c, MW_LABEL_ANNOTATION, "io.container.manager");

	if (manager && !strcmp(manager, "libpod"))
		strcpy(f->c.engine, "podman");
	else if (manager && !strcmp(manager, "cri-o"))
		strcpy(f->c.engine, "cri-o");
	/* podman writes some of these for its own purposes. */
	if (!strcmp(f->c.engine, "podman"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fill(&f->c, rows[i].key, (char *)&f->c + rows[i].at, rows[i].size);
}
