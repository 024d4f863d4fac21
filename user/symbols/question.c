/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One line a fact:
 *   pid PID START-TICKS
 *   user UID GID                                        of who is dead
 *   module START-END OFFSET ADDRESS MAJOR:MINOR INODE BUILD-ID DELETED PATH      "-": not known
 *   address PC, return PC                               in hexadecimal digits, as all but pid, user and inode
 *   stack PC FROM REGISTER,REGISTER... BYTES            to be unwound; "-": no bytes
 */
#include "symbols/question.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/utf8.h"

void mw_question_free(struct mw_question *q)
{
	mw_modules_free(&q->modules);
	free(q->addresses);
	q->addresses = NULL;
	q->n = 0;
	for (size_t i = 0; i < q->n_stacks; i++)
		free(q->stacks[i].bytes);
	free(q->stacks);
	q->stacks = NULL;
	q->n_stacks = 0;
}

int mw_question_add(struct mw_question *q, __u64 pc, bool is_return)
{
	if (q->n == MW_ADDRESSES_MAX)
		return -EINVAL;
	if (!(q->n & (q->n - 1))) {
		struct mw_address *more = reallocarray(q->addresses, q->n ? 2 * q->n : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		q->addresses = more;
	}
	q->addresses[q->n++] = (struct mw_address){pc, is_return};
	return 0;
}

static void write_module(FILE *out, const struct mw_module *m)
{
	char path[MW_MODULE_PATH];

	mw_utf8_take(path, sizeof(path), m->path, strlen(m->path));
	fprintf(out, "module %llx-%llx %llx ", m->start, m->end, m->offset);
	if (m->has_address)
		fprintf(out, "%llx", m->address);
	else
		fputc('-', out);
	fprintf(out, " %x:%x %llu %s %d %s\n", m->dev_major, m->dev_minor, m->inode, *m->build_id ? m->build_id : "-",
		m->deleted, path);
}

int mw_question_write(const struct mw_question *q, char **ret_text, size_t *ret_n)
{
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	bool failed;

	if (!out)
		return -ENOMEM;
	if (q->pid)
		fprintf(out, "pid %d %llu\n", q->pid, q->start_ticks);
	if (q->dead)
		fprintf(out, "user %u %u\n", q->modules.uid, q->modules.gid);
	for (size_t i = 0; i < q->modules.n; i++)
		write_module(out, &q->modules.at[i]);
	for (size_t i = 0; i < q->n; i++)
		fprintf(out, "%s %llx\n", q->addresses[i].is_return ? "return" : "address", q->addresses[i].pc);
	for (size_t i = 0; i < q->n_stacks; i++)
		mw_stack_write(out, &q->stacks[i]);
	failed = ferror(out);
	failed = fclose(out) || failed;
	if (failed || !text)
		return -ENOMEM;
	*ret_text = TAKE_PTR(text);
	*ret_n = n;
	return 0;
}

static int read_module(struct mw_question *q, const char *line)
{
	struct mw_module m = {0};
	char address[20], id[MW_BUILD_ID], *end;
	int deleted, at = 0;

	if (sscanf(line,
		   "%" SCNx64 "-%" SCNx64 " %" SCNx64 " %19[0-9a-f-] %" SCNx32 ":%" SCNx32 " %" SCNu64
		   " %64[0-9a-f-] %d %n",
		   (uint64_t *)&m.start, (uint64_t *)&m.end, (uint64_t *)&m.offset, address, &m.dev_major, &m.dev_minor,
		   (uint64_t *)&m.inode, id, &deleted, &at) != 9 ||
	    !at)
		return -EBADMSG;
	if (strcmp(id, "-") != 0) {
		if (!mw_build_id_valid(id))
			return -EBADMSG;
		strcpy(m.build_id, id);
	}
	if (strcmp(address, "-") != 0) {
		m.address = strtoull(address, &end, 16);
		if (*end || address[0] == '-')
			return -EBADMSG;
		m.has_address = true;
	}
	m.deleted = deleted;
	if (mw_modules_add(&q->modules, &m, line + at, strlen(line + at)) == -ENOMEM)
		return -ENOMEM;
	return q->modules.n && q->modules.at[q->modules.n - 1].start == m.start ? 0 : -EBADMSG;
}

static int read_address(struct mw_question *q, const char *digits, bool is_return)
{
	char *end;
	__u64 pc = strtoull(digits, &end, 16);

	if (end == digits || *end || digits[0] == '-')
		return -EBADMSG;
	return mw_question_add(q, pc, is_return);
}

static int read_line(struct mw_question *q, const char *line)
{
	int at = 0;

	if (!strncmp(line, "address ", 8))
		return read_address(q, line + 8, false);
	if (!strncmp(line, "return ", 7))
		return read_address(q, line + 7, true);
	if (!strncmp(line, "stack ", 6))
		return mw_stack_read(q, line + 6);
	if (!strncmp(line, "module ", 7))
		return read_module(q, line + 7);
	if (sscanf(line, "pid %d %" SCNu64 "%n", &q->pid, (uint64_t *)&q->start_ticks, &at) == 2 && at && !line[at])
		return q->pid > 0 ? 0 : -EBADMSG;
	if (sscanf(line, "user %u %u%n", &q->modules.uid, &q->modules.gid, &at) == 2 && at && !line[at]) {
		q->dead = true;
		return 0;
	}
	return -EBADMSG;
}

int mw_question_read(const char *text, size_t n, struct mw_question *q, struct mw_error *err)
{
	_cleanup_free_ char *copy = strndup(text, n);
	size_t number = 1;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	for (char *line = copy; !r && *line; number++) {
		char *end = strchrnul(line, '\n');
		bool last = !*end;

		*end = '\0';
		r = read_line(q, line);
		if (r)
			return mw_fail(err, r == -ENOMEM ? r : -EBADMSG, "question: line %zu: \"%.80s\"", number, line);
		line = last ? end : end + 1;
	}
	if (!q->dead && (q->modules.n || !q->pid))
		return mw_fail(err, -EBADMSG, "question: expected a pid, or a user and modules");
	return 0;
}
