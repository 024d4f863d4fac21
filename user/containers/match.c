/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "containers/match.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "containers/state.h"
#include "core/cgroup.h"
#include "util/cleanup.h"

#define STOPPED_MAX 1024

/* A container: the sources that speak of it, and what has been read of them. */
struct box {
	struct mw_found f;
	const struct mw_source *state, *names, *oci;
	bool loaded;
};

struct boxes {
	struct box *box; /* one for each source at most, and STOPPED_MAX that only a storage names */
	size_t n;
	bool users; /* of users' engines, else of root's */
	const struct mw_scan *scan;
};

static void free_boxes(struct boxes *b)
{
	for (size_t i = 0; i < b->n; i++)
		mw_container_free(&b->box[i].f.c);
	free(b->box);
}

static void unread(struct mw_answer *a, const struct mw_source *s, const char *why)
{
	if (!a->unread++)
		snprintf(a->problem, sizeof(a->problem), "%s's file of %.100s: %.100s", *s->engine ? s->engine : "a",
			 *s->id ? s->id : "names", why);
}

/* Read a source and hand it to the parser of its kind. A file that cannot be read is counted; -ENOMEM ends all. */
static int load_source(const struct mw_source *s, struct mw_found *f, struct mw_answer *a)
{
	static int (*const parse[MW_SOURCE_MAX])(const char *, size_t, struct mw_found *, struct mw_error *) = {
		[MW_SOURCE_RUNC] = mw_state_runc,	[MW_SOURCE_CRUN] = mw_state_crun,
		[MW_SOURCE_OCI] = mw_state_oci,		[MW_SOURCE_DOCKER] = mw_state_docker,
		[MW_SOURCE_MACHINE] = mw_state_machine,
	};
	_cleanup_free_ char *text = NULL;
	struct mw_error err = {""};
	size_t n;
	int r = mw_source_read(s, &text, &n);

	if (r == 0)
		r = parse[s->kind](text, n, f, &err);
	if (r < 0 && r != -ENOMEM && r != -ENOENT)
		unread(a, s, *err.text ? err.text : strerror(-r));
	return r == -ENOMEM ? r : 0;
}

static bool is_theirs(const struct boxes *b, const struct mw_source *s)
{
	return (s->uid != 0) == b->users;
}

static bool is_state(const struct mw_source *s)
{
	return s->kind == MW_SOURCE_RUNC || s->kind == MW_SOURCE_CRUN || s->kind == MW_SOURCE_MACHINE;
}

/* One box for each state file; a container that does not run has none. */
static void add_states(struct boxes *b)
{
	for (size_t i = 0; i < b->scan->n; i++) {
		const struct mw_source *s = &b->scan->sources[i];
		struct box *box = &b->box[b->n];

		if (!is_theirs(b, s) || !is_state(s))
			continue;
		*box = (struct box){.state = s, .f = {.uid = s->uid}};
		strcpy(box->f.c.engine, strcmp(s->namespace, "moby") ? s->engine : "docker");
		strcpy(box->f.c.id, s->id);
		strcpy(box->f.c.namespace, s->namespace);
		if (s->kind == MW_SOURCE_MACHINE)
			strcpy(box->f.c.name, s->id);
		b->n++;
	}
}

/* The box with this ID, of this engine, or of any that containers/storage serves. */
static struct box *find_box(struct boxes *b, uid_t uid, const char *engine, const char *id)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct mw_container *c = &b->box[i].f.c;
		bool fits = *engine ? !strcmp(c->engine, engine)
				    : strcmp(c->engine, "docker") != 0 && strcmp(c->engine, "nspawn") != 0 &&
					      strcmp(c->engine, "containerd") != 0;

		if (fits && b->box[i].f.uid == uid && !strcmp(c->id, id))
			return &b->box[i];
	}
	return NULL;
}

/* docker's own file, with or without a state file. */
static int add_docker(struct boxes *b, const struct mw_source *s, struct mw_answer *a)
{
	struct box *box = find_box(b, s->uid, "docker", s->id);

	if (!box) {
		box = &b->box[b->n++];
		*box = (struct box){.f = {.uid = s->uid}};
		strcpy(box->f.c.engine, "docker");
		strcpy(box->f.c.id, s->id);
	}
	box->names = s;
	return load_source(s, &box->f, a);
}

struct storage_arg {
	struct boxes *boxes;
	uid_t uid;
	size_t room; /* for containers that do not run */
};

