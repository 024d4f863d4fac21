/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What OTEL_* variables say, as the OpenTelemetry specification reads them. Each is a row of a table in settings.c. */
#ifndef MW_OTLP_SETTINGS_H
#define MW_OTLP_SETTINGS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "otlp/wire.h"

#define MW_URL_MAX	512
#define MW_PATH_SIZE	512
#define MW_WARNINGS_MAX 8

struct mw_destination {
	bool on;
	char url[MW_URL_MAX]; /* of requests of this signal */
	const char *headers; /* KEY=VALUE,...; "": none. Of the environment */
	char certificate[MW_PATH_SIZE], client_key[MW_PATH_SIZE], client_certificate[MW_PATH_SIZE]; /* PEM; "": none */
	bool gzip;
	__u32 timeout_ms; /* of one attempt */
	__u32 delay_ms; /* a batch that is not full waits so long; of metrics: the time between two looks */
	__u32 queue_max, batch_max; /* records; of metrics: pieces of a document */
};

struct mw_settings {
	struct mw_destination signals[MW_OTLP_SIGNALS];
	const char *service_name; /* NULL: not said */
	const char *attributes; /* OTEL_RESOURCE_ATTRIBUTES, "": none */
	char warnings[MW_WARNINGS_MAX][256]; /* what was not understood, and what is done instead */
	unsigned n_warnings;
};

typedef const char *(*mw_env_fn)(const char *name, void *arg); /* NULL: not set */

/* Does anything ask for an export? configured: of memweir.conf; "": it says nothing, "none": no. */
bool mw_settings_wanted(const char *configured, mw_env_fn env, void *arg);
/* Never fails: what is wrong is a warning, and its default counts. Points into the environment. */
void mw_settings_read(mw_env_fn env, void *arg, struct mw_settings *ret_settings);
const char *mw_otlp_signal_name(enum mw_otlp_signal s); /* "traces" */
/* http:// or https://, a host, no blank, nothing that ends a line. */
bool mw_url_valid(const char *url);
/* Without who logs in and what is asked: for people to read. */
const char *mw_url_plain(const char *url, char *buf, size_t size);

#endif
