/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/explain.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define LANES	   4
#define COLUMNS	   320 /* of all explanations; fewer are used */
#define CHOSEN	   (2 + 2 * ROUNDS) /* a level, a line, and up to two columns a round */
#define ROUNDS	   4
#define Z95	   1.959964
#define SAME	   1e-3 /* of a column: what is left of it is no other than those before */
#define SEEN_FLAT  0.9 /* a cache was full for the last tenth, or it is not known to be one */
#define PERIODS	   20
#define PERIOD_MIN 8.0
#define PERIOD_MAX 150.0

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
struct column {
	lanes at[MW_SLOPE_MAX / LANES];
};

struct shape {
	__u16 first; /* column */
	__u8 columns; /* 1 or 2 */
	__u8 free; /* what it chose beside them: when, how fast */
	__u8 by; /* enum mw_explanation */
	bool simple; /* may stand alone */
};

struct work {
	__u32 n; /* values */
	__u32 n_columns, n_shapes, n_steps; /* steps are the first shapes and columns */
	struct column y, raw[COLUMNS], left[COLUMNS];
	struct shape shapes[COLUMNS];
};

/* A fit under way. */
struct fit {
	double phi; /* of the errors */
	struct column y, rest, chosen[CHOSEN], orthogonal[CHOSEN];
	__u32 n_chosen, n_free;
	enum mw_explanation by;
};

struct best {
	double score;
	struct mw_explained is;
};

static double dot(const struct column *a, const struct column *b)
{
	lanes s = {0}, t = {0};
	double at[LANES];

	for (int i = 0; i < MW_SLOPE_MAX / LANES; i += 2) {
		s += a->at[i] * b->at[i];
		t += a->at[i + 1] * b->at[i + 1];
	}
	s += t;
	memcpy(at, &s, sizeof(at));
	return (at[0] + at[1]) + (at[2] + at[3]);
}

/* Takes times of b away from a. */
static void take_away(struct column *a, const struct column *b, double times)
{
	for (int i = 0; i < MW_SLOPE_MAX / LANES; i++)
		a->at[i] -= b->at[i] * times;
}

static double *cells(struct column *c)
{
	return (double *)c->at;
}

/* What is new in each value beside the one before it: errors that depend on it no longer do. */
static struct column whiten(const struct column *c, __u32 n, double phi)
{
	const double *from = (const double *)c->at;
	struct column out = {0};
	double *to = cells(&out);

	to[0] = from[0] * sqrt(1 - phi * phi);
	for (__u32 i = 1; i < n; i++)
		to[i] = from[i] - phi * from[i - 1];
	return out;
}

/* ---- the explanations ---- */

static double *new_shape(struct work *w, enum mw_explanation by, __u8 n_free, bool simple)
{
	if (w->n_columns + 2 > COLUMNS)
		return NULL; /* cannot be: see the numbers below */
	w->shapes[w->n_shapes++] = (struct shape){(__u16)w->n_columns, 1, n_free, by, simple};
	w->raw[w->n_columns] = (struct column){0};
	return cells(&w->raw[w->n_columns++]);
}

static void add_steps(struct work *w)
{
	for (__u32 at = 1; at + 1 < w->n; at++) {
		double *c = new_shape(w, MW_EXPLAINED_STEP, 1, true);

		for (__u32 i = at; c && i < w->n; i++)
			c[i] = 1;
	}
}

static void add_warm_up(struct work *w, __u32 from, double tau)
{
	double *c = new_shape(w, MW_EXPLAINED_WARM_UP, from ? 2 : 1, !from);

	for (__u32 i = from; c && i < w->n; i++)
		c[i] = 1 - exp(-(double)(i - from) / tau);
}

static void add_filling(struct work *w, __u32 from, __u32 to)
{
	double *c = new_shape(w, MW_EXPLAINED_FILLING, from ? 2 : 1, !from);

	for (__u32 i = from; c && i < w->n; i++)
		c[i] = i < to ? (double)(i - from) / (to - from) : 1;
}

static void add_cycle(struct work *w, double period)
{
	double *s = new_shape(w, MW_EXPLAINED_CYCLE, 1, true), *c;

	if (!s)
		return;
	w->raw[w->n_columns] = (struct column){0};
	c = cells(&w->raw[w->n_columns++]);
	w->shapes[w->n_shapes - 1].columns = 2;
	for (__u32 i = 0; i < w->n; i++) {
		s[i] = sin(2 * M_PI * i / period);
		c[i] = cos(2 * M_PI * i / period);
	}
}

