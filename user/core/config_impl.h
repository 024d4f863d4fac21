/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Inside of the configuration, for config*.c and profile.c only. A line goes
 * config_load (files) -> config_parse (text) -> config_apply (sections) -> config_value (one key),
 * and all of them read the table of config_keys.
 */
#ifndef MW_CONFIG_IMPL_H
#define MW_CONFIG_IMPL_H

#include <stdio.h>

#include "core/config.h"

#define MW_CONFIG_FILE_MAX     (1U << 20)
#define MW_CONFIG_CLASSES_MAX  256
#define MW_CONFIG_SETTINGS_MAX 8192
#define MW_CONFIG_RULES_MAX    256
#define MW_CONFIG_SECTIONS_MAX 16384 /* different ones in one file */
#define MW_SET_DROPIN_DIR      "/etc/memweir/memweir.conf.d/"
#define MW_SET_DROPIN	       "90-set.conf"

enum mw_section_kind {
	MW_SECTION_MONITOR,
	MW_SECTION_TREE,
	MW_SECTION_HTTP,
	MW_SECTION_OTLP,
	MW_SECTION_CLASS,
	MW_SECTION_WORKER,
	MW_SECTION_RULE,
	MW_SECTION_MAX,
};

struct mw_section {
	enum mw_section_kind kind;
	char name[MW_NAME_SIZE]; /* of a class, worker or rule; else "" */
};

/* Where a setting was written; file NULL: in a call, not in a file. */
struct mw_where {
	const char *file;
	unsigned int line;
};

enum mw_key_type {
	MW_KEY_SIZE, /* __u64 bytes */
	MW_KEY_DURATION, /* __u64 ns */
	MW_KEY_RATIO, /* double; min and max of its row in thousandths */
	MW_KEY_COUNT, /* __u32 */
	MW_KEY_BOOL, /* bool */
	MW_KEY_CHOICE, /* an enum, or a bool for the first two names */
	MW_KEY_PATH, /* char[], absolute */
	MW_KEY_PATTERN, /* char[], of the shell; "": none */
	MW_KEY_NAME, /* char[], a name or none; "": not given */
	MW_KEY_GROUP, /* char[], a group's name or number */
	MW_KEY_LISTEN, /* char[], a loopback address and port; "": none */
	MW_KEY_URL, /* char[], of a collector; "": environment */
	MW_KEY_TYPE_MAX,
};

enum mw_key_flag {
	MW_KEY_RESTART = 1, /* read at start only */
	MW_KEY_CLASS_ONLY = 2, /* not in [worker NAME] */
	MW_KEY_ALLOW_AUTO = 4,
	MW_KEY_ALLOW_MAX = 8,
	MW_KEY_ALLOW_ZERO = 16, /* 0 or "none", though below min */
	MW_KEY_ALLOW_EMPTY = 32, /* a path or a group of "" */
	MW_KEY_DIGITS = 64, /* a pattern of numbers */
	MW_KEY_YES_NO = 128, /* a size, or yes for the usual one (MW_HEAP_MEAN_DEFAULT), or no for 0 */
};

/* One key: parsing, checks, printing, documentation. */
struct mw_key {
	const char *name;
	enum mw_key_type type;
	unsigned int flags;
	size_t offset, size; /* of its field in mw_monitor, mw_tree, mw_http or mw_profile */
	__u64 min, max;
	const char *const *names; /* MW_KEY_CHOICE: NULL-terminated */
	const char *def; /* default; of a class: of a class of one's own */
	const char *doc; /* a line */
};

extern const char *const mw_policy_names[];
extern const char *const mw_thp_names[];

/* config_keys.c */
const struct mw_key *mw_keys(enum mw_section_kind kind, size_t *ret_n); /* of a worker: those of a class */
const struct mw_key *mw_key_find(enum mw_section_kind kind, const char *name); /* NULL: no such key there */
const char *mw_section_kind_name(enum mw_section_kind kind); /* "class" */

