/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* doctor: is the daemon heard over TCP, and where? It knows that itself: another program may have the port. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "daemon/doctor.h"
#include "util/cleanup.h"

#define PATIENCE_S 2

/* Up to size - 1 bytes of what the daemon says of its health; "" when it says nothing. */
static void ask(const char *socket_path, char *buf, size_t size)
{
	static const char request[] = "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n";
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = PATIENCE_S};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t done = 0;
	ssize_t n = 1;

	buf[0] = '\0';
	if (fd < 0 || strlen(socket_path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, socket_path);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		return;
	while (n > 0 && done < size - 1) {
		n = recv(fd, buf + done, size - 1 - done, 0);
		done += n > 0 ? (size_t)n : 0;
	}
	buf[done] = '\0';
}

void mw_doctor_http(struct mw_findings *f, const struct mw_config *cfg, const char *socket_path, bool up)
{
	const char *wanted = cfg->http.listen;
	char said[16384] = "", here[96];
	struct mw_finding *row;
	bool known, listens;

	snprintf(here, sizeof(here), "\"listen\":\"%s\"", wanted);
	if (up)
		ask(socket_path, said, sizeof(said));
	known = strstr(said, "\"listen\":");
	listens = *wanted && strstr(said, here);
	row = mw_finding_add(f, "tcp", !*wanted || listens || !known, "no browser and no scraper reaches the daemon",
			     "is the port another program's? else: memweir reload, and see the daemon's log");
	if (!*wanted && known && !strstr(said, "\"listen\":null"))
		snprintf(row->found, sizeof(row->found),
			 "[http] listen = none, but the daemon still listens: memweir reload");
	else if (!*wanted)
		snprintf(row->found, sizeof(row->found), "none: the unix socket alone");
	else if (!known)
		snprintf(row->found, sizeof(row->found), "[http] listen = %s; no daemon says whether it does", wanted);
	else
		snprintf(row->found, sizeof(row->found), "%s %s%s", listens ? "listens on" : "does not listen on",
			 wanted, listens ? ": whoever connects there reads everything" : "");
}
