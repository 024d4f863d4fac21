/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Memory of programs that do not leak, made up from parameters drawn at random: the kinds that rules of growth take for
 * leaks. An hour in steps of five seconds, a limit of 100 MB. The same seed gives the same series. The kinds from
 * SYNTHETIC_STRANGE on were made up after the rules were, and these were not changed for them.
 */
#ifndef SYNTHETIC_H
#define SYNTHETIC_H

#include <linux/types.h>
#include <math.h>
#include <stdlib.h>

#define SYNTHETIC_LIMIT	  100e6
#define SYNTHETIC_STEP_S  5
#define SYNTHETIC_SAMPLES 720

enum synthetic {
	WARM_UP,
	SAWTOOTH,
	CACHE_TO_CAP,
	RANDOM_WALK,
	LEVEL_SHIFTS,
	LOAD_CYCLE,
	AUTOREGRESSIVE,
	NOISE,
	SYNTHETIC_STRANGE,
	SQUARE_LOAD = SYNTHETIC_STRANGE,
	TRIANGLE_LOAD,
	TWO_WARM_UPS,
	WARM_UP_AND_SHIFTS,
	WALK_AND_CYCLE,
	LOGARITHM, /* ever slower, without an end */
	SYNTHETIC_MAX,
};
static const char *const synthetic_names[SYNTHETIC_MAX] = {"warm-up",	     "sawtooth",     "cache to cap",
							   "random walk",    "level shifts", "load cycle",
							   "AR(1)",	     "noise",	     "square load",
							   "triangle load",  "two warm-ups", "warm-up and shifts",
							   "walk and cycle", "logarithm"};

struct synthetic_source {
	unsigned seed;
};

static double synthetic_uniform(struct synthetic_source *s, double from, double to)
{
	return from + (to - from) * ((double)rand_r(&s->seed) + 0.5) / ((double)RAND_MAX + 1);
}

static double synthetic_normal(struct synthetic_source *s)
{
	double u = synthetic_uniform(s, 0, 1);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * synthetic_uniform(s, 0, 1));
}

/* What is drawn is drawn for every kind alike. */
static void synthetic_series(enum synthetic kind, unsigned seed, double values[SYNTHETIC_SAMPLES])
{
	struct synthetic_source s = {seed * 2654435761u + (unsigned)kind};
	double base = synthetic_uniform(&s, .2, .5) * SYNTHETIC_LIMIT;
	double noise = synthetic_uniform(&s, .001, .01) * SYNTHETIC_LIMIT;
	double size = synthetic_uniform(&s, .05, .3) * SYNTHETIC_LIMIT, tau = synthetic_uniform(&s, 60, 900);
	double saw_s = synthetic_uniform(&s, 10, 600), full_s = synthetic_uniform(&s, 300, 3000);
	double cycle_s = synthetic_uniform(&s, 1200, 7200), phase = synthetic_uniform(&s, 0, 2 * M_PI);
	double keep = synthetic_uniform(&s, .9, .995), step = synthetic_uniform(&s, .001, .004) * SYNTHETIC_LIMIT;
	double at[4], by[4], state = 0, again_s;
	int shifts = 1 + (int)synthetic_uniform(&s, 0, 4);

	for (int i = 0; i < 4; i++) {
		at[i] = synthetic_uniform(&s, 0, 3600);
		by[i] = synthetic_normal(&s) * .08 * SYNTHETIC_LIMIT;
	}
	again_s = synthetic_uniform(&s, 600, 2400);
	for (int i = 0; i < SYNTHETIC_SAMPLES; i++) {
		double t = i * SYNTHETIC_STEP_S, x = base, cycle = sin(2 * M_PI * t / cycle_s + phase);

		if (kind == WARM_UP || kind == TWO_WARM_UPS || kind == WARM_UP_AND_SHIFTS)
			x += size * (1 - exp(-t / tau));
		else if (kind == SAWTOOTH)
			x += size * fmod(t, saw_s) / saw_s;
		else if (kind == CACHE_TO_CAP)
			x += size * fmin(1, t / full_s);
		else if (kind == RANDOM_WALK || kind == WALK_AND_CYCLE)
			x += state += synthetic_normal(&s) * step;
		else if (kind == LOAD_CYCLE)
			x += size / 2 * cycle;
		else if (kind == AUTOREGRESSIVE)
			x += state = keep * state + synthetic_normal(&s) * noise;
		else if (kind == SQUARE_LOAD)
			x += cycle > 0 ? size / 2 : -size / 2;
		else if (kind == TRIANGLE_LOAD)
			x += size / M_PI * asin(cycle);
		else if (kind == LOGARITHM)
			x += size / 4 * log(1 + t / tau);
		if (kind == TWO_WARM_UPS && t > again_s)
			x += size / 2 * (1 - exp(-(t - again_s) / tau));
		if (kind == WALK_AND_CYCLE)
			x += size / 2 * cycle;
		for (int k = 0; (kind == LEVEL_SHIFTS || kind == WARM_UP_AND_SHIFTS) && k < shifts; k++)
			x += t > at[k] ? by[k] : 0;
		values[i] = fmax(x + fabs(synthetic_normal(&s)) * noise, 1e6);
	}
}

/* A leak on top: so much in the hour, evenly. */
static void synthetic_leak(double values[SYNTHETIC_SAMPLES], double bytes)
{
	for (int i = 0; i < SYNTHETIC_SAMPLES; i++)
		values[i] += bytes * i / SYNTHETIC_SAMPLES;
}

#endif
