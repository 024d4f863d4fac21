/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/connections.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/fnv.h"

#define TCP_CONNECTED  1 /* TCP_ESTABLISHED */
#define TCP_LISTENS    10
#define UNIX_STREAM    1
#define UNIX_CONNECTED 3
#define UNIX_LISTENS   0x10000 /* in Flags: __SO_ACCEPTCON */

struct numbers {
	__u64 *at;
	size_t n, room;
};

/* A line of a table: what it is bound to, and the socket's inode. */
struct line {
	bool listens, connected;
	__u64 bound; /* a port, or a path's hash; 0: to nothing */
	__u64 inode;
};

static void numbers_free(struct numbers *s)
{
	mw_freep(&s->at);
}

static int add(struct numbers *s, __u64 number)
{
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		__u64 *at = reallocarray(s->at, room, sizeof(*at));

		if (!at)
			return -ENOMEM;
		s->at = at;
		s->room = room;
	}
	s->at[s->n++] = number;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static void sort(struct numbers *s)
{
	if (s->n)
		qsort(s->at, s->n, sizeof(*s->at), by_value);
}

static bool has(const struct numbers *s, __u64 number)
{
	return s->n && bsearch(&number, s->at, s->n, sizeof(number), by_value);
}

/* Inodes of the sockets among its descriptors. */
static int sockets_of(const char *proc_root, pid_t pid, struct numbers *sockets)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[PATH_MAX], to[64];
	struct dirent *e;

	snprintf(path, sizeof(path), "%s/%d/fd", proc_root, (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, to, sizeof(to) - 1);
		unsigned long long inode;

		if (n <= 0)
			continue;
		to[n] = '\0';
		if (sscanf(to, "socket:[%llu]", &inode) == 1 && add(sockets, inode) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Of a path: told apart well enough on one machine. Never 0. */
static __u64 hash(const char *text)
{
	__u64 h = mw_fnv1a_text(text);

	return h ? h : 1;
}

/* "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 ..." */
static bool read_tcp(const char *text, struct line *ret)
{
	unsigned int port, state;
	unsigned long long inode;

	if (sscanf(text, " %*u: %*32[0-9A-Fa-f]:%x %*32[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %llu", &port, &state,
		   &inode) != 3)
		return false;
	*ret = (struct line){state == TCP_LISTENS, state == TCP_CONNECTED, port, inode};
	return true;
}

/* "ffff...: 00000003 00000000 00000000 0001 03 12345 /run/path" */
static bool read_unix(const char *text, struct line *ret)
{
	unsigned int flags, type, state;
	unsigned long long inode;
	int at = 0;

	if (sscanf(text, "%*[^:]: %*x %*x %x %x %x %llu %n", &flags, &type, &state, &inode, &at) != 4)
		return false;
	*ret = (struct line){flags & UNIX_LISTENS, state == UNIX_CONNECTED, text[at] ? hash(text + at) : 0, inode};
	return type == UNIX_STREAM;
}

static const struct table {
	const char *name;
	bool (*read)(const char *text, struct line *ret);
} tables[] = {{"tcp", read_tcp}, {"tcp6", read_tcp}, {"unix", read_unix}};

/* What is bound to where somebody listens, and all connections of theirs as pairs of that and their inode. */
static int read_table(const char *path, const struct table *table, const struct numbers *sockets,
		      struct numbers *listened, struct numbers *bound)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	struct line line;
	size_t size = 0;
	ssize_t n;

	if (!in)
		return errno == ENOENT ? 0 : -errno; /* a kernel without it */
	while ((n = getline(&text, &size, in)) > 0) {
		text[n - 1] = text[n - 1] == '\n' ? '\0' : text[n - 1];
		if (!table->read(text, &line))
			continue;
		if (line.listens && add(listened, line.bound) < 0)
			return -ENOMEM;
		if (line.connected && has(sockets, line.inode) && add(bound, line.bound) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The tables from first on, n of them: they share what their sockets are bound to. */
static int count(const char *net, size_t first, size_t n, const struct numbers *sockets, struct mw_connections *c)
{
	_cleanup_(numbers_free) struct numbers listened = {0}, bound = {0};
	char path[PATH_MAX];
	int r;

	for (size_t i = first; i < first + n; i++) {
		snprintf(path, sizeof(path), "%s/%s", net, tables[i].name);
		r = read_table(path, &tables[i], sockets, &listened, &bound);
		if (r < 0)
			return r;
	}
	sort(&listened);
	for (size_t i = 0; i < bound.n; i++)
		(*(bound.at[i] && has(&listened, bound.at[i]) ? &c->accepted : &c->other))++;
	return 0;
}

int mw_connections_count(const char *proc_root, const pid_t *pids, size_t n, struct mw_connections *ret_connections)
{
	_cleanup_(numbers_free) struct numbers sockets = {0};
	struct mw_connections c = {0};
	char net[PATH_MAX] = "";
	int r, failed = -ESRCH;

	for (size_t i = 0; i < n; i++) {
		r = sockets_of(proc_root, pids[i], &sockets);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			failed = failed == -ESRCH ? r : failed;
		else if (!net[0])
			snprintf(net, sizeof(net), "%s/%d/net", proc_root, (int)pids[i]);
	}
	if (!net[0])
		return failed;
	sort(&sockets);
	r = count(net, 0, 2, &sockets, &c); /* who listens at [::] is reached by TCP of both kinds */
	if (r == 0)
		r = count(net, 2, 1, &sockets, &c);
	if (r < 0)
		return r;
	*ret_connections = c;
	return 0;
}
