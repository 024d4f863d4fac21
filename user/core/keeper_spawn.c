/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The start of another keeper by the daemon. It is told who the daemon is: when it looks, that one may be dead. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/keeper_impl.h"
#include "core/proc.h"
#include "util/cleanup.h"
#include "util/spawn_attr.h"

#define ARGUMENTS_SIZE 32768 /* bytes */
#define ARGUMENTS_MAX  256

extern char **environ;

/* Our own program and arguments, for a successor. */
struct identity {
	char path[PATH_MAX];
	char text[ARGUMENTS_SIZE];
};

/* The arguments into argv, behind the path, NULL at the end. */
static int read_identity(struct identity *id, char **argv)
{
	_cleanup_close_ int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	size_t used = 0, n_args = 0;
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	r = mw_proc_exe("/proc", getpid(), id->path, sizeof(id->path)); /* upgraded meanwhile: what stands there now */
	if (r < 0)
		return r;
	while ((n = read(fd, id->text + used, sizeof(id->text) - 1 - used)) > 0)
		used += (size_t)n;
	argv[n_args++] = id->path;
	for (size_t at = 0; at < used && n_args < ARGUMENTS_MAX; at += strlen(id->text + at) + 1)
		argv[n_args++] = id->text + at;
	argv[n_args] = NULL;
	return n_args > 1 ? 0 : -ESRCH;
}

/* Our environment and the descriptors' entry. Freed by the caller; the entry is its buffer. */
static char **child_environment(char *entry)
{
	size_t n = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	if (!env)
		return NULL;
	memcpy(env, environ, n * sizeof(*env));
	env[n] = entry;
	return env;
}

static int spawn(const int fds[3], char **argv, char **env, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	char program[32];
	int r = mw_spawn_attr(&attr);

	if (r)
		return -r;
	snprintf(program, sizeof(program), "/proc/self/fd/%d", fds[2]);
	posix_spawn_file_actions_init(&files);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&files, fds[i], fds[i]); /* onto itself: that clears close-on-exec */
	r = posix_spawn(ret_pid, program, &files, &attr, argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -r;
}

int mw_keeper_spawn(const int fds[3], pid_t *ret_pid)
{
	char pid[16], entry[64], *argv[5 + ARGUMENTS_MAX + 1] = {"memweir", "daemon", "--keep", pid, "--"};
	_cleanup_free_ struct identity *id = malloc(sizeof(*id));
	_cleanup_free_ char **env = child_environment(entry);
	int r;

	if (!id || !env)
		return -ENOMEM;
	r = read_identity(id, argv + 5);
	if (r)
		return r;
	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(entry, sizeof(entry), "%s=%d,%d,%d", MW_KEEPER_ENV, fds[0], fds[1], fds[2]);
	return spawn(fds, argv, env, ret_pid);
}
