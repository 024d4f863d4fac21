/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Names of workers and classes: they become directories beside the kernel's own files. */
#include "core/config.h"

#include <string.h>

static const char *const reserved_prefixes[] = {"cgroup.", "memory."};
static const char reserved[] = "daemon";

/* isalnum() asks the locale. */
static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name_char(char c)
{
	return is_alnum(c) || c == '.' || c == '_' || c == '-';
}

/* The dot of a reserved prefix, NULL when name has none. */
static const char *reserved_dot(const char *name)
{
	for (size_t i = 0; i < sizeof(reserved_prefixes) / sizeof(reserved_prefixes[0]); i++)
		if (strncmp(name, reserved_prefixes[i], strlen(reserved_prefixes[i])) == 0)
			return name + strlen(reserved_prefixes[i]) - 1;
	return NULL;
}

bool mw_name_valid(const char *name)
{
	size_t len = 0;

	if (!is_alnum(name[0]))
		return false;
	for (; name[len]; len++)
		if (!is_name_char(name[len]) || len >= MW_NAME_SIZE - 1)
			return false;
	return strcmp(name, reserved) != 0 && !reserved_dot(name);
}

void mw_name_from(const char *text, char ret_name[MW_NAME_SIZE])
{
	const char *dot;
	size_t len = 0;

	while (*text && !is_alnum(*text))
		text++;
	for (; text[len] && len < MW_NAME_SIZE - 1; len++)
		ret_name[len] = (char)(is_name_char(text[len]) ? text[len] : '_');
	ret_name[len] = '\0';
	if (!len)
		memcpy(ret_name, "worker", sizeof("worker"));
	if (strcmp(ret_name, reserved) == 0)
		memcpy(ret_name, "daemon_", sizeof("daemon_"));
	dot = reserved_dot(ret_name);
	if (dot)
		ret_name[dot - ret_name] = '_';
}
