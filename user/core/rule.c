/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/rule.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

#define COMPONENT_MAX 256 /* NAME_MAX and a NUL */

/* ---- parts of a cgroup's path ---- */

/* The next component of path into buf, cut where it is longer than a file's name can be. NULL: there is none. */
static const char *next_component(const char *path, char *buf, size_t size)
{
	size_t len;

	path += strspn(path, "/");
	len = strcspn(path, "/");
	if (!len)
		return NULL;
	snprintf(buf, size, "%.*s", (int)(len < size ? len : size - 1), path);
	return path + len;
}

static bool ends_in(const char *text, const char *suffix)
{
	size_t len = strlen(text), n = strlen(suffix);

	return len > n && strcmp(text + len - n, suffix) == 0;
}

const char *mw_rule_unit(const char *cgroup, char *buf, size_t size, size_t *ret_length)
{
	const char *at = cgroup, *unit = NULL;
	char component[COMPONENT_MAX];

	*ret_length = 0;
	while ((at = next_component(at, component, sizeof(component)))) {
		if (!ends_in(component, ".service") && !ends_in(component, ".scope"))
			continue;
		snprintf(buf, size, "%s", component);
		*ret_length = (size_t)(at - cgroup);
		unit = buf;
	}
	return unit;
}

void mw_rule_top(const char *cgroup, char *ret_path, size_t size)
{
	char unit[COMPONENT_MAX];
	size_t length;

	mw_rule_unit(cgroup, unit, sizeof(unit), &length);
	snprintf(ret_path, size, "%.*s", (int)(length ? length : strlen(cgroup)), cgroup);
}

static bool slice_fits(const char *pattern, const char *cgroup)
{
	char component[COMPONENT_MAX];

	while ((cgroup = next_component(cgroup, component, sizeof(component))))
		if (ends_in(component, ".slice") && fnmatch(pattern, component, 0) == 0)
			return true;
	return false;
}

/* memweir-CLASS.slice, the innermost; "" without. */
static const char *slice_class(const char *cgroup, char *buf, size_t size)
{
	static const char prefix[] = "memweir-", suffix[] = ".slice";
	char component[COMPONENT_MAX];

	*buf = '\0';
	while ((cgroup = next_component(cgroup, component, sizeof(component)))) {
		size_t len = strlen(component);

		if (strncmp(component, prefix, sizeof(prefix) - 1) != 0 || !ends_in(component, suffix) ||
		    len <= sizeof(prefix) + sizeof(suffix) - 2)
			continue;
		component[len - (sizeof(suffix) - 1)] = '\0';
		snprintf(buf, size, "%s", component + sizeof(prefix) - 1);
	}
	return buf;
}

/* ---- patterns ---- */

static bool fits(const char *pattern, const char *text)
{
	return !*pattern || (*text && fnmatch(pattern, text, 0) == 0);
}

static bool unit_fits(const char *pattern, const char *cgroup)
{
	char unit[COMPONENT_MAX];
	size_t length;

	return !*pattern || (mw_rule_unit(cgroup, unit, sizeof(unit), &length) && fnmatch(pattern, unit, 0) == 0);
}

static bool label_fits(const char *pattern, const struct mw_container *c, enum mw_label_kind kind)
{
	bool pair = strchr(pattern, '=');

	for (size_t i = 0; *pattern && i < c->n_labels; i++) {
		const struct mw_label *l = &c->labels[i];
		char text[256 + 1 + 1024]; /* see container.h */

		if (l->kind != kind)
			continue;
		snprintf(text, sizeof(text), "%s%s%s", l->key, pair ? "=" : "", pair ? l->value : "");
		if (fnmatch(pattern, text, 0) == 0)
			return true;
	}
	return !*pattern;
}

static bool container_fits(const struct mw_rule *r, const struct mw_container *c)
{
	return fits(r->container, c->name) && fits(r->image, c->image) && fits(r->pod, c->pod) &&
	       fits(r->namespace, c->namespace) && label_fits(r->label, c, MW_LABEL_LABEL) &&
	       label_fits(r->annotation, c, MW_LABEL_ANNOTATION);
}

static bool process_fits(const struct mw_rule *r, const struct mw_newcomer *n)
{
	const char *slash = strrchr(n->executable, '/');
	const char *executable = slash && !strchr(r->executable, '/') ? slash + 1 : n->executable;
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", n->uid);
	return fits(r->executable, executable) && fits(r->arguments, n->arguments) && fits(r->parent, n->parent) &&
	       fits(r->uid, uid);
}

static bool rule_fits(const struct mw_rule *r, const struct mw_newcomer *n)
{
	enum mw_rule_about about = mw_rule_about(r);

	/* Who is in a worker stays there, unless a rule speaks of such. */
	if (*n->parent && !*r->parent)
		return false;
	if (about == MW_ABOUT_CONTAINER && (!n->container || !container_fits(r, n->container)))
		return false;
	if (about == MW_ABOUT_PROCESS && (n->container || !process_fits(r, n)))
		return false;
	return unit_fits(r->unit, n->cgroup) && (!*r->slice || slice_fits(r->slice, n->cgroup));
}

