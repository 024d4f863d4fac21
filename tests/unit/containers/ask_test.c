/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* From a name to a cgroup and back, through the real helper, on what real engines wrote. */
#include "host.h"

static void docker_by_name_id_and_beginning(void **state)
{
	static const char *const names[] = {"docker:web", DOCKER_ID, "892cefc7d81c", "892", "docker:89"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_found(names[i]);
		assert_string_equal(found.engine, "docker");
		assert_string_equal(found.id, DOCKER_ID);
		assert_string_equal(found.name, "web");
		assert_string_equal(found.image, "mwt/box:1");
		assert_string_equal(found.cgroup, DOCKER_CGROUP);
		assert_int_equal(found.pid, 485);
		assert_int_equal(found.pid_start, 3370);
		assert_int_equal(found.n_labels, 2);
		assert_int_equal(found.labels_left_out, 0);
		assert_string_equal(mw_container_label(&found, MW_LABEL_LABEL, "com.example/x"), "y z");
		assert_null(mw_container_label(&found, MW_LABEL_ANNOTATION, "a"));
	}
}

static void podman_on_both_runtimes(void **state)
{
	(void)state;
	assert_found("podman:web");
	assert_string_equal(found.engine, "podman");
	assert_string_equal(found.id, PODMAN_CRUN_ID);
	assert_string_equal(found.image, "localhost/mwt/box:1");
	assert_string_equal(found.cgroup, "/machine.slice/libpod-" PODMAN_CRUN_ID ".scope/container");
	assert_string_equal(mw_container_label(&found, MW_LABEL_ANNOTATION, "memweir.class"), "tool");
	assert_string_equal(found.namespace, "");

	assert_found("web3");
	assert_string_equal(found.engine, "podman");
	assert_string_equal(found.id, PODMAN_RUNC_ID);
	assert_string_equal(found.cgroup, "/machine.slice/libpod-" PODMAN_RUNC_ID ".scope");
	assert_string_equal(mw_container_label(&found, MW_LABEL_ANNOTATION, "memweir.class"), "tool");
	assert_null(mw_container_label(&found, MW_LABEL_ANNOTATION, "bundle"));
}

static void containerd_and_what_a_kubelet_runs(void **state)
{
	static const char *const names[] = {"web5",	 "web5-pod/web5", "default/web5-pod/web5",
					    "4911184d8", KUBE_ID,	  "containerd:web5"};

	(void)state;
	assert_found("web4");
	assert_string_equal(found.engine, "containerd");
	assert_string_equal(found.name, "web4");
	assert_string_equal(found.namespace, "default");
	assert_string_equal(found.cgroup, "/default/web4");
	for (size_t i = 0; i < 2 * ARRAY_SIZE(names); i++) {
		if (i == ARRAY_SIZE(names)) /* the annotations say the same */
			assert_int_equal(unlink(tree_path("var/log/containers/" KUBE_LINK)), 0);
		assert_found(names[i % ARRAY_SIZE(names)]);
		assert_string_equal(found.engine, "containerd");
		assert_string_equal(found.id, KUBE_ID);
		assert_string_equal(found.name, "web5");
		assert_string_equal(found.pod, "web5-pod");
		assert_string_equal(found.namespace, "default");
		assert_string_equal(found.image, "registry.local/box:1");
		assert_string_equal(found.cgroup, KUBE_CGROUP);
	}
}

static void runtimes_on_their_own_and_nspawn(void **state)
{
	(void)state;
	assert_found("web6");
	assert_string_equal(found.engine, "runc");
	assert_string_equal(found.cgroup, "/system.slice/mwt-web6.scope");
	assert_found("web7");
	assert_string_equal(found.engine, "crun");
	assert_string_equal(found.cgroup, "/system.slice/mwt-web7.scope/container");
	assert_string_equal(mw_container_label(&found, MW_LABEL_ANNOTATION, "com.example/x"), "y z");
	assert_found("web8");
	assert_string_equal(found.engine, "nspawn");
	assert_string_equal(found.cgroup, "/machine.slice/machine-web8.scope");
	assert_int_equal(found.pid, 1020);
	assert_int_equal(found.pid_start, 6590);
}

