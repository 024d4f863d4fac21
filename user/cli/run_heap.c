/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/run_heap.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/libexec.h"

#define LIBRARY	    "libmemweir-heap.so"
#define SCRIPTS_MAX 4 /* a script whose interpreter is a script, and so on: as the kernel has it */
#define HEAD_SIZE   256 /* of a script's first line, as the kernel reads it */
#define PHDRS_MAX   64

/* Its path, NULL: there is none that could be preloaded. A colon or a blank would end it there. */
static const char *library(char *buf, size_t size)
{
	const char *path = mw_libexec(LIBRARY, buf, size);

	return access(path, R_OK) == 0 && !strpbrk(path, ": \t\n") ? path : NULL;
}

void mw_run_heap_env(__u64 bytes)
{
	const char *before = getenv("LD_PRELOAD");
	char path[PATH_MAX], number[24];
	_cleanup_free_ char *both = NULL;

	if (!bytes || !library(path, sizeof(path)))
		return;
	snprintf(number, sizeof(number), "%llu", bytes);
	setenv("MEMWEIR_HEAP_SAMPLE", number, 1);
	if (before && strstr(before, LIBRARY))
		return; /* we run in a worker ourselves */
	if (before && *before && asprintf(&both, "%s:%s", path, before) < 0)
		both = NULL;
	setenv("LD_PRELOAD", both ? both : path, 1);
}

/* As execvp finds it; false: it does not. */
static bool find(const char *command, char *buf, size_t size)
{
	const char *path = getenv("PATH");

	if (strchr(command, '/'))
		return snprintf(buf, size, "%s", command) < (int)size;
	for (path = path ? path : "/bin:/usr/bin"; path; path = strchr(path, ':') ? strchr(path, ':') + 1 : NULL) {
		int n = (int)strcspn(path, ":");

		if (snprintf(buf, size, "%.*s%s%s", n, path, n ? "/" : "", command) < (int)size &&
		    access(buf, X_OK) == 0)
			return true;
	}
	return false;
}

/* "#!/usr/bin/env -S node x": what of it is started, in place; NULL: no script's line. */
static char *interpreter(char *head)
{
	char *rest = NULL, *word;

	if (strncmp(head, "#!", 2) != 0)
		return NULL;
	head[strcspn(head, "\n")] = '\0';
	word = strtok_r(head + 2, " \t", &rest);
	if (!word || strcmp(strrchr(word, '/') ? strrchr(word, '/') + 1 : word, "env") != 0)
		return word;
	do
		word = strtok_r(NULL, " \t", &rest);
	while (word && (*word == '-' || strchr(word, '=')));
	return word;
}

/* The program header of its dynamic linker, whose path is put into ret_linker. 1, 0: none, -1: it cannot be read. */
static int linker_of(int fd, const ElfW(Ehdr) * elf, char *ret_linker, size_t size)
{
	ElfW(Phdr) ph[PHDRS_MAX];
	size_t n = elf->e_phnum < PHDRS_MAX ? elf->e_phnum : PHDRS_MAX;

	if (elf->e_phentsize != sizeof(*ph) ||
	    pread(fd, ph, n * sizeof(*ph), (off_t)elf->e_phoff) != (ssize_t)(n * sizeof(*ph)))
		return -1;
	for (size_t i = 0; i < n; i++) {
		ssize_t got;

		if (ph[i].p_type != PT_INTERP)
			continue;
		got = pread(fd, ret_linker, ph[i].p_filesz < size ? ph[i].p_filesz : size - 1, (off_t)ph[i].p_offset);
		ret_linker[got > 0 ? got : 0] = '\0';
		return got > 0 ? 1 : -1;
	}
	return 0;
}

/* What is wrong with a program that is no script; NULL: nothing that we can see. */
static const char *unfit_elf(int fd, const char *head, size_t n)
{
	ElfW(Ehdr) elf, own;
	_cleanup_close_ int own_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char linker[PATH_MAX];
	struct stat st;
	int r;

	if (n < sizeof(elf) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return NULL; /* exec has its say */
	memcpy(&elf, head, sizeof(elf));
	if (own_fd >= 0 && read(own_fd, &own, sizeof(own)) == sizeof(own) &&
	    (elf.e_machine != own.e_machine || elf.e_ident[EI_CLASS] != own.e_ident[EI_CLASS]))
		return "is made for another kind of processor";
	r = linker_of(fd, &elf, linker, sizeof(linker));
	if (r == 0)
		return "is statically linked";
	if (r > 0 && strstr(linker, "ld-musl"))
		return "is linked with musl and not with glibc";
	if (fstat(fd, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) && geteuid() != 0)
		return "is set-user-ID or set-group-ID";
	return NULL;
}

const char *mw_run_heap_unfit(const char *command, char *buf, size_t size)
{
	char path[PATH_MAX], head[HEAD_SIZE + 1];
	const char *next = command;

	if (!library(path, sizeof(path))) {
		snprintf(buf, size, "%s is not there to be preloaded", path);
		return buf;
	}
	for (int i = 0; i <= SCRIPTS_MAX; i++) {
		_cleanup_close_ int fd = find(next, path, sizeof(path)) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		ssize_t n = fd >= 0 ? pread(fd, head, HEAD_SIZE, 0) : -1;
		const char *why;

		if (n <= 0)
			return NULL;
		head[n] = '\0';
		why = unfit_elf(fd, head, (size_t)n);
		if (why) {
			snprintf(buf, size, "%s %s", path, why);
			return buf;
		}
		next = interpreter(head);
		if (!next)
			return NULL;
	}
	return NULL;
}
