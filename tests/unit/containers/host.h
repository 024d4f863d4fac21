/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A host made of files: what engines wrote, and the processes and cgroups they wrote about. */
#ifndef MW_TESTS_HOST_H
#define MW_TESTS_HOST_H

#include "core/fake_tree.h"

#include <libgen.h>

#include "captured.h"
#include "containers/found.h"
#include "util/clock.h"

#define DOCKER_CGROUP "/system.slice/docker-" DOCKER_ID ".scope"
#define KUBE_CGROUP                                                                                                    \
	"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podf5a71afd_8d14_423d_932e_5718e9c52b4d.slice/"   \
	"cri-containerd-" KUBE_ID ".scope"

/* A process that started at that tick, in that cgroup; both exist. */
static inline void host_process(int pid, unsigned long long start, const char *cgroup)
{
	char path[PATH_MAX - sizeof(tree)], text[2048];

	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	snprintf(text, sizeof(text), "%d (sl) ee p) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 %llu 0 0\n", pid,
		 start);
	tree_file(path, text);
	snprintf(path, sizeof(path), "proc/%d/cgroup", pid);
	snprintf(text, sizeof(text), "1:name=systemd:/\n0::%s\n", cgroup);
	tree_file(path, text);
	snprintf(path, sizeof(path), "sys/fs/cgroup%s", cgroup);
	tree_dir(path);
}

/* The captured host, with everything running. */
static inline int host_make(void **state)
{
	if (tree_make(state))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(captured); i++)
		tree_file(captured[i].path, captured[i].text);
	tree_file("var/log/containers/" KUBE_LINK, "");
	host_process(485, 3370, DOCKER_CGROUP);
	host_process(580, 4492, "/machine.slice/libpod-" PODMAN_CRUN_ID ".scope/container");
	host_process(669, 5277, "/machine.slice/libpod-" PODMAN_RUNC_ID ".scope");
	host_process(814, 5839, "/default/web4");
	host_process(952, 6196, KUBE_CGROUP);
	host_process(997, 6346, "/system.slice/mwt-web6.scope");
	host_process(1016, 6475, "/system.slice/mwt-web7.scope/container");
	host_process(1020, 6590, "/machine.slice/machine-web8.scope/payload");
	return 0;
}

/* memweir-container of the same build: BUILD/tests/unit/containers/x_test is four below. */
static inline const char *host_helper(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(n > 0);
	path[n] = '\0';
	for (int i = 0; i < 4; i++)
		dirname(path);
	strcat(path, "/memweir-container");
	return path;
}

/* The whole text of a captured file, by the end of its path. */
static inline const char *host_text(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(captured); i++) {
		if (!strcmp(captured[i].path, path))
			return captured[i].text;
	}
	fail_msg("%s was not captured", path);
	return NULL;
}

static struct mw_container found;
static struct mw_error said;

static inline int host_remove(void **state)
{
	mw_container_free(&found);
	return tree_remove(state);
}

static inline int host_ask(const char *name, const char *cgroup)
{
	struct mw_container_question q = {
		.name = name, .cgroup = cgroup, .root = tree, .helper = host_helper(), .timeout_ms = 20000};

	mw_container_free(&found);
	found = (struct mw_container){0};
	said.text[0] = '\0';
	return mw_container_ask(&q, &found, &said);
}

#define assert_found(name)                                                                                             \
	do {                                                                                                           \
		int _r = host_ask(name, NULL);                                                                         \
                                                                                                                       \
		if (_r)                                                                                                \
			fail_msg("%s: %d, %s", name, _r, said.text);                                                   \
	} while (0)

#define assert_said(words)                                                                                             \
	do {                                                                                                           \
		if (!strstr(said.text, words))                                                                         \
			fail_msg("expected \"%s\" in \"%s\"", words, said.text);                                       \
	} while (0)

#define host_test(f) cmocka_unit_test_setup_teardown(f, host_make, host_remove)

#endif