/* When what begins late may begin: the beginning, and every six values. */
static __u32 next_from(__u32 from)
{
	return from + 6;
}

static void add_all(struct work *w)
{
	static const double taus[] = {1, 2, 3, 5, 8, 12, 18, 25}, late[] = {2, 5, 10, 18};

	add_steps(w);
	w->n_steps = w->n_shapes;
	for (size_t i = 0; i < ARRAY_SIZE(taus); i++)
		add_warm_up(w, 0, taus[i]);
	for (__u32 from = 6; from + 8 < w->n; from = next_from(from))
		for (size_t i = 0; i < ARRAY_SIZE(late); i++)
			add_warm_up(w, from, late[i]);
	for (__u32 from = 0; from + 8 < w->n; from = next_from(from))
		for (__u32 to = from + 4; to < SEEN_FLAT * w->n; to += 4)
			add_filling(w, from, to);
	for (int i = 0; i < PERIODS; i++)
		add_cycle(w, PERIOD_MIN * pow(PERIOD_MAX / PERIOD_MIN, i / (PERIODS - 1.0)));
}

/* ---- the search ---- */

/* What is new in a column beside those that were chosen; false: nothing is. */
static bool choose(struct fit *f, const struct column *whitened)
{
	struct column q = *whitened;
	double length = dot(&q, &q), left;

	f->chosen[f->n_chosen] = *whitened;
	for (__u32 i = 0; i < f->n_chosen; i++)
		take_away(&q, &f->orthogonal[i], dot(&q, &f->orthogonal[i]));
	left = dot(&q, &q);
	if (left <= SAME * SAME * length || left <= 0)
		return false;
	for (int i = 0; i < MW_SLOPE_MAX / LANES; i++)
		q.at[i] /= sqrt(left);
	take_away(&f->rest, &q, dot(&f->rest, &q));
	f->orthogonal[f->n_chosen++] = q;
	return true;
}

/* The line's own share: what no other column has. By how much it rises, and how sure that is. */
static void rise_of(const struct fit *f, __u32 line, double variance, struct mw_explained *ret)
{
	struct fit others = {0};
	struct column own = f->chosen[line];
	double length, error;

	for (__u32 i = 0; i < f->n_chosen; i++)
		if (i != line)
			choose(&others, &f->chosen[i]);
	for (__u32 i = 0; i < others.n_chosen; i++)
		take_away(&own, &others.orthogonal[i], dot(&own, &others.orthogonal[i]));
	length = dot(&own, &own);
	if (length <= 0)
		return;
	error = sqrt(variance / length);
	ret->rise = dot(&f->y, &own) / length;
	ret->z = ret->rise / error;
	ret->low = ret->rise - Z95 * error;
	ret->high = ret->rise + Z95 * error;
}

static void weigh(const struct work *w, const struct fit *f, double exact, struct best *best)
{
	bool walk = f->phi >= 1;
	double n = w->n - walk, rest = dot(&f->rest, &f->rest) + n * exact * exact;
	double parameters = f->n_chosen + walk + f->n_free + 1, score;

	score = w->n * log(rest / n) - (walk ? 0 : log(1 - f->phi * f->phi)) + log(w->n) * parameters;
	if (score >= best->score)
		return;
	best->score = score;
	best->is = (struct mw_explained){.by = walk && f->by == MW_EXPLAINED_LINE ? MW_EXPLAINED_WALK : f->by};
	rise_of(f, !walk, rest / fmax(1, n - f->n_chosen - f->n_free), &best->is);
}

/* How much of the rest a shape takes, by what it costs. */
static double gain_of(const struct work *w, const struct fit *f, const struct shape *s, double rest)
{
	double taken = 0;

	for (__u8 i = 0; i < s->columns; i++) {
		const struct column *c = &w->left[s->first + i];
		double length = dot(c, c), d = dot(c, &f->rest);

		if (length > SAME)
			taken += d * d / length;
	}
	return -(w->n * log(fmax(rest - taken, 1e-9 * rest) / rest)) - log(w->n) * (s->columns + s->free);
}

/* Of the first n shapes. NULL: nothing is left to explain. */
static const struct shape *most_gain(const struct work *w, const struct fit *f, __u32 n, bool simple)
{
	const struct shape *most = NULL;
	double rest = dot(&f->rest, &f->rest), gain = -INFINITY;

	for (__u32 i = 0; rest > 0 && i < n; i++) {
		double g;

		if (simple && !w->shapes[i].simple)
			continue;
		g = gain_of(w, f, &w->shapes[i], rest);
		if (g > gain) {
			gain = g;
			most = &w->shapes[i];
		}
	}
	return most;
}