static const struct mw_rule *find_rule(const struct mw_config *cfg, const struct mw_newcomer *n)
{
	const struct mw_rule *found = NULL;

	for (size_t i = 0; i < cfg->n_rules; i++) {
		const struct mw_rule *r = &cfg->rules[i];

		if ((!found || r->priority > found->priority) && rule_fits(r, n))
			found = r;
	}
	return found;
}

/* ---- carriers ---- */

static const char *label_of(const struct mw_newcomer *n, enum mw_label_kind kind)
{
	const char *value = n->container ? mw_container_label(n->container, kind, MW_CLASS_KEY) : NULL;

	return value ?: "";
}

static bool is_tighter(const struct mw_class *a, const struct mw_class *b)
{
	return a->profile.max_heap <= b->profile.max_heap && a->profile.policy >= b->profile.policy;
}

struct carrier {
	enum mw_class_from from;
	const char *word;
	bool own; /* the workload's own word */
};

/* Does this word count? why says what became of it. */
static const struct mw_class *listen(const struct mw_config *cfg, const struct carrier *c, const struct mw_class *slice,
				     char *why, size_t size)
{
	const struct mw_class *cls = *c->word ? mw_config_class(cfg, c->word) : NULL;
	const char *objection = NULL;

	if (!*c->word)
		return NULL;
	if (!cls)
		objection = "there is no such class";
	else if (c->own && !cls->profile.selectable)
		objection = "the class is not selectable";
	else if (c->own && slice && !is_tighter(cls, slice))
		objection = "looser than its slice's";
	snprintf(why, size, "%s says %.63s%s%s", mw_class_from_name(c->from), c->word, objection ? ": " : "",
		 objection ? objection : "");
	return objection ? NULL : cls;
}

static void ask_carriers(const struct mw_config *cfg, const struct mw_newcomer *n, struct mw_ruling *ruling)
{
	char in_slice[COMPONENT_MAX];
	const struct carrier carriers[] = {
		{MW_FROM_TRUSTED_XATTR, n->trusted, false},
		{MW_FROM_ANNOTATION, label_of(n, MW_LABEL_ANNOTATION), true},
		{MW_FROM_USER_XATTR, n->user, true},
		{MW_FROM_SLICE, slice_class(n->cgroup, in_slice, sizeof(in_slice)), false},
		{MW_FROM_LABEL, label_of(n, MW_LABEL_LABEL), true},
	};
	const struct mw_class *slice = *in_slice ? mw_config_class(cfg, in_slice) : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(carriers); i++) {
		const struct mw_class *cls = listen(cfg, &carriers[i], slice, ruling->why, sizeof(ruling->why));

		if (!cls)
			continue;
		ruling->from = carriers[i].from;
		memcpy(ruling->class_name, cls->name, sizeof(ruling->class_name));
		return;
	}
}

void mw_rule_decide(const struct mw_config *cfg, const struct mw_newcomer *n, struct mw_ruling *ret_ruling)
{
	struct mw_ruling ruling = {.about = n->container ? MW_ABOUT_CONTAINER : MW_ABOUT_CGROUP};
	const struct mw_rule *r = find_rule(cfg, n);

	if (r) {
		ruling.from = MW_FROM_RULE;
		if (mw_rule_about(r) == MW_ABOUT_PROCESS)
			ruling.about = MW_ABOUT_PROCESS;
		memcpy(ruling.rule, r->name, sizeof(ruling.rule));
		if (strcmp(r->class_name, MW_RULE_NONE) != 0)
			memcpy(ruling.class_name, r->class_name, sizeof(ruling.class_name));
		snprintf(ruling.why, sizeof(ruling.why), "rule %s", r->name);
	} else if (cfg->monitor.class_carriers && !*n->parent) {
		ask_carriers(cfg, n, &ruling);
	}
	*ret_ruling = ruling;
}

struct mw_rule_needs mw_rule_needs(const struct mw_config *cfg)
{
	struct mw_rule_needs needs = {.cgroups = cfg->monitor.class_carriers,
				      .containers = cfg->monitor.class_carriers};

	for (size_t i = 0; i < cfg->n_rules; i++) {
		const struct mw_rule *r = &cfg->rules[i];
		enum mw_rule_about about = mw_rule_about(r);

		needs.parents |= *r->parent != '\0';
		needs.processes |= about == MW_ABOUT_PROCESS && !*r->parent;
		needs.cgroups |= about != MW_ABOUT_PROCESS;
		needs.containers |= about == MW_ABOUT_CONTAINER;
	}
	return needs;
}
