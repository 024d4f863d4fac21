/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/owner.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "core/cgroup.h"
#include "util/cleanup.h"

static const char *const names[] = {
	[MW_OWNER_OWN] = "own",
	[MW_OWNER_SYSTEMD] = "systemd",
	[MW_OWNER_FOREIGN] = "foreign",
};
_Static_assert(ARRAY_SIZE(names) == MW_OWNER_MAX, "a name for each owner");

const char *mw_owner_name(enum mw_owner owner)
{
	return owner >= 0 && owner < MW_OWNER_MAX ? names[owner] : "unknown";
}

static const char *const unit_suffixes[] = {".service", ".scope", ".slice", ".socket", ".mount", ".swap"};

/* How container managers name what they make: as units, and as plain directories without systemd. */
static const struct {
	const char *prefix, *manager;
} managers[] = {
	{"docker-", "docker"},
	{"docker", "docker"},
	{"libpod-", "podman"},
	{"libpod_", "podman"},
	{"cri-containerd-", "containerd"},
	{"nerdctl-", "containerd"},
	{"crio-", "cri-o"},
	{"lxc.payload", "lxc"},
};

static bool is_unit(const char *component)
{
	size_t length = strlen(component);

	for (size_t i = 0; i < ARRAY_SIZE(unit_suffixes); i++) {
		size_t n = strlen(unit_suffixes[i]);

		if (length > n && !strcmp(component + length - n, unit_suffixes[i]))
			return true;
	}
	return false;
}

/* Of docker.service itself systemd is the manager: only a whole name or a prefix with its dash counts. */
static const char *manager_of(const char *component)
{
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++) {
		size_t n = strlen(managers[i].prefix);
		char last = managers[i].prefix[n - 1];

		if (strncmp(component, managers[i].prefix, n) != 0)
			continue;
		if (last == '-' || last == '_' || !component[n] || component[n] == '.')
			return is_unit(component) && last != '-' ? "" : managers[i].manager;
	}
	return "";
}

static bool climbs(const char *path)
{
	for (const char *p = strstr(path, ".."); p; p = strstr(p + 1, ".."))
		if ((p == path || p[-1] == '/') && (p[2] == '/' || !p[2]))
			return true;
	return false;
}

/* One component further down. True when the judgement is final: nothing below can change it. */
static bool step(const char *path, const char *component, bool last, mw_delegated_fn delegated, void *arg,
		 struct mw_owner_info *info)
{
	const char *manager = manager_of(component);

	if (*manager)
		info->manager = manager;
	if (strstr(component, "kubepods")) {
		/* The kubelet writes its pods' limits again and again, whatever units they are. */
		info->owner = MW_OWNER_FOREIGN;
		info->manager = "kubelet";
		return true;
	}
	if (!is_unit(component))
		return false;
	snprintf(info->unit, sizeof(info->unit), "%.255s", component); /* NAME_MAX */
	info->below = !last;
	info->owner = MW_OWNER_SYSTEMD;
	if (!*info->manager)
		info->manager = "systemd";
	/* The unit's own directory stays PID 1's; what is below a delegated one is not. */
	info->delegated = !last && delegated(path, arg);
	if (info->delegated)
		info->owner = MW_OWNER_FOREIGN;
	return info->delegated;
}

/*
 * .../SCOPE/container, with the scope delegated by whichever systemd has it. A user's own (users) marks nothing that it
 * delegates; but no systemd makes a directory below a scope, so there is one only where somebody was let make it.
 */
static bool is_payload(const char *path, bool users, mw_delegated_fn delegated, void *arg)
{
	static const char leaf[] = "/container", suffix[] = ".scope";
	char scope[PATH_MAX];
	size_t n;

	snprintf(scope, sizeof(scope), "%s", path);
	n = strlen(scope);
	while (n && scope[n - 1] == '/')
		scope[--n] = '\0';
	if (n < sizeof(leaf) + sizeof(suffix) || strcmp(scope + n - sizeof(leaf) + 1, leaf) != 0)
		return false;
	n -= sizeof(leaf) - 1;
	scope[n] = '\0';
	return !strcmp(scope + n - sizeof(suffix) + 1, suffix) && (users || delegated(scope, arg));
}

