/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* For the daemon too, which starts no program that has nothing to do. */
#include <string.h>
#include <strings.h>

#include "otlp/settings.h"
#include "util/cleanup.h"

bool mw_settings_wanted(const char *configured, mw_env_fn env, void *arg)
{
	static const char *const endpoints[] = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
						"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
						"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"};
	const char *disabled = env("OTEL_SDK_DISABLED", arg);

	if (strcmp(configured, "none") == 0 || (disabled && strcasecmp(disabled, "true") == 0))
		return false;
	if (configured[0])
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		const char *endpoint = env(endpoints[i], arg);

		if (endpoint && *endpoint)
			return true;
	}
	return false;
}
