/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One incident as a file ID.json. Symbolic links are never followed; what is in a file is not trusted. */
#ifndef MW_INCIDENT_FILE_H
#define MW_INCIDENT_FILE_H

#include <json-c/json.h>
#include <stdbool.h>

#include "util/error.h"

/* Descriptor of STATE_DIR/incidents, both made (0700) when missing; -errno. */
int mw_incident_dir_open(const char *state_dir, struct mw_error *err);

/* All or nothing, and on the disk when it returns 0. */
int mw_incident_file_write(int dir_fd, const char *id, const char *text);
/* -ENOENT; -ELOOP for a link, -EINVAL for what is no regular file or no incident, -E2BIG. */
int mw_incident_file_read(int dir_fd, const char *id, struct json_object **ret_doc);
int mw_incident_file_remove(int dir_fd, const char *id); /* 0 also when it is gone */
bool mw_incident_file_exists(int dir_fd, const char *id); /* whatever it is */
/* An object with a name, a time and a reason; id is set to the one it was found by. -EINVAL, -ENOMEM. */
int mw_incident_parse(const char *id, const char *text, struct json_object **ret_doc);

#endif