int mw_owner_judge(const char *root, const char *cgroup, mw_delegated_fn delegated, void *arg,
		   struct mw_owner_info *ret_info)
{
	struct mw_owner_info info = {.owner = MW_OWNER_FOREIGN, .manager = ""};
	char path[PATH_MAX], *component = path;

	cgroup += strspn(cgroup, "/");
	root += strspn(root, "/");
	if (climbs(cgroup))
		return -EINVAL;
	if (snprintf(path, sizeof(path), "%s", cgroup) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (*root && mw_cgroup_path_holds(root, path)) {
		*ret_info = (struct mw_owner_info){.owner = MW_OWNER_OWN, .manager = ""};
		return 0;
	}
	while (component && *component) {
		char *slash = strchr(component, '/');
		bool final;

		if (slash)
			*slash = '\0'; /* path is now the part down to this component */
		final = step(path, component, !slash || !slash[1], delegated, arg, &info);
		if (slash)
			*slash = '/';
		if (final)
			break;
		component = slash ? slash + 1 : NULL;
	}
	info.payload = info.delegated && is_payload(path, !strncmp(info.unit, "user@", 5), delegated, arg);
	*ret_info = info;
	return 0;
}

enum mw_owner mw_owner_writer(const struct mw_owner_info *info)
{
	if (info->owner != MW_OWNER_FOREIGN)
		return info->owner;
	/* The kubelet sets its pods' limits again and again; a delegated unit's manager may. */
	if (!strcmp(info->manager, "kubelet") || (info->unit[0] && !info->payload))
		return MW_OWNER_FOREIGN;
	return MW_OWNER_OWN;
}

/* systemd marks delegated cgroups for its own tools: trusted.delegate, and user.delegate since 251. */
static bool marked(const char *cgroup, void *arg)
{
	static const char *const marks[] = {"trusted.delegate", "user.delegate"};
	const char *mount = arg;
	char path[PATH_MAX], value[8];

	if (snprintf(path, sizeof(path), "%s/%s", mount, cgroup) >= (int)sizeof(path))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (lgetxattr(path, marks[i], value, sizeof(value)) >= 1 && value[0] == '1')
			return true;
	return false;
}

int mw_owner_of(const char *mount, const char *root, const char *cgroup, struct mw_owner_info *ret_info)
{
	return mw_owner_judge(root, cgroup, marked, (void *)mount, ret_info);
}

const char *mw_owner_say(const struct mw_owner_info *info, const char *cgroup, char *buf, size_t size)
{
	bool container = *info->manager && strcmp(info->manager, "systemd") != 0;

	cgroup += strspn(cgroup, "/");
	buf[0] = '\0';
	if (info->owner == MW_OWNER_SYSTEMD && info->below)
		snprintf(buf, size,
			 "cgroup %s stands below systemd unit %s, which has not delegated it: guard the whole unit "
			 "(--unit %s), or move its processes into a cgroup of ours (--pid ... --move)",
			 cgroup, info->unit, info->unit);
	else if (info->owner == MW_OWNER_SYSTEMD)
		snprintf(buf, size,
			 "cgroup %s belongs to systemd unit %s%s%s%s: PID 1 takes back limits that others write there; "
			 "observe it, or move its processes into a cgroup of ours (--move)",
			 cgroup, info->unit, container ? " (a container of " : "", container ? info->manager : "",
			 container ? ")" : "");
	else if (info->owner == MW_OWNER_FOREIGN && *info->manager)
		snprintf(buf, size,
			 "cgroup %s is managed by %s%s%s: its limits are not ours to write; only reclaim is possible "
			 "there",
			 cgroup, info->manager, *info->unit ? ", unit " : "", info->unit);
	else if (info->owner == MW_OWNER_FOREIGN)
		snprintf(buf, size, "cgroup %s was not made by memweir: its limits are left alone", cgroup);
	return buf;
}
