// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a request costs: by memory.peak where a descriptor of it can be reset (6.12), else by the looks in between. */
#include "lib/guard_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "lib/sized.h"
#include "util/amount.h"
#include "util/cleanup.h"
#include "util/clock.h"

void mw_guard_requests_saw(struct memweir_guard *g, uint64_t current)
{
	for (unsigned int i = 0; g->open && i < MW_GUARD_REQUESTS; i++) {
		struct mw_guard_request *q = &g->requests[i];

		if (q->id && current > q->peak)
			q->peak = current;
	}
}

/* What is written into it takes this descriptor's peak back to what is used now; older kernels refuse. */
static bool reset_peak(struct mw_guard_request *q, int dir_fd)
{
	if (dir_fd < 0)
		return false;
	if (q->peak_fd < 0)
		q->peak_fd = openat(dir_fd, "memory.peak", O_RDWR | O_CLOEXEC);
	if (q->peak_fd < 0)
		return false;
	if (pwrite(q->peak_fd, "r", 1, 0) == 1)
		return true;
	mw_close(&q->peak_fd);
	return false;
}

static int read_peak(int fd, __u64 *ret_peak)
{
	char buf[32];
	ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return mw_cgroup_parse_u64(buf, ret_peak);
}

bool mw_guard_has_peak(struct memweir_guard *g)
{
	struct mw_guard_request probe = {.peak_fd = -1};
	bool has = reset_peak(&probe, g->meter.dir_fd);

	mw_close(&probe.peak_fd);
	return has;
}

void mw_guard_requests_forget(struct memweir_guard *g)
{
	for (unsigned int i = 0; i < MW_GUARD_REQUESTS; i++)
		mw_close(&g->requests[i].peak_fd);
}

static struct mw_guard_request *find(struct memweir_guard *g, uint64_t id)
{
	for (unsigned int i = 0; i < MW_GUARD_REQUESTS; i++) {
		if (g->requests[i].id == id)
			return &g->requests[i];
	}
	return NULL;
}

static int begin(struct memweir_guard *g, uint64_t *ret_id)
{
	struct mw_guard_request *q = find(g, 0);
	int r;

	if (!q) {
		g->measured.values[MW_REQUEST_REFUSED]++;
		return -EBUSY;
	}
	r = mw_meter_full(&g->meter);
	if (r < 0)
		return r;
	/* In another cgroup than the last request of this place? */
	if (q->cgroup_dir != g->meter.opened)
		mw_close(&q->peak_fd);
	q->cgroup_dir = g->meter.opened;
	q->exact = (g->can & MEMWEIR_CAN_PEAK) && reset_peak(q, g->meter.dir_fd);
	q->began_ns = mw_now_ns();
	q->heap_bin = g->meter.full.heap + g->meter.full.bin;
	q->current = q->peak = g->meter.full.current;
	q->others = g->open;
	for (unsigned int i = 0; i < MW_GUARD_REQUESTS; i++)
		g->requests[i].others += g->requests[i].id != 0;
	q->id = ++g->last_request;
	g->open++;
	mw_guard_requests_saw(g, q->current);
	*ret_id = q->id;
	return 0;
}

int memweir_guard_request_begin(struct memweir_guard *g, uint64_t *ret_request)
{
	int r;

	pthread_mutex_lock(&g->lock);
	r = begin(g, ret_request);
	pthread_mutex_unlock(&g->lock);
	return r;
}

static int end(struct memweir_guard *g, struct mw_guard_request *q, struct memweir_request_usage *ret_ours)
{
	struct memweir_request_usage ours = {.duration_ns = mw_now_ns() - q->began_ns, .others = q->others};
	int r = mw_meter_full(&g->meter);
	__u64 peak = 0;

	if (r >= 0)
		mw_guard_requests_saw(g, g->meter.full.current);
	/* Moved into another cgroup meanwhile: its peak is not this request's. */
	if (q->exact && q->cgroup_dir == g->meter.opened && read_peak(q->peak_fd, &peak) == 0) {
		ours.peak_exact = 1;
		q->peak = peak > q->peak ? peak : q->peak;
	}
	ours.growth_bytes = (int64_t)(g->meter.full.heap + g->meter.full.bin) - (int64_t)q->heap_bin;
	ours.peak_bytes = q->peak;
	ours.peak_growth_bytes = mw_less(q->peak, q->current);
	mw_figure_count(&g->measured.histograms[MW_REQUEST_DURATION], MW_REQUEST_DURATION, ours.duration_ns);
	mw_figure_count(&g->measured.histograms[MW_REQUEST_GROWTH], MW_REQUEST_GROWTH, ours.peak_growth_bytes);
	q->id = 0;
	g->open--;
	*ret_ours = ours;
	return r;
}

int memweir_guard_request_end(struct memweir_guard *g, uint64_t request, struct memweir_request_usage *ret_usage)
{
	struct memweir_request_usage ours;
	struct mw_guard_request *q;
	int r = -EINVAL;

	pthread_mutex_lock(&g->lock);
	q = request ? find(g, request) : NULL;
	if (q)
		r = end(g, q, &ours);
	pthread_mutex_unlock(&g->lock);
	return r >= 0 && ret_usage ? mw_sized_out(ret_usage, &ours, sizeof(ours)) : r;
}
