/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/histogram.h"

#include "util/cleanup.h"
#include "util/size.h"
#include "util/table.h"

#define DEFAULT_WIDTH 80
#define AROUND_BAR    41 /* columns of a row that are not its bar */
#define BAR_MIN	      8
#define BAR_MAX	      60

static __u64 edge_ns(size_t slot)
{
	return slot < 64 ? 1ULL << slot : ~0ULL;
}

size_t mw_hist_rows(const __u64 *slots, size_t n, struct mw_hist_row rows[MW_HIST_ROWS])
{
	size_t first = 0, last = n, merge, n_rows;

	while (first < n && !slots[first])
		first++;
	if (first >= n)
		return 0;
	while (last > first + 1 && !slots[last - 1])
		last--;
	merge = (last - first + MW_HIST_ROWS - 1) / MW_HIST_ROWS;
	n_rows = (last - first + merge - 1) / merge;
	for (size_t i = 0; i < n_rows; i++) {
		size_t from = first + i * merge, to = from + merge < last ? from + merge : last;

		rows[i] = (struct mw_hist_row){.from_ns = edge_ns(from), .to_ns = edge_ns(to)};
		for (size_t slot = from; slot < to; slot++)
			rows[i].count += slots[slot];
	}
	return n_rows;
}

/* Eighths of a column where the locale has them; a count that is not 0 is never an empty bar. */
static void print_bar(__u64 count, __u64 most, size_t columns, FILE *out)
{
	static const char *const part[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	bool utf8 = mw_locale_utf8();
	size_t eighths = (size_t)((double)count / (double)most * (double)columns * 8 + 0.5), used = 0;

	if (count && !eighths)
		eighths = 1;
	if (!utf8)
		eighths = count ? (eighths + 7) / 8 * 8 : 0;
	for (; used < eighths / 8; used++)
		fputs(utf8 ? "█" : "#", out);
	if (eighths % 8) {
		fputs(part[eighths % 8], out);
		used++;
	}
	fprintf(out, "%*s", (int)(columns - used), "");
}

void mw_hist_print(const __u64 *slots, size_t n, size_t width, FILE *out)
{
	struct mw_hist_row rows[MW_HIST_ROWS];
	size_t n_rows = mw_hist_rows(slots, n < 64 ? n : 63, rows), columns;
	__u64 most = 0, all = 0;

	width = width ? width : DEFAULT_WIDTH;
	columns = width > AROUND_BAR + BAR_MIN ? width - AROUND_BAR : BAR_MIN;
	columns = columns < BAR_MAX ? columns : BAR_MAX;
	for (size_t i = 0; i < n_rows; i++) {
		most = rows[i].count > most ? rows[i].count : most;
		all += rows[i].count;
	}
	for (size_t i = 0; i < n_rows; i++) {
		char from[32], to[32];

		fprintf(out, "  %8s .. %-8s ", mw_duration_format(rows[i].from_ns, from, sizeof(from)),
			mw_duration_format(rows[i].to_ns, to, sizeof(to)));
		print_bar(rows[i].count, most, columns, out);
		fprintf(out, " %9llu %3.0f %%\n", rows[i].count, 100.0 * (double)rows[i].count / (double)all);
	}
}
