/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/scrape.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "util/cleanup.h"

#define PIECE	    16384
#define PIECES_TURN 64

static int on_body(const char *data, size_t size, void *arg);

int mw_scrape_init(struct mw_scrape *s)
{
	*s = (struct mw_scrape){.fd = -1};
	return mw_metrics_init(&s->metrics);
}

static void end(struct mw_scrape *s)
{
	mw_close(&s->fd);
	mw_reply_parser_free(&s->reply);
	mw_text_free(&s->line);
	s->line = (struct mw_text){0};
	s->too_long = s->begun = false;
}

void mw_scrape_free(struct mw_scrape *s)
{
	end(s);
	mw_metrics_free(&s->metrics);
}

void mw_scrape_begin(struct mw_scrape *s, int fd, __u64 wall_ns)
{
	s->failures += s->fd >= 0;
	end(s);
	s->fd = fd;
	s->wall_ns = wall_ns;
	s->reply = (struct mw_reply_parser){.fn = on_body, .arg = s};
	s->scrapes++;
}

static void end_line(struct mw_scrape *s)
{
	if (!s->too_long && s->line.data)
		mw_metrics_line(&s->metrics, s->line.data, s->now_ns);
	s->metrics.left_out += s->too_long;
	s->line.size = 0;
	if (s->line.data)
		s->line.data[0] = '\0';
	s->too_long = false;
}

static int on_body(const char *data, size_t size, void *arg)
{
	struct mw_scrape *s = arg;

	if (s->reply.status != 200)
		return -EPROTO;
	if (!s->begun) { /* only now is there something newer than what waits */
		mw_exporter_outdated(s->to);
		mw_metrics_begin(&s->metrics, s->to, s->wall_ns);
		s->begun = true;
	}
	while (size) {
		const char *newline = memchr(data, '\n', size);
		size_t n = newline ? (size_t)(newline - data) : size;
		int r = s->too_long || !n ? 0 : mw_text_add(&s->line, data, n, MW_SCRAPE_LINE_MAX);

		if (r == -EMSGSIZE)
			s->too_long = true;
		else if (r < 0)
			return r;
		if (newline)
			end_line(s);
		n += newline != NULL;
		data += n;
		size -= n;
	}
	return 0;
}

void mw_scrape_read(struct mw_scrape *s, struct mw_exporter *to, __u64 now_ns)
{
	char piece[PIECE];
	int r = 0;

	s->to = to;
	s->now_ns = now_ns;
	for (unsigned i = 0; i < PIECES_TURN && s->fd >= 0; i++) {
		ssize_t n = recv(s->fd, piece, sizeof(piece), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		r = n < 0 ? -errno : n == 0 ? mw_reply_end(&s->reply) : mw_reply_feed(&s->reply, piece, (size_t)n);
		if (n > 0 && r == 0 && s->reply.state != MW_REPLY_DONE)
			continue;
		if (s->begun)
			mw_metrics_end(&s->metrics, now_ns);
		s->failures += r < 0;
		end(s);
	}
}
