/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What goes through the pipe between memweir-symbols and who asked it: JSON, and back. */
#ifndef MW_SYMBOLS_ANSWER_H
#define MW_SYMBOLS_ANSWER_H

#include "symbols/question.h"

#define MW_SYMBOLS_ANSWER_MAX (24U << 20) /* bytes: MW_ADDRESSES_MAX with three kilobytes each */
/* Of few addresses, bytes: each character escaped, and what stands between. */
#define MW_SYMBOLS_ANSWER_EACH (2U * MW_PLACE_TEXT + MW_FRAMES_MAX * 192U)
#define MW_UNWOUND_ANSWER_EACH (96U * MW_UNWOUND_MAX)
#define MW_MODULES_ANSWER_MAX  (12U << 20) /* bytes: as many as there may be, with the longest paths */

/* The texts are the caller's to free; -ENOMEM. pcs are what was asked about: shown, not read again. */
int mw_symbols_write(const struct mw_symbols *s, const struct mw_address *pcs, char **ret_text);
int mw_modules_write(const struct mw_modules *m, char **ret_text);
int mw_unwound_write(const struct mw_unwound *u, size_t n, char **ret_text);

/*
 * -EPROTO when a member is of another type, too long, too many or not plain text, or there is not one place for each
 * of n addresses; what the program itself says went wrong, by its number where that is -ESRCH, -EACCES, -ETIMEDOUT or
 * -EINVAL; err has the sentence.
 */
int mw_symbols_read(const char *text, size_t text_n, size_t n, struct mw_symbols *ret_symbols, struct mw_error *err);
int mw_modules_read(const char *text, size_t text_n, struct mw_modules *ret_modules, struct mw_error *err);
int mw_unwound_read(const char *text, size_t text_n, struct mw_unwound *ret_unwound, size_t n, struct mw_error *err);

/* Inside of answer*.c. */
struct json_object;
int mw_answer_text(struct json_object *obj, char **ret_text); /* takes obj; NULL: -ENOMEM */
int mw_answer_parse(const char *text, size_t n, struct json_object **ret_obj, struct mw_error *err);
int mw_answer_wrong(const char *key, struct mw_error *err); /* -EPROTO */
bool mw_answer_append(struct json_object *list, struct json_object *obj); /* takes obj, and says whether it is there */

/* The object that the program printed; what it says went wrong, as above. */
struct json_object;
int mw_answer_parse(const char *text, size_t n, struct json_object **ret_obj, struct mw_error *err);

#endif
