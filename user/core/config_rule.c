/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Rules as they are written down; what fits whom is core/rule.c's. */
#include "core/config_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

enum mw_rule_about mw_rule_about(const struct mw_rule *r)
{
	if (*r->container || *r->image || *r->label || *r->annotation || *r->pod || *r->namespace)
		return MW_ABOUT_CONTAINER;
	return *r->executable || *r->arguments || *r->parent || *r->uid ? MW_ABOUT_PROCESS : MW_ABOUT_CGROUP;
}

/* Past the bracket expression that begins at text; NULL: it is not closed. */
static const char *skip_bracket(const char *text)
{
	text++;
	text += *text == '!' || *text == '^';
	text += *text == ']';
	for (; *text && *text != ']'; text++) {
		if (*text == '[' && strchr(":.=", text[1]) && text[1]) {
			char end[3] = {text[1], ']', '\0'};

			text = strstr(text + 2, end);
			if (!text)
				return NULL;
			text++;
		}
	}
	return *text ? text + 1 : NULL;
}

/* fnmatch takes a [ that is not closed for itself, which nobody means. What would begin a comment no file can hold. */
int mw_pattern_check(const char *pattern, unsigned int flags)
{
	size_t len = strlen(pattern);

	if (*pattern == ' ' || *pattern == ';' || (len && pattern[len - 1] == ' ') || strstr(pattern, " ;"))
		return -EINVAL;
	for (const char *c = pattern; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f ||
		    ((flags & MW_KEY_DIGITS) && !strchr("0123456789*?[]!^-", *c)))
			return -EINVAL;
	while (*pattern) {
		if (*pattern == '\\' && !pattern[1])
			return -EINVAL;
		if (*pattern == '[') {
			pattern = skip_bracket(pattern);
			if (!pattern)
				return -EINVAL;
			continue;
		}
		pattern += *pattern == '\\' ? 2 : 1;
	}
	return 0;
}

static struct mw_rule *find_rule(const struct mw_config *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->n_rules; i++)
		if (strcmp(cfg->rules[i].name, name) == 0)
			return &cfg->rules[i];
	return NULL;
}

static int add_rule(struct mw_config *cfg, const char *name, struct mw_error *err)
{
	struct mw_rule *grown;

	if (cfg->n_rules == MW_CONFIG_RULES_MAX)
		return mw_fail(err, -E2BIG, "[rule %s]: more than %d rules", name, MW_CONFIG_RULES_MAX);
	grown = reallocarray(cfg->rules, cfg->n_rules + 1, sizeof(*grown));
	if (!grown)
		return mw_fail(err, -ENOMEM, "out of memory");
	cfg->rules = grown;
	grown[cfg->n_rules] = (struct mw_rule){0};
	snprintf(grown[cfg->n_rules++].name, sizeof(grown->name), "%s", name);
	return 0;
}

static void keep_place(struct mw_rule *rule, const struct mw_where *at)
{
	snprintf(rule->file, sizeof(rule->file), "%s", at->file ? at->file : "");
	rule->line = at->line;
}

/* Of what set --save has written, set can take away again; of what people wrote it cannot. */
static void keep_hand(struct mw_rule *rule, const struct mw_where *at)
{
	static const char saved[] = MW_SET_DROPIN_DIR MW_SET_DROPIN;
	size_t len = at->file ? strlen(at->file) : 0;

	if (!len || *rule->hand_file ||
	    (len >= sizeof(saved) - 1 && strcmp(at->file + len - (sizeof(saved) - 1), saved) == 0))
		return;
	snprintf(rule->hand_file, sizeof(rule->hand_file), "%s", at->file);
	rule->hand_line = at->line;
}

