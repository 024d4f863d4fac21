/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Asking the daemon: one request, its answer as JSON, every failure said in one sentence. */
#ifndef MW_CALL_H
#define MW_CALL_H

#include <json-c/json.h>
#include <stdbool.h>

#include "cli/verb.h"
#include "http/client.h"
#include "util/error.h"

#define MW_CALL_MS   10000 /* reading verbs */
#define MW_ACTION_MS 120000 /* an action may wait for reclaim */

static inline void mw_json_putp(struct json_object **o)
{
	if (*o)
		json_object_put(*o);
	*o = NULL;
}
#define _cleanup_json_ __attribute__((cleanup(mw_json_putp)))

struct mw_answer {
	unsigned status; /* HTTP */
	char *text; /* the document as it came */
	struct json_object *doc;
};
void mw_answer_clear(struct mw_answer *a);
#define _cleanup_answer_ __attribute__((cleanup(mw_answer_clear)))

/*
 * body may be NULL. 0 for a status below 400; -EREMOTEIO for one above it, with the daemon's sentence in err and
 * *ret_answer's status set; what mw_client_request returns when it was not reached; -EPROTO for an answer that is no
 * JSON object.
 */
int mw_call_quiet(const struct mw_cli *cli, const char *method, const char *path, struct json_object *body,
		  int timeout_ms, struct mw_answer *ret_answer, struct mw_error *err);
/* What is made of a reply, whose body is taken, and of none: for who asks in a way of his own. */
int mw_call_take(const struct mw_cli *cli, const char *method, const char *path, struct mw_reply *reply,
		 struct mw_answer *ret_answer, struct mw_error *err);
int mw_call_not_reached(const struct mw_cli *cli, int code, const struct mw_error *why, struct mw_error *err);
/* The same; a failure is said on stderr. */
int mw_call(const struct mw_cli *cli, const char *method, const char *path, struct json_object *body, int timeout_ms,
	    struct mw_answer *ret_answer);

/* PREFIX/NAME/SUFFIX with name percent-encoded (suffix may be NULL). The caller's (free); NULL on no memory. */
char *mw_call_path(const char *prefix, const char *name, const char *suffix);

/* The document unchanged, with a newline at its end. */
void mw_call_print(const struct mw_answer *a);

/* The verb's whole work where the answer is {"text":"…"}: ask, print it, give the exit code. */
int mw_call_text(const struct mw_cli *cli, const char *method, const char *path, struct json_object *body);

/* POST /v1/workers and say in a line what has come under guard and where. */
int mw_call_placed(const struct mw_cli *cli, struct json_object *body);

/* Whether code means that nobody listens on the socket, as against a daemon that answers wrongly. */
bool mw_call_no_daemon(int code);

#endif