static int storage_name(const char *id, const char *name, const char *image, void *arg)
{
	struct storage_arg *s = arg;
	struct box *box = find_box(s->boxes, s->uid, "", id);

	if (!box) {
		if (!s->room)
			return 0;
		s->room--;
		box = &s->boxes->box[s->boxes->n++];
		*box = (struct box){.f = {.uid = s->uid}};
		strcpy(box->f.c.id, id);
	}
	/* cri-o names its containers here too: what its annotations say comes later and is better. */
	strcpy(box->f.c.engine, "podman");
	strcpy(box->f.c.name, name);
	strcpy(box->f.c.image, image);
	return 0;
}

static int add_storage(struct boxes *b, const struct mw_source *s, size_t *room, struct mw_answer *a)
{
	struct storage_arg arg = {b, s->uid, *room};
	_cleanup_free_ char *text = NULL;
	struct mw_error err = {""};
	size_t n;
	int r = mw_source_read(s, &text, &n);

	if (r == 0)
		r = mw_state_storage(text, n, storage_name, &arg, &err);
	*room = arg.room;
	if (r < 0 && r != -ENOMEM)
		unread(a, s, *err.text ? err.text : strerror(-r));
	return r == -ENOMEM ? r : 0;
}

static void add_link(struct boxes *b, const struct mw_source *s)
{
	struct mw_found f = {.uid = s->uid};

	if (!mw_state_link(s->id, &f))
		return;
	for (size_t i = 0; i < b->n; i++) {
		struct mw_container *c = &b->box[i].f.c;

		if (strcmp(c->id, f.c.id) != 0)
			continue;
		strcpy(c->name, f.c.name);
		strcpy(c->pod, f.c.pod);
		strcpy(c->namespace, f.c.namespace);
	}
}

/* Beside the state file of the same container; a bundle without one is left from somebody who has ended. */
static void add_bundle(struct boxes *b, const struct mw_source *s)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct mw_source *state = b->box[i].state;

		if (state && state->uid == s->uid && !strcmp(state->engine, s->engine) && !strcmp(state->id, s->id) &&
		    !strcmp(state->namespace, s->namespace))
			b->box[i].oci = s;
	}
}

static int add_names(struct boxes *b, struct mw_answer *a)
{
	size_t room = STOPPED_MAX;
	int r = 0;

	for (size_t i = 0; !r && i < b->scan->n; i++) {
		const struct mw_source *s = &b->scan->sources[i];

		if (!is_theirs(b, s))
			continue;
		if (s->kind == MW_SOURCE_DOCKER) {
			r = add_docker(b, s, a);
		} else if (s->kind == MW_SOURCE_STORAGE) {
			r = add_storage(b, s, &room, a);
		} else if (s->kind == MW_SOURCE_OCI) {
			add_bundle(b, s);
		} else if (s->kind == MW_SOURCE_LINK) {
			add_link(b, s);
		}
	}
	return r;
}

static int load(struct box *box, struct mw_answer *a)
{
	int r = 0;

	if (box->loaded)
		return 0;
	box->loaded = true;
	if (box->state)
		r = load_source(box->state, &box->f, a);
	if (!r && box->oci)
		r = load_source(box->oci, &box->f, a);
	mw_state_kubernetes(&box->f);
	if (!box->f.c.name[0] && box->state && !box->f.c.pod[0])
		strcpy(box->f.c.name, box->f.c.id); /* ctr, runc, crun: the ID is the name */
	return r;
}

/* POD/CONTAINER and NAMESPACE/POD/CONTAINER, beside the name itself. */
static bool is_named(const struct mw_container *c, const char *name)
{
	char full[3 * MW_CONTAINER_NAME];

	if (!c->name[0])
		return false;
	if (!strcmp(c->name, name))
		return true;
	snprintf(full, sizeof(full), "%s/%s/%s", c->namespace, c->pod, c->name);
	return c->pod[0] && (!strcmp(full, name) || !strcmp(full + strlen(c->namespace) + 1, name));
}

static int rank_name(const struct mw_container *c, const char *asked)
{
	const char *colon = strchr(asked, ':'), *name = colon ? colon + 1 : asked;

	if (colon &&
	    (strlen(c->engine) != (size_t)(colon - asked) || strncmp(c->engine, asked, strlen(c->engine)) != 0))
		return -1;
	/* Where the ID is the name it is one among names. */
	if (!strcmp(c->id, name))
		return !strcmp(c->name, name);
	if (is_named(c, name))
		return 1;
	return strncmp(c->id, name, strlen(name)) ? -1 : 2;
}

