/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/sender.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "otlp/pairs.h"
#include "otlp/retry.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/http_reply.h"

#define PEM_MAX	    (1U << 20)
#define CONNECT_MS  10000L
#define RETRY_AFTER "retry-after:"

struct call {
	CURL *easy;
	struct curl_slist *headers;
	struct mw_text body;
	bool too_long;
	__s64 retry_after_ms;
	char error[CURL_ERROR_SIZE];
};

struct mw_sender {
	CURLM *multi;
	struct call calls[MW_OTLP_SIGNALS];
};

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct call *c = arg;

	if (mw_text_add(&c->body, data, size * n, MW_ANSWER_MAX) < 0) {
		c->too_long = true;
		return 0;
	}
	return size * n;
}

static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
	struct call *c = arg;
	size_t name = sizeof(RETRY_AFTER) - 1;
	char value[128];

	if (size * n > name && size * n - name < sizeof(value) && strncasecmp(data, RETRY_AFTER, name) == 0) {
		memcpy(value, data + name, size * n - name);
		value[size * n - name] = '\0';
		c->retry_after_ms = mw_retry_after(value, mw_wall_ns());
	}
	return size * n;
}

static int add_header(const char *key, const char *value, void *arg)
{
	struct call *c = arg;
	_cleanup_free_ char *line = NULL;
	struct curl_slist *list;

	if (asprintf(&line, "%s: %s", key, value) < 0)
		return -ENOMEM;
	list = curl_slist_append(c->headers, line);
	if (!list)
		return -ENOMEM;
	c->headers = list;
	return 0;
}

/* A file as a blob, which curl copies. path "": nothing. */
static int set_blob(struct call *c, CURLoption option, const char *path, struct mw_error *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *pem = NULL;
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};
	ssize_t n;

	if (!*path)
		return 0;
	pem = malloc(PEM_MAX);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (!pem || fd < 0)
		return mw_fail(err, -errno, "%s: %s", path, strerror(errno));
	while ((n = read(fd, pem + blob.len, PEM_MAX - blob.len)) > 0)
		blob.len += (size_t)n;
	if (n < 0)
		return mw_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (!blob.len || blob.len == PEM_MAX)
		return mw_fail(err, -EINVAL, "%s: expected a PEM file of less than 1 MiB", path);
	blob.data = pem;
	return curl_easy_setopt(c->easy, option, &blob) == CURLE_OK ? 0 : mw_fail(err, -ENOMEM, "%s: no memory", path);
}

static int set_headers(struct call *c, const struct mw_destination *d, enum mw_otlp_signal s, struct mw_error *err)
{
	size_t at = 0;
	int r = add_header("Content-Type", "application/json", c);

	r = r ? r : add_header("Expect", "", c); /* no round trip before the body */
	if (!r && d->gzip)
		r = add_header("Content-Encoding", "gzip", c);
	if (r)
		return mw_fail(err, r, "no memory for headers");
	r = mw_pairs_each(d->headers, add_header, c, &at);
	if (r < 0)
		return mw_fail(
			err, -EINVAL,
			"headers of %s (OTEL_EXPORTER_OTLP_HEADERS): from byte %zu on: expected KEY=VALUE,... with "
			"percent-encoded values",
			mw_otlp_signal_name(s), at);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
	return 0;
}

static int set_up(struct call *c, const struct mw_destination *d, enum mw_otlp_signal s, struct mw_error *err)
{
	int r;

	c->easy = curl_easy_init();
	if (!c->easy)
		return mw_fail(err, -ENOMEM, "curl cannot start");
	curl_easy_setopt(c->easy, CURLOPT_URL, d->url);
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(c->easy, CURLOPT_USERAGENT, "memweir-otlp/" MW_VERSION);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)d->timeout_ms);
	curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS,
			 d->timeout_ms < CONNECT_MS ? (long)d->timeout_ms : CONNECT_MS);
	curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c->easy, CURLOPT_BUFFERSIZE, 16384L);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(c->easy, CURLOPT_PRIVATE, (char *)c);
	r = set_headers(c, d, s, err);
	r = r ? r : set_blob(c, CURLOPT_CAINFO_BLOB, d->certificate, err);
	r = r ? r : set_blob(c, CURLOPT_SSLKEY_BLOB, d->client_key, err);
	return r ? r : set_blob(c, CURLOPT_SSLCERT_BLOB, d->client_certificate, err);
}

