/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* libbpf prints why something failed and returns a number: what it prints is kept for the capability's reason. */
#include <stdarg.h>
#include <string.h>

#include "daemon/kernel_private.h"

static struct mw_libbpf_words *listener;

/* "libbpf: prog 'charge': BPF program load failed: …" → charge, or a map's name. */
static bool named(const char *line, char *ret_name, size_t size)
{
	static const char *const heads[] = {"libbpf: prog '", "libbpf: map '"};
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		if (strncmp(line, heads[i], strlen(heads[i])) != 0)
			continue;
		line += strlen(heads[i]);
		length = strcspn(line, "'");
		if (length >= size)
			return false;
		memcpy(ret_name, line, length);
		ret_name[length] = '\0';
		return true;
	}
	return false;
}

/* The verifier's log ends in its complaint and a line of statistics ("processed 12 insns …"). */
static void keep_verifier(struct mw_libbpf_words *words, char *log)
{
	char *last = NULL, *save = NULL;
	size_t used = strlen(words->text);

	for (char *line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "processed ", 10) == 0 || strstr(line, "END PROG LOAD LOG"))
			break;
		if (!strstr(line, "BEGIN PROG LOAD LOG"))
			last = line;
	}
	if (last && used < sizeof(words->text))
		snprintf(words->text + used, sizeof(words->text) - used, " (%s)", last);
}

static void hear(struct mw_libbpf_words *words, char *line)
{
	char *log = strstr(line, "BEGIN PROG LOAD LOG");

	if (log && words->text[0]) {
		keep_verifier(words, line);
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	if (!words->program[0] && named(line, words->program, sizeof(words->program)))
		words->text[0] = '\0'; /* what names the culprit outranks what came before */
	if (!words->text[0])
		snprintf(words->text, sizeof(words->text), "%s", line + (strncmp(line, "libbpf: ", 8) == 0 ? 8 : 0));
}

__attribute__((format(printf, 2, 0))) static int on_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	_cleanup_free_ char *line = NULL;

	if (level > LIBBPF_WARN)
		return 0;
	if (vasprintf(&line, fmt, args) < 0)
		return 0;
	if (listener)
		hear(listener, line);
	return 0;
}

void mw_libbpf_listen(struct mw_libbpf_words *words)
{
	if (words)
		memset(words, 0, sizeof(*words));
	listener = words;
	libbpf_set_print(on_print);
}
