/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What stands around spans, metrics and log records in a request: the resource and the scope. */
#ifndef MW_OTLP_DOCUMENT_H
#define MW_OTLP_DOCUMENT_H

#include "otlp/out.h"
#include "otlp/settings.h"

/* {"key":...},... for "attributes":[ ]; what OTEL_RESOURCE_ATTRIBUTES says stands over what we know ourselves. */
void mw_resource_write(struct mw_out *o, struct mw_settings *s, mw_env_fn env, void *arg);

/* resource: what mw_resource_write wrote. Between begin and end come the signal's records, by commas. */
void mw_document_begin(struct mw_out *o, enum mw_otlp_signal s, const char *resource);
void mw_document_end(struct mw_out *o);

#endif
