/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * systemd's journal: is it where our output goes, and entries with fields in its native protocol. One datagram each,
 * sent only if the socket takes it now: sd_journal_send() waits for a journal that is stuck.
 */
#ifndef MW_JOURNAL_H
#define MW_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#define MW_JOURNAL_SOCKET "/run/systemd/journal/socket"
#define MW_ENTRY_MAX	  4096

/*
 * Does fd go to the journal, so that a line may begin with its priority, "<4>"? $JOURNAL_STREAM is inherited by
 * those whose output goes elsewhere: what it says is compared with the descriptor (systemd.exec(5)).
 */
bool mw_journal_on(int fd);

/* An entry under way. A field that has no room is left out whole, and left_out says so. */
struct mw_entry {
	char bytes[MW_ENTRY_MAX];
	size_t n;
	unsigned left_out;
};

/* field: A-Z, 0-9 and _, at most 64, not beginning with _. value NULL or "": no field. Any bytes may be in a value. */
void mw_entry_text(struct mw_entry *e, const char *field, const char *value);
void mw_entry_number(struct mw_entry *e, const char *field, unsigned long long value);

int mw_journal_open(void); /* a socket for mw_journal_send, or -errno; also where there is no journal */
/* 0, or -errno: the journal does not take it now (-EAGAIN), is not there (-ENOENT, -ECONNREFUSED). Never blocks. */
int mw_journal_send(int fd, const char *path, const struct mw_entry *e);

#endif
