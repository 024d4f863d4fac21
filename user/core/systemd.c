/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/systemd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "memweir/abi.h"
#include "util/cleanup.h"

#define DESTINATION "org.freedesktop.systemd1"
#define PATH	    "/org/freedesktop/systemd1"
#define MANAGER	    "org.freedesktop.systemd1.Manager"

static const char *at_root = "";
static __u64 timeout_us = MW_SYSTEMD_TIMEOUT_S * 1000000ULL;

void mw_systemd_at(const char *root, unsigned int timeout_ms)
{
	at_root = root;
	timeout_us = timeout_ms ? timeout_ms * 1000ULL : MW_SYSTEMD_TIMEOUT_S * 1000000ULL;
}

const char *mw_systemd_root(void)
{
	return at_root;
}

static void close_bus(sd_bus **bus)
{
	*bus = sd_bus_close_unref(*bus);
}
#define _cleanup_bus_ _cleanup_(close_bus)

static void unref_message(sd_bus_message **m)
{
	*m = sd_bus_message_unref(*m);
}
#define _cleanup_message_ _cleanup_(unref_message)

struct bus_error {
	sd_bus_error error;
};

static void free_bus_error(struct bus_error *e)
{
	sd_bus_error_free(&e->error);
}

bool mw_systemd_running(void)
{
	return sd_booted() > 0;
}

/* PID 1's own socket, as systemctl does for root: it works where no D-Bus daemon runs. */
static int open_private(sd_bus **ret_bus)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	char address[256];
	int r = sd_bus_new(&bus);

	snprintf(address, sizeof(address), "unix:path=%s/run/systemd/private", at_root);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret_bus = TAKE_PTR(bus);
	return 0;
}

static int open_bus(sd_bus **ret_bus, struct mw_error *err)
{
	int r = open_private(ret_bus);

	if (r < 0 && !*at_root)
		r = sd_bus_open_system(ret_bus);
	if (r < 0)
		return mw_fail(err, r, "systemd cannot be reached: %s", strerror(-r));
	sd_bus_set_method_call_timeout(*ret_bus, timeout_us);
	return 0;
}

static int call(sd_bus *bus, sd_bus_message *m, const char *what, const char *unit, struct mw_error *err)
{
	_cleanup_(free_bus_error) struct bus_error e = {SD_BUS_ERROR_NULL};
	int r = sd_bus_call(bus, m, 0, &e.error, NULL);

	if (r >= 0)
		return 0;
	if (sd_bus_error_has_name(&e.error, "org.freedesktop.systemd1.UnitExists"))
		r = -EEXIST;
	else if (sd_bus_error_has_name(&e.error, "org.freedesktop.systemd1.NoSuchUnit"))
		r = -ENOENT;
	return mw_fail(err, r, "systemd does not %s %s: %s", what, unit, e.error.message ?: strerror(-r));
}

static int append_scope(sd_bus_message *m, const struct mw_scope *s)
{
	int r = sd_bus_message_append(m, "ss", s->name, "fail");

	if (r >= 0)
		r = sd_bus_message_append(m, "a(sv)a(sa(sv))", 7, /* */
					  "Description", "s", s->description, /* */
					  "Slice", "s", s->slice, /* */
					  "PIDs", "au", 1, (unsigned)s->pid, /* */
					  "DelegateControllers", "as", 1, "memory", /* */
					  "TasksMax", "t", MW_UNLIMITED, /* */
					  "CollectMode", "s", "inactive-or-failed", /* */
					  "TimeoutStopUSec", "t", 10000000ULL, /* */
					  0);
	return r;
}

int mw_systemd_start_scope(const struct mw_scope *s, struct mw_error *err)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	_cleanup_message_ sd_bus_message *m = NULL;
	int r = open_bus(&bus, err);

	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(bus, &m, DESTINATION, PATH, MANAGER, "StartTransientUnit");
	if (r >= 0)
		r = append_scope(m, s);
	if (r < 0)
		return mw_fail(err, r, "cannot ask systemd for %s: %s", s->name, strerror(-r));
	return call(bus, m, "start", s->name, err);
}