/* Leaves in each column of the first n shapes what the chosen ones from there on do not have. */
static void orthogonalise(struct work *w, const struct fit *f, __u32 from, __u32 n)
{
	for (__u32 i = 0; i < n; i++) {
		const struct shape *s = &w->shapes[i];
		struct column *c = &w->left[s->first];
		double length;

		for (__u8 k = 0; k < s->columns; k++)
			for (__u32 j = from; j < f->n_chosen; j++)
				take_away(c + k, &f->orthogonal[j], dot(c + k, &f->orthogonal[j]));
		length = s->columns == 2 ? dot(c, c) : 0;
		if (length > SAME)
			take_away(c + 1, c, dot(c, c + 1) / length);
	}
}

/* A level and a line: what all explanations stand beside. */
static void begin(struct work *w, struct fit *f, double phi)
{
	struct column level = {0}, line = {0}, whitened;

	for (__u32 i = 0; i < w->n; i++) {
		cells(&level)[i] = 1;
		cells(&line)[i] = i;
	}
	*f = (struct fit){.phi = phi, .n_free = phi > 0};
	f->y = f->rest = whiten(&w->y, w->n, phi);
	whitened = whiten(&level, w->n, phi);
	if (phi < 1)
		choose(f, &whitened);
	whitened = whiten(&line, w->n, phi);
	choose(f, &whitened);
	for (__u32 i = 0; i < w->n_columns; i++)
		w->left[i] = whiten(&w->raw[i], w->n, phi);
	orthogonalise(w, f, 0, w->n_shapes);
}

/* Takes the best shape, and the best of what is left then, again and again. */
static void climb(struct work *w, const struct fit *from, bool simple, double exact, struct best *best)
{
	struct fit f = *from;
	__u32 n = w->n_shapes;

	for (__u32 round = 0; round < ROUNDS; round++) {
		const struct shape *s = most_gain(w, &f, n, simple);
		__u32 before = f.n_chosen;

		if (!s)
			return;
		if (!round)
			f.by = s->by;
		for (__u8 i = 0; i < s->columns; i++) {
			struct column c = whiten(&w->raw[s->first + i], w->n, f.phi);

			choose(&f, &c);
		}
		if (f.n_chosen == before)
			return;
		f.n_free += s->free;
		weigh(w, &f, exact, best);
		if (simple && s->by != MW_EXPLAINED_STEP)
			return;
		if (simple)
			n = w->n_steps;
		if (round + 1 < ROUNDS)
			orthogonalise(w, &f, before, n);
	}
}

static void search(struct work *w, double phi, double exact, struct best *alone, struct best *together)
{
	struct column steps[MW_SLOPE_MAX];
	struct fit f;

	begin(w, &f, phi);
	weigh(w, &f, exact, alone);
	weigh(w, &f, exact, together);
	memcpy(steps, w->left, w->n_steps * sizeof(*steps)); /* one column each, and the first ones */
	climb(w, &f, true, exact, alone);
	memcpy(w->left, steps, w->n_steps * sizeof(*steps));
	climb(w, &f, false, exact, together);
}

int mw_explain(const double *values, __u32 n, double exact, struct mw_explained *ret_explained)
{
	static const double phis[] = {0, 0.4, 0.7, 0.9, 1};
	struct best alone = {.score = INFINITY}, together = {.score = INFINITY};
	_cleanup_free_ struct work *w = NULL;

	if (n < MW_SLOPE_MIN)
		return -ENODATA;
	if (n > MW_SLOPE_MAX)
		return -E2BIG;
	w = aligned_alloc(sizeof(lanes), (sizeof(*w) + sizeof(lanes) - 1) / sizeof(lanes) * sizeof(lanes));
	if (!w)
		return -ENOMEM;
	w->n = n;
	w->n_columns = w->n_shapes = w->n_steps = 0;
	w->y = (struct column){0};
	memcpy(cells(&w->y), values, n * sizeof(*values));
	add_all(w);
	for (size_t i = 0; i < ARRAY_SIZE(phis); i++)
		search(w, phis[i], exact, &alone, &together);
	*ret_explained = alone.is.low < together.is.low ? alone.is : together.is;
	ret_explained->z = fmin(alone.is.z, together.is.z);
	return 0;
}