/* config_value.c: base is the struct the row's offset counts in. */
int mw_key_parse(const struct mw_key *key, const char *text, void *base); /* -EINVAL, base untouched */
const char *mw_key_print(const struct mw_key *key, const void *base, char *buf, size_t size);
const char *mw_key_expected(const struct mw_key *key, char *buf, size_t size); /* "a size from 1MiB, or max" */
/* "" or "default"; of patterns only "": there is a namespace "default". */
bool mw_is_default(const struct mw_key *key, const char *value);
/* Does value suit key? Nothing is set. */
int mw_key_check(const struct mw_key *key, const char *value);

/* config_say.c: sentences of one line, whatever bytes they quote. Return code. */
int mw_config_say(struct mw_error *err, int code, const struct mw_where *at, const struct mw_section *s,
		  const char *key, const char *found, const char *expected_fmt, ...)
	__attribute__((format(printf, 7, 8)));
int mw_say_wrong_value(struct mw_error *err, const struct mw_where *at, const struct mw_section *s,
		       const struct mw_key *key, const char *value);
int mw_say_unknown_key(struct mw_error *err, const struct mw_where *at, const struct mw_section *s, const char *key);
int mw_say_unknown_section(struct mw_error *err, const struct mw_where *at, const char *found);
/* -ENOENT; lists the classes there are. */
int mw_say_unknown_class(struct mw_error *err, const struct mw_config *cfg, const char *name);
int mw_say_unknown_rule(struct mw_error *err, const struct mw_config *cfg, const char *name); /* the same of rules */
int mw_say_file(struct mw_error *err, int code, const char *what, const char *path); /* "PATH: cannot read: REASON" */
const char *mw_section_text(const struct mw_section *s, char *buf, size_t size); /* "class tool" */

/* config_parse.c */
int mw_section_parse(const char *text, const struct mw_where *at, struct mw_section *ret_section, struct mw_error *err);
typedef int (*mw_line_fn)(void *arg, const struct mw_where *at, const struct mw_section *section, const char *key,
			  const char *value, struct mw_error *err);
/* Each KEY = VALUE of a text of len bytes; key NULL: a section begins. Stops at the first failure, its own or fn's. */
int mw_config_parse(const char *text, size_t len, const char *file, mw_line_fn fn, void *arg, struct mw_error *err);

/* config_apply.c: arg is the struct mw_config to change. Fits mw_line_fn. */
int mw_config_apply(void *arg, const struct mw_where *at, const struct mw_section *section, const char *key,
		    const char *value, struct mw_error *err);
int mw_profile_apply(struct mw_profile *p, const char *class_name, const struct mw_key *key, const char *value);
void mw_profile_default(const char *class_name, struct mw_profile *ret_profile);

/* config_worker.c: keep, replace or remove (value "default") one setting of [worker NAME]. */
int mw_setting_apply(struct mw_config *cfg, const struct mw_where *at, const struct mw_section *section,
		     const struct mw_key *key, const char *value, struct mw_error *err);
/* Room for settings comes in steps, so that a long file is not copied once a line. */
size_t mw_settings_room(size_t n);

/* config_rule.c: key NULL: the section begins. */
int mw_rule_apply(struct mw_config *cfg, const struct mw_where *at, const struct mw_section *section,
		  const struct mw_key *key, const char *value, struct mw_error *err);
int mw_rules_check(const struct mw_config *cfg, struct mw_error *err);
int mw_pattern_check(const char *pattern, unsigned int flags); /* -EINVAL: no line can hold it, or it is not closed */

/* config_check.c: what no single line can show. */
int mw_config_check(const struct mw_config *cfg, struct mw_error *err);
int mw_profile_check(const struct mw_profile *p, const struct mw_section *section, struct mw_error *err);

/* config_load.c: a whole regular file, NUL-terminated, up to MW_CONFIG_FILE_MAX. -ENOENT without err; else err says. */
int mw_config_read(const char *path, char **ret_text, size_t *ret_len, struct mw_error *err);

/* config_save.c: what fn writes, as text of at most MW_CONFIG_FILE_MAX bytes. -ENOMEM, -E2BIG. */
typedef void (*mw_render_fn)(FILE *f, const void *arg);
int mw_config_render(mw_render_fn fn, const void *arg, char **ret_text, size_t *ret_len);

#endif