int mw_systemd_set(const char *unit, const struct mw_unit_value *values, size_t n, struct mw_error *err)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	_cleanup_message_ sd_bus_message *m = NULL;
	int r = open_bus(&bus, err);

	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(bus, &m, DESTINATION, PATH, MANAGER, "SetUnitProperties");
	if (r >= 0)
		r = sd_bus_message_append(m, "sb", unit, 1);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(m, "(sv)", values[i].property, "t", values[i].value);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r < 0)
		return mw_fail(err, r, "cannot ask systemd to change %s: %s", unit, strerror(-r));
	return call(bus, m, "change", unit, err);
}

/* "-.slice" has its properties at the interface of slices, and so on. NULL: of another kind. */
static const char *interface_of(const char *unit)
{
	static const char *const interfaces[][2] = {{".slice", "org.freedesktop.systemd1.Slice"},
						    {".scope", "org.freedesktop.systemd1.Scope"},
						    {".service", "org.freedesktop.systemd1.Service"}};
	const char *suffix = strrchr(unit, '.');

	for (size_t i = 0; suffix && i < ARRAY_SIZE(interfaces); i++) {
		if (strcmp(suffix, interfaces[i][0]) == 0)
			return interfaces[i][1];
	}
	return NULL;
}

/* What properties are asked of: a connection and the unit's object. */
struct asked {
	sd_bus *bus;
	const char *interface;
	char *path;
};

static void asked_free(struct asked *a)
{
	close_bus(&a->bus);
	free(a->path);
}

static int ask_of(const char *unit, struct asked *a, struct mw_error *err)
{
	int r;

	a->interface = interface_of(unit);
	if (!a->interface)
		return mw_fail(err, -EINVAL, "%s is no slice, scope or service", unit);
	r = open_bus(&a->bus, err);
	if (r < 0)
		return r;
	r = sd_bus_path_encode(PATH "/unit", unit, &a->path);
	return r < 0 ? mw_fail(err, r, "systemd cannot be asked about %s: %s", unit, strerror(-r)) : 0;
}

static int not_told(const char *unit, const char *property, const struct bus_error *e, int r, struct mw_error *err)
{
	return mw_fail(err, r, "systemd does not tell %s of %s: %s", property, unit, e->error.message ?: strerror(-r));
}

int mw_systemd_text(const char *unit, const char *property, char *ret_text, size_t size, struct mw_error *err)
{
	_cleanup_(free_bus_error) struct bus_error e = {SD_BUS_ERROR_NULL};
	_cleanup_(asked_free) struct asked a = {NULL};
	_cleanup_free_ char *text = NULL;
	int r = ask_of(unit, &a, err);

	if (r < 0)
		return r;
	r = sd_bus_get_property_string(a.bus, DESTINATION, a.path, a.interface, property, &e.error, &text);
	if (r < 0)
		return not_told(unit, property, &e, r, err);
	if (strlen(text) >= size)
		return mw_fail(err, -E2BIG, "%s of %s is too long", property, unit);
	memcpy(ret_text, text, strlen(text) + 1);
	return 0;
}

int mw_systemd_numbers(const char *unit, const char *const *properties, size_t n, __u64 *ret_values,
		       struct mw_error *err)
{
	_cleanup_(asked_free) struct asked a = {NULL};
	int r = ask_of(unit, &a, err);

	for (size_t i = 0; r >= 0 && i < n; i++) {
		_cleanup_(free_bus_error) struct bus_error e = {SD_BUS_ERROR_NULL};
		uint64_t value = 0;

		r = sd_bus_get_property_trivial(a.bus, DESTINATION, a.path, a.interface, properties[i], &e.error, 't',
						&value);
		if (r < 0)
			return not_told(unit, properties[i], &e, r, err);
		ret_values[i] = value;
	}
	return r < 0 ? r : 0;
}
