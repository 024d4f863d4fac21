/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Which class does a newcomer get, who says so, and why? Nothing is looked up here. Whom is trusted, most first:
 * the command line (which never comes here), a rule, trusted.memweir.class on the cgroup, the annotation
 * memweir.class, user.memweir.class, the slice memweir-CLASS.slice, the label memweir.class. Annotation, user attribute
 * and label are the workload's own word: only classes marked selectable, and never looser than its slice.
 */
#ifndef MW_RULE_H
#define MW_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "containers/container.h"
#include "core/config.h"

#define MW_CLASS_KEY "memweir.class" /* of annotations and labels; of attributes after "trusted." and "user." */

enum mw_class_from {
	MW_FROM_NOBODY,
	MW_FROM_COMMAND_LINE,
	MW_FROM_RULE,
	MW_FROM_TRUSTED_XATTR,
	MW_FROM_ANNOTATION,
	MW_FROM_USER_XATTR,
	MW_FROM_SLICE,
	MW_FROM_LABEL,
	MW_FROM_MAX,
};
const char *mw_class_from_name(enum mw_class_from from); /* "command-line" */
int mw_class_from_parse(const char *text, enum mw_class_from *ret_from); /* -EINVAL */

/* Texts are "" where nothing is known, never NULL. */
struct mw_newcomer {
	const struct mw_container *container; /* NULL: a process of the host */
	const char *executable; /* path */
	const char *arguments; /* after its own name, a blank between each two */
	uid_t uid;
	const char *parent; /* class of the worker whose cgroup it is in; "": of none */
	const char *cgroup; /* path from the cgroup root, with a leading slash */
	const char *trusted, *user; /* the attributes' values */
};

struct mw_ruling {
	enum mw_class_from from; /* MW_FROM_NOBODY: no class, and no rule that says so */
	char class_name[MW_NAME_SIZE]; /* "": no class */
	char rule[MW_NAME_SIZE]; /* MW_FROM_RULE */
	enum mw_rule_about about; /* MW_ABOUT_PROCESS: it alone; else its whole cgroup */
	char why[192]; /* who said what; also of a word that did not count */
};
void mw_rule_decide(const struct mw_config *cfg, const struct mw_newcomer *n, struct mw_ruling *ret_ruling);

/* What of newcomers has to be known, so that nothing is looked up in vain. */
struct mw_rule_needs {
	bool processes; /* every program that is started */
	bool parents; /* those started in workers too */
	bool cgroups; /* cgroups that come to life */
	bool containers; /* and which container each is */
};
struct mw_rule_needs mw_rule_needs(const struct mw_config *cfg);

/*
 * The innermost service or scope cgroup stands in: its name, and in *ret_length how much of cgroup leads to its
 * directory. NULL and 0: none. Returns buf.
 */
const char *mw_rule_unit(const char *cgroup, char *buf, size_t size, size_t *ret_length);
/* The directory of that unit, from the cgroup root; cgroup itself where it stands in none. */
void mw_rule_top(const char *cgroup, char *ret_path, size_t size);

#endif
