/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The kernel's own account of what a task waited for (delay accounting), asked over generic netlink. */
#ifndef MW_TESTS_VM_TASKSTATS_H
#define MW_TESTS_VM_TASKSTATS_H

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "util/cleanup.h"

struct taskstats_message {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	char attributes[2048];
};

/* One request with one attribute, and its answer. 0 or -errno. */
static inline int taskstats_ask(int fd, __u16 family, __u8 command, __u16 type, const void *value, __u16 size,
				struct taskstats_message *ret_answer)
{
	struct taskstats_message m = {.head = {.nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST},
				      .genl = {.cmd = command, .version = 1}};
	struct nlattr attribute = {.nla_len = (__u16)(NLA_HDRLEN + size), .nla_type = type};
	ssize_t n;

	memcpy(m.attributes, &attribute, sizeof(attribute));
	memcpy(m.attributes + NLA_HDRLEN, value, size);
	m.head.nlmsg_len = (__u32)(NLMSG_HDRLEN + GENL_HDRLEN + NLA_ALIGN(attribute.nla_len));
	if (send(fd, &m, m.head.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &m, sizeof(m), 0);
	if (n < 0)
		return -errno;
	if (m.head.nlmsg_type == NLMSG_ERROR) {
		int error;

		memcpy(&error, &m.genl, sizeof(error));
		return error;
	}
	*ret_answer = m;
	return 0;
}

/* The attribute of that type among size bytes of them, up to capacity bytes of it. Its size; 0: none. */
static inline size_t taskstats_attribute(const char *at, size_t size, __u16 type, void *ret_value, size_t capacity)
{
	struct nlattr a;
	size_t length, room;

	for (; size >= sizeof(a); at += room, size -= room) {
		memcpy(&a, at, sizeof(a));
		length = a.nla_len - (size_t)NLA_HDRLEN;
		room = NLA_ALIGN((size_t)a.nla_len);
		if (a.nla_len < NLA_HDRLEN || room > size)
			return 0;
		if ((a.nla_type & NLA_TYPE_MASK) != type)
			continue;
		memcpy(ret_value, at + NLA_HDRLEN, length < capacity ? length : capacity);
		return length;
	}
	return 0;
}

static inline size_t taskstats_room(const struct taskstats_message *m)
{
	return m->head.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
}

/* Of one task; the kernel began to account when it was forked. 0 or -errno: -ENOENT where the kernel has no taskstats.
 */
static inline int taskstats_of(pid_t pid, struct taskstats *ret_stats)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	struct taskstats_message m;
	char both[sizeof(m.attributes)];
	struct taskstats stats = {};
	__u32 id = (__u32)pid;
	__u16 family = 0;
	size_t size;
	int r;

	if (fd < 0)
		return -errno;
	r = taskstats_ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME,
			  sizeof(TASKSTATS_GENL_NAME), &m);
	if (r < 0)
		return r;
	if (!taskstats_attribute(m.attributes, taskstats_room(&m), CTRL_ATTR_FAMILY_ID, &family, sizeof(family)))
		return -EBADMSG;
	r = taskstats_ask(fd, family, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_PID, &id, sizeof(id), &m);
	if (r < 0)
		return r;
	size = taskstats_attribute(m.attributes, taskstats_room(&m), TASKSTATS_TYPE_AGGR_PID, both, sizeof(both));
	if (!taskstats_attribute(both, size, TASKSTATS_TYPE_STATS, &stats, sizeof(stats)))
		return -EBADMSG;
	*ret_stats = stats;
	return 0;
}

#endif