int mw_sender_new(const struct mw_settings *s, struct mw_sender **ret_sender, struct mw_error *err)
{
	_cleanup_free_ struct mw_sender *sender = calloc(1, sizeof(*sender));
	int r = 0;

	if (!sender || curl_global_init(CURL_GLOBAL_DEFAULT))
		return mw_fail(err, -ENOMEM, "curl cannot start");
	sender->multi = curl_multi_init();
	if (!sender->multi)
		return mw_fail(err, -ENOMEM, "curl cannot start");
	curl_multi_setopt(sender->multi, CURLMOPT_MAXCONNECTS, (long)MW_OTLP_SIGNALS);
	for (enum mw_otlp_signal i = 0; i < MW_OTLP_SIGNALS && !r; i++)
		if (s->signals[i].on)
			r = set_up(&sender->calls[i], &s->signals[i], i, err);
	if (r < 0) {
		mw_sender_free(TAKE_PTR(sender));
		return r;
	}
	*ret_sender = TAKE_PTR(sender);
	return 0;
}

void mw_sender_free(struct mw_sender *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++) {
		struct call *c = &s->calls[i];

		if (c->easy) {
			curl_multi_remove_handle(s->multi, c->easy);
			curl_easy_cleanup(c->easy);
		}
		curl_slist_free_all(c->headers);
		mw_text_free(&c->body);
	}
	curl_multi_cleanup(s->multi);
	curl_global_cleanup();
	free(s);
}

int mw_sender_start(struct mw_sender *s, enum mw_otlp_signal signal, const char *body, size_t size)
{
	struct call *c = &s->calls[signal];

	mw_text_free(&c->body);
	c->body = (struct mw_text){0};
	c->too_long = false;
	c->retry_after_ms = MW_RETRY_AFTER_NONE;
	c->error[0] = '\0';
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, body);
	return curl_multi_add_handle(s->multi, c->easy) == CURLM_OK ? 0 : -EIO;
}

/* What the specification calls broken: no connection, or one that ended before the answer did. The rest (no HTTP at
 * all, an answer that is too long) does not get better by asking again. */
static bool is_broken(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_PROXY:
		return true;
	default:
		return false;
	}
}

static void finish(struct mw_sender *s, CURLMsg *m, mw_sent_fn fn, void *arg)
{
	CURLcode code = m->data.result;
	struct mw_attempt a = {0};
	struct call *c = NULL;
	char *private = NULL;
	long status = 0;

	curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
	curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(s->multi, m->easy_handle);
	c = (struct call *)(void *)private;
	a.too_long = c->too_long;
	a.broken = is_broken(code);
	a.status = code == CURLE_OK ? (unsigned)status : 0;
	a.retry_after_ms = c->retry_after_ms;
	a.body = mw_text_str(&c->body);
	a.size = c->body.size;
	a.why = c->error[0] ? c->error : curl_easy_strerror(code);
	fn((enum mw_otlp_signal)(c - s->calls), &a, arg);
	mw_text_free(&c->body);
	c->body = (struct mw_text){0};
}

void mw_sender_run(struct mw_sender *s, const int *fds, unsigned n, int timeout_ms, mw_sent_fn fn, void *arg)
{
	struct curl_waitfd wait[4];
	unsigned used = 0;
	CURLMsg *m;
	int running;

	for (unsigned i = 0; i < n && used < ARRAY_SIZE(wait); i++)
		if (fds[i] >= 0)
			wait[used++] = (struct curl_waitfd){.fd = fds[i], .events = CURL_WAIT_POLLIN};
	curl_multi_poll(s->multi, wait, used, timeout_ms, NULL);
	curl_multi_perform(s->multi, &running);
	while ((m = curl_multi_info_read(s->multi, &running)))
		if (m->msg == CURLMSG_DONE)
			finish(s, m, fn, arg);
}