/* A part of the path, from slash to slash. */
static bool has_part(const char *path, const char *part)
{
	size_t n = strlen(part);

	for (const char *at = path; (at = strchr(at, '/')); at++) {
		if (!strncmp(at + 1, part, n) && (!at[1 + n] || at[1 + n] == '/'))
			return true;
	}
	return false;
}

static int rank_cgroup(const struct mw_found *f, const char *asked)
{
	if (f->unit[0] && has_part(asked, f->unit))
		return MW_CONTAINER_CGROUP - 1; /* a unit holds whatever else is there */
	if (!f->c.cgroup[0])
		return -1;
	if (mw_cgroup_path_holds(f->c.cgroup, asked))
		return MW_CONTAINER_CGROUP - (int)strlen(f->c.cgroup);
	return mw_cgroup_path_holds(asked, f->c.cgroup) ? MW_CONTAINER_CGROUP : -1;
}

int mw_found_rank(const struct mw_found *f, const struct mw_container_question *q)
{
	return q->name ? rank_name(&f->c, q->name) : rank_cgroup(f, q->cgroup);
}

/* Whether a word stands in a file at all: to look is twenty times cheaper than to parse. */
static bool contains(const char *text, size_t n, const char *word)
{
	return memmem(text, n, word, strlen(word));
}

/* A container of Kubernetes has a name other than its ID. */
static bool has_pod(const struct mw_source *s)
{
	_cleanup_free_ char *text = NULL;
	size_t n;

	return s && mw_source_read(s, &text, &n) == 0 && contains(text, n, "\"io.kubernetes.");
}

/* A path that holds the one asked for ends in one of its parts; one below it begins with all of it. */
static bool may_be_place(const struct mw_source *s, const char *asked)
{
	_cleanup_free_ char *text = NULL;
	char part[MW_CONTAINER_CGROUP + 2];
	size_t n;

	/* A file of machined has no path; what JSON may write in two ways is not searched for. */
	if (s->kind == MW_SOURCE_MACHINE || strpbrk(asked, "\\\"<>&") || mw_source_read(s, &text, &n) < 0)
		return true;
	if (contains(text, n, asked))
		return true;
	for (const char *at = asked; *at; at += strcspn(at + 1, "/") + 1) {
		snprintf(part, sizeof(part), "%.*s\"", (int)(strcspn(at + 1, "/") + 1), at);
		if (contains(text, n, part))
			return true;
	}
	return false;
}

/*
 * The rest of the files need not be parsed where names are known without, when asked by name: of docker and podman, and
 * of runtimes whose ID is the name. What is named k8s_… has another name in its annotations.
 */
static bool must_load(const struct box *box, const struct mw_container_question *q)
{
	const char *name = box->f.c.name;

	if (!q->name)
		return box->state && may_be_place(box->state, q->cgroup);
	if (mw_found_rank(&box->f, q) >= 0)
		return true;
	return *name ? !strncmp(name, "k8s_", 4) : has_pod(box->oci ? box->oci : box->state);
}

static int collect(struct boxes *b, const struct mw_container_question *q, struct mw_answer *a)
{
	int best = INT_MAX, r = 0;

	for (size_t i = 0; !r && i < b->n; i++) {
		if (must_load(&b->box[i], q))
			r = load(&b->box[i], a);
	}
	for (size_t i = 0; i < b->n; i++) {
		int rank = mw_found_rank(&b->box[i].f, q);

		if (rank >= 0 && rank < best)
			best = rank;
	}
	for (size_t i = 0; !r && i < b->n; i++) {
		struct mw_found *f = &b->box[i].f;

		if (mw_found_rank(f, q) != best)
			continue;
		if (a->n_found == MW_FOUND_MAX) {
			a->left_out++;
			continue;
		}
		a->found[a->n_found++] = *f;
		*f = (struct mw_found){0}; /* its labels are the answer's now */
	}
	return r;
}

static int match(const struct mw_scan *scan, bool users, const struct mw_container_question *q, struct mw_answer *a)
{
	_cleanup_(free_boxes) struct boxes b = {.users = users, .scan = scan};
	int r;

	b.box = calloc(scan->n + STOPPED_MAX, sizeof(*b.box));
	if (!b.box)
		return -ENOMEM;
	add_states(&b);
	r = add_names(&b, a);
	return r ? r : collect(&b, q, a);
}

int mw_match(const struct mw_scan *scan, const struct mw_container_question *q, struct mw_answer *answer)
{
	int r = match(scan, false, q, answer);

	return r || answer->n_found ? r : match(scan, true, q, answer);
}