/* systemd writes "-" of a machine's name as "\x2d" into the unit's, and that backslash twice into its file. */
static void a_machine_with_a_dash(void **state)
{
	(void)state;
	tree_file("run/systemd/machines/my-box",
		  "NAME=my-box\nSCOPE=machine-my\\\\x2dbox.scope\nLEADER=1021\nCLASS=container\n");
	host_process(1021, 7000, "/machine.slice/machine-my\\x2dbox.scope/payload/init.scope");
	assert_found("my-box");
	assert_string_equal(found.cgroup, "/machine.slice/machine-my\\x2dbox.scope");
	tree_file("run/systemd/machines/vm", "NAME=vm\nSCOPE=machine-vm.scope\nLEADER=1021\nCLASS=vm\n");
	assert_int_equal(host_ask("vm", NULL), -ENOENT);
}

static void cri_o(void **state)
{
	(void)state;
	tree_file("run/runc/c0ffee/state.json", "{\"init_process_pid\":1021,\"init_process_start\":7000,\"cgroup_"
						"paths\":{\"\":\"/sys/fs/cgroup/kubepods.slice/"
						"crio-c0ffee.scope\"},\"config\":{\"labels\":[\"io.container.manager="
						"cri-o\",\"io.kubernetes.container.name=api\","
						"\"io.kubernetes.pod.name=api-0\",\"io.kubernetes.pod.namespace=prod\","
						"\"io.kubernetes.cri-o.ImageName=api:2\"]}}");
	tree_file("var/lib/containers/storage/overlay-containers/containers.json",
		  "[{\"id\":\"c0ffee\",\"names\":[\"k8s_api_api-0_prod_u_0\"],\"metadata\":\"no JSON\"}]");
	host_process(1021, 7000, "/kubepods.slice/crio-c0ffee.scope");
	assert_found("prod/api-0/api");
	assert_string_equal(found.engine, "cri-o");
	assert_string_equal(found.name, "api");
	assert_string_equal(found.image, "api:2");
	assert_found("cri-o:api");
}

/* crun below docker and below containerd, as an administrator may have set it up. */
static void other_runtimes_below_engines(void **state)
{
	const char *status = "{\"pid\":1021,\"process-start-time\":7000,\"cgroup-path\":\"/docker/ab12\"}";

	(void)state;
	host_process(1021, 7000, "/docker/ab12/container");
	tree_file("run/docker/runtime-crun/moby/ab12/status", status);
	tree_file("var/lib/docker/containers/ab12/config.v2.json",
		  "{\"Name\":\"/quick\",\"Config\":{\"Image\":\"q:1\",\"Labels\":{\"memweir.class\":\"tool\"}}}");
	assert_found("quick");
	assert_string_equal(found.engine, "docker");
	assert_string_equal(found.cgroup, "/docker/ab12");
	assert_string_equal(mw_container_label(&found, MW_LABEL_LABEL, "memweir.class"), "tool");

	status = "{\"pid\":1022,\"process-start-time\":7001,\"cgroup-path\":\"/ns/c7\"}";
	host_process(1022, 7001, "/ns/c7");
	tree_file("run/containerd/runc/ns/c7/status", status);
	tree_file("run/containerd/runc/ns/c7/config.json", "{\"annotations\":{\"memweir.class\":\"context\"}}");
	assert_found("c7");
	assert_string_equal(found.engine, "containerd");
	assert_string_equal(found.namespace, "ns");
	assert_string_equal(mw_container_label(&found, MW_LABEL_ANNOTATION, "memweir.class"), "context");
}

