/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* doctor: where what is seen goes to, as the daemon that runs says: its environment is not ours. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/doctor.h"
#include "http/client.h"
#include "util/cleanup.h"
#include "util/json_in.h"

#define PATIENCE_MS 2000

struct sums {
	__u64 sent, lost, waiting;
};

static struct sums add_up(struct json_object *otlp)
{
	static const char *const signals[] = {"traces", "metrics", "logs"};
	struct sums s = {0};
	__u64 n;

	if (mw_json_member_u64(otlp, "lost", ~0ULL, &n))
		s.lost += n;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct json_object *o = mw_json_member(otlp, signals[i], json_type_object);

		s.sent += mw_json_member_u64(o, "sent", ~0ULL, &n) ? n : 0;
		s.lost += mw_json_member_u64(o, "dropped", ~0ULL, &n) ? n : 0;
		s.lost += mw_json_member_u64(o, "refused", ~0ULL, &n) ? n : 0;
		s.waiting += mw_json_member_u64(o, "waiting", ~0ULL, &n) ? n : 0;
	}
	return s;
}

void mw_doctor_otlp(struct mw_findings *f, const char *socket_path, bool up)
{
	_cleanup_(mw_json_putp) struct json_object *doc = NULL;
	struct mw_reply reply = {0};
	struct json_object *otlp;
	struct mw_finding *row;
	char state[32] = "";
	struct sums s;
	bool failing;

	if (!up || mw_client_request(socket_path, "GET", "/healthz", NULL, PATIENCE_MS, &reply, NULL) < 0)
		return;
	mw_json_parse(reply.body, reply.size, &doc, NULL);
	free(reply.body);
	otlp = mw_json_member(doc, "otlp", json_type_object);
	if (!otlp)
		return; /* not for who asks, or another daemon's answer */
	mw_json_member_text(otlp, "state", state, sizeof(state));
	failing = json_object_get_boolean(mw_json_member(otlp, "failing", json_type_boolean));
	s = add_up(otlp);
	row = mw_finding_add(f, "otlp", !failing, "records wait, and are dropped when there is no more room",
			     "the daemon's log says what the collector answers");
	if (state[0] == 'o')
		snprintf(row->found, sizeof(row->found),
			 "off: neither [otlp] endpoint nor OTEL_EXPORTER_OTLP_ENDPOINT names a collector");
	else
		snprintf(row->found, sizeof(row->found), "%s: %llu records taken, %llu wait, %llu lost", state, s.sent,
			 s.waiting, s.lost);
}
