/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* PID 1 as unit.c sees it: the server of a private bus in a thread, which sets what it is asked for in a folder. */
#ifndef MW_TESTS_FAKE_PID1_H
#define MW_TESTS_FAKE_PID1_H

#include "one_worker.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#include "core/systemd.h"

#define PID1_WAIT_MS 20000 /* for an answer that comes: only what hangs meets it */

enum pid1_mood {
	PID1_OBEYS, /* and writes the files a moment after its answer */
	PID1_FORGETS, /* answers, and writes nothing */
	PID1_KNOWS_NONE, /* NoSuchUnit */
	PID1_REFUSES,
	PID1_IS_SILENT,
	PID1_HANGS_UP,
};

struct pid1_call {
	char unit[64];
	int runtime;
	size_t n;
	char names[8][32];
	__u64 values[8];
};

static struct pid1 {
	pthread_t thread;
	int listens, stops;
	pthread_mutex_t lock;
	enum pid1_mood mood;
	bool leaves; /* the connection is to end */
	size_t n_calls;
	struct pid1_call calls[16];
	__u64 properties[MW_LIMIT_KIND_MAX]; /* of any unit */
} pid1;

/* The file a property is. */
static inline enum mw_limit_kind pid1_held(const char *property)
{
	enum mw_limit_kind i = 0;

	while (i < MW_LIMIT_KIND_MAX && strcmp(mw_held_property(i), property) != 0)
		i++;
	return i;
}

static inline void pid1_write(const struct pid1_call *c)
{
	usleep(5000);
	for (size_t i = 0; i < c->n; i++) {
		enum mw_limit_kind what = pid1_held(c->names[i]);

		if (what < MW_LIMIT_KIND_MAX)
			file_is(mw_held_file(what),
				c->values[i] == MW_UNLIMITED ? MW_UNLIMITED : c->values[i] / 4096 * 4096);
	}
}

static inline int pid1_read_call(sd_bus_message *m, struct pid1_call *c)
{
	const char *unit, *name;
	uint64_t value;
	int r = sd_bus_message_read(m, "sb", &unit, &c->runtime);

	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "(sv)");
	while (r >= 0 && c->n < 8 && (r = sd_bus_message_read(m, "(sv)", &name, "t", &value)) > 0) {
		snprintf(c->names[c->n], sizeof(c->names[0]), "%s", name);
		c->values[c->n++] = value;
	}
	if (r >= 0)
		snprintf(c->unit, sizeof(c->unit), "%s", unit);
	return r;
}

static inline int pid1_set(sd_bus_message *m, enum pid1_mood mood)
{
	struct pid1_call c = {.n = 0};

	if (pid1_read_call(m, &c) < 0)
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_INVALID_ARGS, "not understood");
	pthread_mutex_lock(&pid1.lock);
	if (pid1.n_calls < 16)
		pid1.calls[pid1.n_calls++] = c;
	pthread_mutex_unlock(&pid1.lock);
	switch (mood) {
	case PID1_KNOWS_NONE:
		return sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not loaded.",
						  c.unit);
	case PID1_REFUSES:
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED, "Access denied");
	case PID1_IS_SILENT:
		return 1;
	case PID1_HANGS_UP:
		pid1.leaves = true;
		return 1;
	default:
		sd_bus_reply_method_return(m, "");
		sd_bus_flush(sd_bus_message_get_bus(m));
		if (mood == PID1_OBEYS)
			pid1_write(&c);
		return 1;
	}
}

static inline int pid1_get(sd_bus_message *m)
{
	const char *interface, *name;
	enum mw_limit_kind what = MW_LIMIT_KIND_MAX;

	if (sd_bus_message_read(m, "ss", &interface, &name) >= 0 &&
	    strcmp(interface, "org.freedesktop.systemd1.Service") == 0)
		what = pid1_held(name);
	if (what == MW_LIMIT_KIND_MAX)
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_PROPERTY, "Unknown property %s", name);
	return sd_bus_reply_method_return(m, "v", "t", pid1.properties[what]);
}

static inline int pid1_on_message(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	enum pid1_mood mood;

	(void)arg;
	(void)error;
	pthread_mutex_lock(&pid1.lock);
	mood = pid1.mood;
	pthread_mutex_unlock(&pid1.lock);
	if (sd_bus_message_is_method_call(m, "org.freedesktop.systemd1.Manager", "SetUnitProperties"))
		return pid1_set(m, mood);
	if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get"))
		return pid1_get(m);
	return 0;
}

/* True: somebody wants us to stop. */
static inline bool pid1_stopped(int fd, short events, int timeout_ms)
{
	struct pollfd p[] = {{.fd = pid1.stops, .events = POLLIN}, {.fd = fd, .events = events}};

	poll(p, 2, timeout_ms);
	return p[0].revents & POLLIN;
}

/* One connection until it ends; takes fd. */
static inline void pid1_serve(int fd)
{
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_fd(bus, fd, fd);
	if (r >= 0)
		r = sd_bus_set_server(bus, 1,
				      SD_ID128_MAKE(6d, 65, 6d, 77, 65, 69, 72, 00, 00, 00, 00, 00, 00, 00, 00, 01));
	if (r >= 0)
		r = sd_bus_add_filter(bus, NULL, pid1_on_message, NULL);
	if (r >= 0)
		r = sd_bus_start(bus);
	pid1.leaves = false;
	while (r >= 0 && !pid1.leaves) {
		r = sd_bus_process(bus, NULL);
		if (r == 0 && pid1_stopped(fd, (short)sd_bus_get_events(bus), 1000))
			break;
	}
	sd_bus_close_unref(bus);
}

static inline void *pid1_run(void *arg)
{
	while (!pid1_stopped(pid1.listens, POLLIN, -1)) {
		int fd = accept4(pid1.listens, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			pid1_serve(fd);
	}
	return arg;
}

static inline int pid1_start(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	pid1 = (struct pid1){.listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
			     .stops = eventfd(0, EFD_CLOEXEC)};
	pthread_mutex_init(&pid1.lock, NULL);
	tree_dir("run/systemd");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/systemd/private", tree);
	if (bind(pid1.listens, (struct sockaddr *)&address, sizeof(address)) || listen(pid1.listens, 16))
		return -1;
	mw_systemd_at(tree, PID1_WAIT_MS);
	return pthread_create(&pid1.thread, NULL, pid1_run, NULL);
}

static inline void pid1_stop(void)
{
	assert_int_equal(eventfd_write(pid1.stops, 1), 0);
	pthread_join(pid1.thread, NULL);
	close(pid1.listens);
	close(pid1.stops);
	pthread_mutex_destroy(&pid1.lock);
	mw_systemd_at("", 0);
}

/* While it is asked for nothing. */
static inline void pid1_is(enum pid1_mood mood)
{
	mw_systemd_at(tree, mood == PID1_IS_SILENT ? 300 : PID1_WAIT_MS);
	pthread_mutex_lock(&pid1.lock);
	pid1.mood = mood;
	pthread_mutex_unlock(&pid1.lock);
}

/* How often it was asked so far; what it was asked last. */
static inline size_t pid1_calls(struct pid1_call *ret_last)
{
	size_t n;

	pthread_mutex_lock(&pid1.lock);
	n = pid1.n_calls;
	if (n && ret_last)
		*ret_last = pid1.calls[n - 1];
	pthread_mutex_unlock(&pid1.lock);
	return n;
}

#endif
