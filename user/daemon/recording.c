/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What goes into the recorder, beside what is told (tell.c): points, pauses, kills, levels. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "daemon/recording.h"
#include "report/pause.h"
#include "report/text.h"
#include "util/clock.h"
#include "util/size.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

void mw_recording_open(struct mw_guard *g)
{
	struct mw_error note;
	char boot_id[40];
	ssize_t n = mw_cgroup_read(AT_FDCWD, BOOT_ID, boot_id, sizeof(boot_id));
	int r;

	boot_id[n > 0 ? strcspn(boot_id, "\n") : 0] = '\0';
	r = mw_recorder_open(g->run_fd, boot_id, g->cfg.monitor.max_workers, mw_now_ns(), &g->recorder, &note);
	if (r < 0) { /* the guard guards all the same */
		mw_say(g->tell, LOG_ERR, "the last 60 s of workers are not recorded: %s", strerror(-r));
		return;
	}
	if (note.text[0])
		mw_say(g->tell, LOG_WARNING, "%s", note.text);
	mw_teller_record(g->tell, g->recorder);
}

void mw_recording_close(struct mw_guard *g)
{
	mw_teller_record(g->tell, NULL);
	mw_recorder_close(g->recorder);
	g->recorder = NULL;
	free(g->nearby);
	g->nearby = NULL;
}

void mw_recording_look(struct mw_worker *w)
{
	if (w->track)
		mw_track_note(w->track, &w->usage);
}

/* Kinds that lie in no other: a memstall has the rest of them inside, where whole stalls are measured. */
static bool is_whole(const struct mw_guard *g, enum mw_pause_kind kind)
{
	return !mw_kernel_has(g->kernel, MW_CAP_PAUSE_MEMSTALL) || kind == MW_PAUSE_MEMSTALL ||
	       kind == MW_PAUSE_SWAP_IN || kind == MW_PAUSE_OOM;
}

void mw_recording_pause(struct mw_guard *g, struct mw_worker *w, const struct mw_event *e, const struct mw_cause *cause)
{
	char text[384];

	if (!w->track)
		return;
	if (is_whole(g, e->kind))
		mw_track_paused(w->track, e->duration_ns);
	mw_text_pause(w, e, cause, text, sizeof(text));
	mw_recorder_pause(g->recorder, w->track, e->duration_ns, e->time_ns, mw_text_bare(w, text));
}

void mw_recording_oom(struct mw_guard *g, const struct mw_worker *w, const struct mw_event *e)
{
	char text[MW_MARK_TEXT], size[24];

	snprintf(text, sizeof(text), "the kernel chose %.15s (pid %u, %s) to be killed: %s", e->comm, e->pid,
		 mw_size_format(e->value, size, sizeof(size)),
		 e->flags & MW_OOM_MEMCG ? "a memory.max was met" : "the host is out of memory");
	mw_recorder_mark(g->recorder, w->cgroup_id, "oom", e->value, e->time_ns, text);
}

void mw_recording_level(struct mw_guard *g, const struct mw_worker *w, enum mw_level before)
{
	char text[64];

	snprintf(text, sizeof(text), "%s, %s before", mw_level_name(w->level), mw_level_name(before));
	mw_recorder_mark(g->recorder, w->cgroup_id, "level", w->level, mw_now_ns(), text);
}