int mw_rule_apply(struct mw_config *cfg, const struct mw_where *at, const struct mw_section *section,
		  const struct mw_key *key, const char *value, struct mw_error *err)
{
	struct mw_rule *rule = find_rule(cfg, section->name);
	int r;

	if (!rule) {
		r = add_rule(cfg, section->name, err);
		if (r < 0)
			return r;
		rule = find_rule(cfg, section->name);
		keep_place(rule, at);
	}
	keep_hand(rule, at);
	if (!key)
		return 0;
	if (mw_key_parse(key, mw_is_default(key, value) ? key->def : value, rule) < 0)
		return mw_say_wrong_value(err, at, section, key, value);
	if (key->offset == offsetof(struct mw_rule, class_name))
		keep_place(rule, at);
	return 0;
}

const struct mw_rule *mw_config_rule(const struct mw_config *cfg, const char *target)
{
	struct mw_section section;

	if (mw_section_parse(target, &(struct mw_where){0}, &section, NULL) < 0 || section.kind != MW_SECTION_RULE)
		return NULL;
	return find_rule(cfg, section.name);
}

int mw_config_remove(struct mw_config *cfg, const char *target, struct mw_error *err)
{
	struct mw_section section;
	struct mw_rule *rule;
	int r = mw_section_parse(target, &(struct mw_where){0}, &section, err);

	if (r < 0)
		return r;
	if (section.kind != MW_SECTION_RULE)
		return mw_fail(err, -EINVAL,
			       "%s: only a rule can be removed; what was set of others goes back with "
			       "KEY=default",
			       target);
	rule = find_rule(cfg, section.name);
	if (!rule)
		return mw_say_unknown_rule(err, cfg, section.name);
	cfg->n_rules--;
	memmove(rule, rule + 1, (size_t)(cfg->rules + cfg->n_rules - rule) * sizeof(*rule));
	return 0;
}

static int check_class(const struct mw_config *cfg, const struct mw_where *at, const struct mw_section *section,
		       const char *key, const char *name, struct mw_error *err)
{
	struct mw_error known = {0};

	if (mw_config_class(cfg, name))
		return 0;
	mw_say_unknown_class(&known, cfg, name);
	return mw_config_say(err, -EINVAL, at, section, key, name, "a class there is%s: %s",
			     strcmp(key, "class") == 0 ? ", or none" : "", known.text);
}

static int check_one(const struct mw_config *cfg, const struct mw_rule *rule, struct mw_error *err)
{
	const struct mw_where at = {.file = *rule->file ? rule->file : NULL, .line = rule->line};
	struct mw_section section = {.kind = MW_SECTION_RULE};
	struct mw_rule rest = *rule;
	int r;

	memcpy(section.name, rule->name, sizeof(section.name));
	if (!*rule->class_name)
		return mw_config_say(err, -EINVAL, &at, &section, "class", NULL,
				     "the name of a class, or none: nothing follows from the rule without");
	r = strcmp(rule->class_name, MW_RULE_NONE) == 0
		    ? 0
		    : check_class(cfg, &at, &section, "class", rule->class_name, err);
	if (r >= 0 && *rule->parent && !strpbrk(rule->parent, "*?[\\"))
		r = check_class(cfg, &at, &section, "parent", rule->parent, err);
	if (r < 0)
		return r;
	*rest.container = *rest.image = *rest.label = *rest.annotation = *rest.pod = *rest.namespace = '\0';
	if (mw_rule_about(rule) == MW_ABOUT_CONTAINER && mw_rule_about(&rest) == MW_ABOUT_PROCESS)
		return mw_config_say(err, -EINVAL, &at, &section, NULL, "patterns of containers and of processes",
				     "one kind in a rule (of processes: executable, arguments, parent, uid): no "
				     "newcomer is both");
	if (mw_rule_about(rule) == MW_ABOUT_CGROUP && !*rule->unit && !*rule->slice)
		return mw_config_say(err, -EINVAL, &at, &section, NULL, NULL,
				     "a pattern, as container, executable or unit: without, it would fit everybody");
	return 0;
}

int mw_rules_check(const struct mw_config *cfg, struct mw_error *err)
{
	int r = 0;

	for (size_t i = 0; i < cfg->n_rules && r >= 0; i++)
		r = check_one(cfg, &cfg->rules[i], err);
	return r;
}
