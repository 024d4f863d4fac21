/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* doctor: users who are not root: who they are, whether they reach the daemon, and what they may run. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/members.h"
#include "daemon/doctor.h"

static struct mw_socket_seen look_at(const char *path, bool up)
{
	struct mw_socket_seen s = {.path = path, .up = up};
	char dir[512];
	struct stat st;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	if (!up || stat(path, &st) < 0) {
		s.up = false;
		return s;
	}
	s.gid = st.st_gid;
	s.mode = st.st_mode & 07777;
	mw_group_name(st.st_gid, s.group, sizeof(s.group));
	if (stat(dir, &st) == 0) {
		s.dir_mode = st.st_mode & 07777;
		s.dir_gid = st.st_gid;
	}
	return s;
}

/* The same for programs. */
static struct json_object *as_json(const struct mw_config *cfg, const struct mw_group_seen *g,
				   const struct mw_socket_seen *s)
{
	struct json_object *o = json_object_new_object(), *classes = json_object_new_array();
	char mode[16];

	snprintf(mode, sizeof(mode), "%04o", s->mode);
	json_object_object_add(o, "group", cfg->tree.group[0] ? json_object_new_string(cfg->tree.group) : NULL);
	json_object_object_add(o, "gid", g->known ? json_object_new_uint64(g->gid) : NULL);
	json_object_object_add(o, "members", g->known ? json_object_new_uint64(g->members) : NULL);
	json_object_object_add(o, "socket", json_object_new_string(s->path));
	json_object_object_add(o, "socket_group", s->up ? json_object_new_string(s->group) : NULL);
	json_object_object_add(o, "socket_mode", s->up ? json_object_new_string(mode) : NULL);
	json_object_object_add(o, "user_workers", json_object_new_uint64(cfg->monitor.user_workers));
	for (size_t i = 0; i < cfg->n_classes; i++)
		if (cfg->classes[i].profile.selectable)
			json_object_array_add(classes, json_object_new_string(cfg->classes[i].name));
	json_object_object_add(o, "classes", classes);
	return o;
}

void mw_doctor_members(struct mw_findings *f, const struct mw_config *cfg, const char *socket_path, bool up)
{
	struct mw_socket_seen s = look_at(socket_path, up);
	struct mw_group_seen g = mw_group_find(cfg->tree.group);
	struct mw_members_word w;

	for (enum mw_members_about i = 0; i < MW_MEMBERS_MAX; i++) {
		struct mw_finding *row;

		if (!mw_members_say(i, cfg, &g, &s, &w))
			continue;
		row = mw_finding_add(f, w.name, w.have, w.lost, w.how);
		snprintf(row->found, sizeof(row->found), "%s", w.found);
	}
	f->access = as_json(cfg, &g, &s);
}