/* The reverse: its own cgroup, one below it, one above that holds no other. */
static void by_cgroup(void **state)
{
	static const struct {
		const char *cgroup, *id;
	} rows[] = {
		{DOCKER_CGROUP, DOCKER_ID},
		{DOCKER_CGROUP "/init.scope/deep", DOCKER_ID},
		{"/machine.slice/libpod-" PODMAN_CRUN_ID ".scope", PODMAN_CRUN_ID},
		{"/machine.slice/libpod-" PODMAN_CRUN_ID ".scope/container", PODMAN_CRUN_ID},
		{"/kubepods.slice", KUBE_ID},
		{KUBE_CGROUP, KUBE_ID},
		{"/default/web4", "web4"},
		{"/machine.slice/machine-web8.scope/payload", "web8"},
		{"/machine.slice/machine-web8.scope", "web8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = host_ask(NULL, rows[i].cgroup);

		if (r)
			fail_msg("%s: %d, %s", rows[i].cgroup, r, said.text);
		assert_string_equal(found.id, rows[i].id);
	}
	assert_int_equal(host_ask(NULL, "/system.slice"), -EEXIST);
	assert_int_equal(host_ask(NULL, "/system.slice/docker"), -ENOENT); /* the beginning of a name is none */
	assert_int_equal(host_ask(NULL, "/user.slice"), -ENOENT);
	assert_said("no container /user.slice");
}

static void two_of_one_name(void **state)
{
	(void)state;
	assert_int_equal(host_ask("web", NULL), -EEXIST);
	assert_said("web: 2 containers: ");
	assert_said("docker:web (892cefc7d81c)");
	assert_said("podman:web (c869e9e972b0)");
	/* One of them is over: the other is meant. */
	tree_file("proc/485/stat", "");
	assert_found("web");
	assert_string_equal(found.engine, "podman");
}

static void a_beginning_of_two(void **state)
{
	(void)state;
	assert_int_equal(host_ask("4", NULL), -EEXIST);
	assert_said("containerd:web5-pod/web5 (4911184d87c0)");
	assert_said("podman:web3 (4e08672adb00)");
	assert_found("49");
	assert_string_equal(found.name, "web5");
}

/* Of plain runtimes the ID is the name. */
static void a_name_that_is_an_id(void **state)
{
	(void)state;
	tree_file("run/crun/web3/status", "{\"pid\":1021,\"process-start-time\":7000,\"cgroup-path\":\"/x/web3\"}");
	host_process(1021, 7000, "/x/web3");
	assert_int_equal(host_ask("web3", NULL), -EEXIST);
	assert_said("podman:web3 (4e08672adb00)");
	assert_said("crun:web3 (web3)");
	assert_found("crun:web3");
	assert_string_equal(found.cgroup, "/x/web3");
}

/* An ID goes before a name, a name before the beginning of an ID. */
static void a_name_that_looks_like_an_id(void **state)
{
	(void)state;
	tree_file("run/runc/892/state.json", "{\"init_process_pid\":1021,\"init_process_start\":7000,\"cgroup_paths\":{"
					     "\"\":\"/sys/fs/cgroup/x/892\"}}");
	host_process(1021, 7000, "/x/892");
	assert_found("892");
	assert_string_equal(found.engine, "runc");
	assert_int_equal(host_ask("89", NULL), -EEXIST);
	assert_found("docker:89");
}

static void who_does_not_run(void **state)
{
	(void)state;
	assert_int_equal(host_ask("nobody", NULL), -ENOENT);
	assert_said("no container nobody (looked in /run/docker, /var/lib/docker");
	assert_int_equal(unlink(tree_path("run/docker/runtime-runc/moby/" DOCKER_ID "/state.json")), 0);
	assert_int_equal(host_ask("docker:web", NULL), -ENOENT);
	assert_said("docker container web (892cefc7d81c) does not run");
	assert_int_equal(unlink(tree_path("run/runc/" PODMAN_RUNC_ID "/state.json")), 0);
	assert_int_equal(host_ask("web3", NULL), -ENOENT);
	assert_said("podman container web3 (4e08672adb00) does not run");
}

static void dead_recycled_and_moved(void **state)
{
	(void)state;
	assert_int_equal(unlink(tree_path("proc/997/stat")), 0);
	assert_int_equal(host_ask("web6", NULL), -ESRCH);
	assert_said("process 997 has ended");
	host_process(997, 99999, "/system.slice/mwt-web6.scope");
	assert_int_equal(host_ask("web6", NULL), -ESRCH);
	assert_said("process 997 is another one now (started at tick 99999, expected 6346)");
	host_process(997, 6346, "/system.slice/other.scope");
	assert_int_equal(host_ask("web6", NULL), -ESRCH);
	assert_said("is in /system.slice/other.scope, expected /system.slice/mwt-web6.scope");
	host_process(997, 6346, "/system.slice/mwt-web6.scope/init.scope"); /* one below: systemd in it */
	assert_found("web6");
	assert_string_equal(found.cgroup, "/system.slice/mwt-web6.scope");
	host_process(997, 6346, "/system.slice/mwt-web6.scope/a/b");
	assert_int_equal(host_ask("web6", NULL), -ESRCH);
	host_process(997, 6346, "/system.slice/mwt-web6.scopes");
	assert_int_equal(host_ask("web6", NULL), -ESRCH);
	host_process(1020, 6590, "/user.slice");
	assert_int_equal(host_ask("web8", NULL), -ESRCH);
	assert_said("expected unit machine-web8.scope");
}

/* Of a user's own engine: below the runtime folder and the home. As root the user is 1000, else who runs this. */
static void rootless(void **state)
{
	uid_t uid = geteuid() ? geteuid() : 1000;
	char status[512], path[128], text[256], cgroup[256];

	(void)state;
	snprintf(text, sizeof(text), "root:x:0:0::/root:/bin/sh\nu:x:%u:%u::/home/u:/bin/sh\n", uid, uid);
	tree_file("etc/passwd", text);
	snprintf(cgroup, sizeof(cgroup),
		 "/user.slice/user-%u.slice/user@%u.service/user.slice/libpod-5eed.scope/container", uid, uid);
	snprintf(status, sizeof(status), "{\"pid\":1021,\"process-start-time\":7000,\"cgroup-path\":\"%s\"}", cgroup);
	host_process(1021, 7000, cgroup);
	snprintf(path, sizeof(path), "run/user/%u/crun/5eed/status", uid);
	tree_file(path, status);
	tree_file("home/u/.local/share/containers/storage/overlay-containers/containers.json",
		  "[{\"id\":\"5eed\",\"names\":[\"mine\"],\"metadata\":\"{\\\"image-name\\\":\\\"i:1\\\"}\"},"
		  "{\"id\":\"5eee\",\"names\":[\"web4\"]}]");
	if (!geteuid()) {
		assert_int_equal(host_ask("mine", NULL), -ENOENT);
		assert_said("not the user's own file");
		assert_int_equal(chown(tree_path(path), uid, uid), 0);
		assert_int_equal(
			chown(tree_path("home/u/.local/share/containers/storage/overlay-containers/containers.json"),
			      uid, uid),
			0);
	}
	assert_found("mine");
	assert_string_equal(found.engine, "podman");
	assert_string_equal(found.cgroup, cgroup);
	assert_string_equal(found.image, "i:1");
	/* A user's word does not get in the way of root's engines. */
	assert_found("web4");
	assert_string_equal(found.engine, "containerd");
	/* Nor is somebody else's process a user's container. */
	snprintf(status, sizeof(status), "{\"pid\":814,\"process-start-time\":5839,\"cgroup-path\":\"/default/web4\"}");
	tree_file(path, status);
	if (geteuid())
		return;
	assert_int_equal(host_ask("mine", NULL), -ESRCH);
	assert_said("cgroup /default/web4 does not belong to user 1000");
	/* His own process, in a service of the system's: he names all of them. */
	host_process(1021, 7000, "/system.slice/cron.service");
	assert_int_equal(chown(tree_path("proc/1021"), uid, uid), 0);
	tree_file(path, "{\"pid\":1021,\"process-start-time\":7000,\"cgroup-path\":\"/system.slice\"}");
	assert_int_equal(host_ask("mine", NULL), -ESRCH);
	assert_said("cgroup /system.slice does not belong to user 1000");
}

/* crun writes an empty path where it made no cgroup: said, and no place of somebody else's is taken for it. */
static void without_a_cgroup(void **state)
{
	uid_t uid = geteuid() ? geteuid() : 1000;
	char path[128], text[256], session[128];

	(void)state;
	tree_file("run/crun/alone/status", "{\"pid\":1021,\"process-start-time\":7000,\"cgroup-path\":\"\"}");
	host_process(1021, 7000, "/system.slice/cron.service");
	assert_int_equal(host_ask("alone", NULL), -EOPNOTSUPP);
	assert_said("crun container alone (alone) has no cgroup of its own");
	assert_said("stands in /system.slice/cron.service; --pid 1021 --move takes it");
	assert_int_equal(host_ask(NULL, "/system.slice/cron.service"), -ENOENT);
	/* It runs, so it counts where two have the name. */
	tree_file("run/runc/alone/state.json",
		  "{\"init_process_pid\":1023,\"init_process_start\":7002,\"cgroup_paths\":{"
		  "\"\":\"/sys/fs/cgroup/x/alone\"}}");
	host_process(1023, 7002, "/x/alone");
	assert_int_equal(host_ask("alone", NULL), -EEXIST);
	assert_found("runc:alone");
	tree_file("proc/1023/stat", "");
	assert_int_equal(host_ask("alone", NULL), -EOPNOTSUPP);
	assert_said("crun container alone");
	tree_file("proc/1021/stat", "");
	assert_int_equal(host_ask("alone", NULL), -ESRCH);
	/* A user's: only of a process of his own slice is said what to do. */
	snprintf(text, sizeof(text), "root:x:0:0::/root:/bin/sh\nu:x:%u:%u::/home/u:/bin/sh\n", uid, uid);
	tree_file("etc/passwd", text);
	snprintf(path, sizeof(path), "run/user/%u/crun/5eed/status", uid);
	tree_file(path, "{\"pid\":1022,\"process-start-time\":7001,\"cgroup-path\":\"\"}");
	if (!geteuid())
		assert_int_equal(chown(tree_path(path), uid, uid), 0);
	snprintf(session, sizeof(session), "/user.slice/user-%u.slice/session-1.scope", uid);
	host_process(1022, 7001, session);
	assert_int_equal(host_ask("5eed", NULL), -EOPNOTSUPP);
	assert_said("--pid 1022 --move");
	host_process(1022, 7001, "/system.slice/db.service");
	assert_int_equal(host_ask("5eed", NULL), -ESRCH);
	assert_said("cgroup /system.slice/db.service does not belong to user");
}

static void questions_that_are_none(void **state)
{
	static const char *const names[] = {"",	       ".",    "..",   "../x", "a/../b",    "a b",   "web\n",
					    "docker:", ":web", "a//b", "/a/",  "-\xc3\xa4", "a:b:c", "$(x)"};
	static const char *const cgroups[] = {"", "/", "system.slice", "/a/../b", "/a//b", "/./a", "/a\nb", "/a/"};
	struct mw_container_question q = {.root = tree, .helper = host_helper()};
	char name[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(host_ask(names[i], NULL), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(cgroups); i++)
		assert_int_equal(host_ask(NULL, cgroups[i]), -EINVAL);
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(host_ask(name, NULL), -EINVAL);
	assert_int_equal(mw_container_ask(&q, &found, &said), -EINVAL);
	assert_said("by name or by cgroup");
	q.name = "web6";
	q.timeout_ms = 60001;
	assert_int_equal(mw_container_ask(&q, &found, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(docker_by_name_id_and_beginning),
		host_test(podman_on_both_runtimes),
		host_test(containerd_and_what_a_kubelet_runs),
		host_test(runtimes_on_their_own_and_nspawn),
		host_test(a_machine_with_a_dash),
		host_test(cri_o),
		host_test(other_runtimes_below_engines),
		host_test(by_cgroup),
		host_test(two_of_one_name),
		host_test(a_beginning_of_two),
		host_test(a_name_that_is_an_id),
		host_test(a_name_that_looks_like_an_id),
		host_test(who_does_not_run),
		host_test(dead_recycled_and_moved),
		host_test(rootless),
		host_test(without_a_cgroup),
		host_test(questions_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
