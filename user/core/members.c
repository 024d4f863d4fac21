/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/members.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define RESTART "systemctl restart memweir: the daemon looks for its group when it starts"

static bool names(const struct group *g, const char *user)
{
	for (char **m = g ? g->gr_mem : NULL; m && *m; m++)
		if (strcmp(*m, user) == 0)
			return true;
	return false;
}

/* Those whose own group it is are not named by it. */
static size_t count_members(const struct group *g, gid_t gid)
{
	const struct passwd *user;
	size_t n = 0;

	for (char **m = g ? g->gr_mem : NULL; m && *m; m++)
		n++;
	setpwent();
	while ((user = getpwent()))
		n += user->pw_gid == gid && !names(g, user->pw_name);
	endpwent();
	return n;
}

bool mw_group_id(const char *group, gid_t *ret_gid)
{
	const struct group *g = getgrnam(group);
	unsigned long number;
	char *end;

	if (g) {
		*ret_gid = g->gr_gid;
		return true;
	}
	errno = 0;
	number = strtoul(group, &end, 10);
	if (*end || end == group || errno || number >= (gid_t)-1)
		return false;
	*ret_gid = (gid_t)number;
	return true;
}

struct mw_group_seen mw_group_find(const char *group)
{
	struct mw_group_seen seen = {0};
	const struct group *g;

	if (!mw_group_id(group, &seen.gid))
		return seen;
	g = getgrnam(group) ?: getgrgid(seen.gid);
	seen.known = true;
	seen.named = g;
	seen.members = count_members(g, seen.gid);
	return seen;
}

const char *mw_group_name(gid_t gid, char *buf, size_t size)
{
	const struct group *g = getgrgid(gid);

	if (g)
		snprintf(buf, size, "%s", g->gr_name);
	else
		snprintf(buf, size, "%u", (unsigned int)gid);
	return buf;
}

static void say_group(const struct mw_config *cfg, const struct mw_group_seen *g, struct mw_members_word *w)
{
	const char *name = cfg->tree.group;

	if (!name[0]) {
		snprintf(w->found, sizeof(w->found), "none is configured ([tree] group): only root may run workers");
	} else if (!g->known) {
		*w = (struct mw_members_word){
			.lost = "only root may use the socket",
			.how = "groupadd --system NAME, or correct [tree] group; then " RESTART,
		};
		snprintf(w->found, sizeof(w->found), "[tree] group = %s: there is no such group", name);
	} else if (!g->members) {
		*w = (struct mw_members_word){
			.lost = "nobody but root may use the socket",
			.how = "usermod --append --groups NAME USER; it counts from the user's next login",
		};
		snprintf(w->found, sizeof(w->found), "%s (gid %u) has no members", name, (unsigned int)g->gid);
	} else {
		snprintf(w->found, sizeof(w->found), "%s (gid %u%s) has %zu member%s", name, (unsigned int)g->gid,
			 g->named ? "" : ", without a name", g->members, g->members == 1 ? "" : "s");
	}
}

static bool say_socket(const struct mw_config *cfg, const struct mw_group_seen *g, const struct mw_socket_seen *s,
		       struct mw_members_word *w)
{
	const char *name = cfg->tree.group;
	bool open = s->mode & 0020, ours = name[0] && g->known && s->gid == g->gid;

	if (!s->up || (!open && !g->known))
		return false;
	if (open && !ours) {
		*w = (struct mw_members_word){.lost = "its members still may use the socket", .how = RESTART};
		snprintf(w->found, sizeof(w->found), "%s belongs to group %s (mode %04o), and %s is configured",
			 s->path, s->group, s->mode, name[0] ? name : "none");
		if (g->known)
			w->lost = "members are refused by the kernel, and that group is not";
	} else if (!open) {
		*w = (struct mw_members_word){.lost = "members are refused by the kernel", .how = RESTART};
		snprintf(w->found, sizeof(w->found), "%s is root's alone (mode %04o), not of group %s", s->path,
			 s->mode, name);
	} else if (!(s->dir_mode & 0001) && !(s->dir_gid == g->gid && s->dir_mode & 0010)) {
		*w = (struct mw_members_word){.lost = "members are refused by the kernel",
					      .how = "chmod 755 the directory the socket is in"};
		snprintf(w->found, sizeof(w->found), "members cannot reach %s: its directory has mode %04o", s->path,
			 s->dir_mode);
	} else {
		snprintf(w->found, sizeof(w->found), "members of %s may use %s", name, s->path);
	}
	return true;
}

static void say_workers(const struct mw_config *cfg, struct mw_members_word *w)
{
	size_t len = (size_t)snprintf(w->found, sizeof(w->found), "members may run %u worker%s each, in ",
				      cfg->monitor.user_workers, cfg->monitor.user_workers == 1 ? "" : "s");
	size_t n = 0;

	for (size_t i = 0; i < cfg->n_classes; i++) {
		const char *name = cfg->classes[i].name;
		bool fits = len + strlen(name) + sizeof(", ...") + 2 <= sizeof(w->found);

		if (!cfg->classes[i].profile.selectable)
			continue;
		len += (size_t)snprintf(w->found + len, sizeof(w->found) - len, "%s%s", n++ ? ", " : "",
					fits ? name : "...");
		if (!fits)
			break;
	}
	if (n && cfg->monitor.user_workers)
		return;
	*w = (struct mw_members_word){
		.lost = "members can run nothing under guard",
		.how = n ? "[monitor] user_workers = how many each may have"
			 : "selectable = yes in each [class NAME] members may choose",
	};
	snprintf(w->found, sizeof(w->found), "%s",
		 n ? "user_workers = 0: members may run none" : "no class is selectable: members may run none");
}

bool mw_members_say(enum mw_members_about about, const struct mw_config *cfg, const struct mw_group_seen *group,
		    const struct mw_socket_seen *sock, struct mw_members_word *ret_word)
{
	static const char *const rows[] = {"group", "group-socket", "group-workers"};
	struct mw_members_word w = {.have = true, .lost = "", .how = ""};
	bool says = about == MW_MEMBERS_GROUP || cfg->tree.group[0];

	_Static_assert(ARRAY_SIZE(rows) == MW_MEMBERS_MAX, "a name for each");
	if (about == MW_MEMBERS_GROUP)
		say_group(cfg, group, &w);
	else if (about == MW_MEMBERS_SOCKET)
		says = say_socket(cfg, group, sock, &w);
	else if (says)
		say_workers(cfg, &w);
	if (!says)
		return false;
	w.name = rows[about];
	*ret_word = w;
	return true;
}
