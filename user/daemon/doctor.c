/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir doctor: every capability, what was found, what is lost without it and how to get it. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "core/root.h"
#include "daemon/doctor.h"
#include "daemon/guard.h"
#include "leak/touched.h"
#include "report/json.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"

struct mw_finding *mw_finding_add(struct mw_findings *f, const char *name, bool have, const char *lost, const char *how)
{
	struct mw_finding *row = &f->rows[f->n < MW_FINDINGS_MAX ? f->n++ : MW_FINDINGS_MAX - 1];

	*row = (struct mw_finding){.name = name, .have = have, .lost = lost, .how = how};
	return row;
}

static void find_cgroup(struct mw_findings *f)
{
	bool v2 = mw_cgroup_mount("", f->mount, sizeof(f->mount)) == 0;
	bool memory;
	struct mw_finding *row;

	row = mw_finding_add(f, "cgroup-v2", v2, "everything: workers are cgroups",
			     "boot without systemd.unified_cgroup_hierarchy=0; mount -t cgroup2");
	snprintf(row->found, sizeof(row->found), "%s", v2 ? f->mount : "not mounted");
	f->mount_fd = v2 ? mw_cgroup_open(f->mount) : -1;
	memory = f->mount_fd >= 0 && mw_cgroup_has_memory(f->mount_fd);
	row = mw_finding_add(f, "memory-controller", memory,
			     "limits are only judged, usage is summed over processes, nothing is reclaimed",
			     "boot with cgroup_no_v1=memory (or cgroup_no_v1=all)");
	snprintf(row->found, sizeof(row->found), "%s",
		 memory ? "on cgroup v2" : "not on cgroup v2 (on v1, or switched off)");
}

/* A file of the memory controller exists in cgroups below the root; looked for in any first-level one. */
static bool cgroup_file(const struct mw_findings *f, const char *file)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *e;
	int fd = f->mount_fd >= 0 ? openat(f->mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	d = fd >= 0 ? fdopendir(fd) : NULL;
	while (d && (e = readdir(d))) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", e->d_name, file);
		if (e->d_type == DT_DIR && e->d_name[0] != '.' && faccessat(f->mount_fd, path, F_OK, 0) == 0)
			return true;
	}
	return false;
}

static void find_host(struct mw_findings *f)
{
	char low[32], high[32];
	__u64 total = 0, left = 0;
	struct mw_finding *row;
	struct utsname u;
	bool have;

	uname(&u);
	row = mw_finding_add(f, "root", geteuid() == 0, "nothing can be placed or loaded", "run as root");
	snprintf(row->found, sizeof(row->found), "uid %d", geteuid());
	row = mw_finding_add(f, "kernel", true, "", "");
	snprintf(row->found, sizeof(row->found), "%s %s", u.release, u.machine);
	mw_proc_swap("/proc", &total, &left);
	row = mw_finding_add(f, "swap", total > 0,
			     "hibernation frees page cache only; a squeeze can free no anonymous memory",
			     "add swap, or zram (RAM is enough)");
	snprintf(row->found, sizeof(row->found), total ? "%s, %s free" : "none",
		 mw_size_format(total, low, sizeof(low)), mw_size_format(left, high, sizeof(high)));
	have = access("/proc/pressure/memory", R_OK) == 0;
	row = mw_finding_add(f, "psi", have,
			     "memory pressure of the host is not shown; pauses are measured all the same",
			     "boot with psi=1");
	snprintf(row->found, sizeof(row->found), "%s", have ? "/proc/pressure/memory" : "off");
	have = access("/run/systemd/system", F_OK) == 0;
	row = mw_finding_add(f, "systemd", true, "", "");
	snprintf(row->found, sizeof(row->found), "%s",
		 have ? "PID 1: workers live in a delegated scope of memweir.slice"
		      : "not PID 1: workers live in /memweir");
	have = cgroup_file(f, "memory.reclaim");
	row = mw_finding_add(f, "memory-reclaim", have, "no hibernation, no bin reclaim",
			     "a kernel from 5.19 on with the memory controller on cgroup v2");
	snprintf(row->found, sizeof(row->found), "%s", have ? "memory.reclaim" : "no memory.reclaim in any cgroup");
	have = cgroup_file(f, "cgroup.kill");
	row = mw_finding_add(f, "cgroup-kill", have, "kill signals each process by itself and may race with a fork",
			     "a kernel from 5.14 on");
	snprintf(row->found, sizeof(row->found), "%s", have ? "cgroup.kill" : "not seen in any cgroup");
}

static void find_touched(struct mw_findings *f)
{
	int r = mw_touched_probe("/sys");
	struct mw_finding *row = mw_finding_add(
		f, "touched", r == 0, "leaks are judged without knowing whether their memory is still used",
		r == -EPERM || r == -EACCES
			? "run with CAP_SYS_ADMIN, not locked down"
			: "a kernel with CONFIG_LRU_GEN and debugfs; echo y > /sys/kernel/mm/lru_gen/enabled");

	if (r == 0)
		snprintf(row->found, sizeof(row->found), "multi-generational LRU");
	else if (r == -EOPNOTSUPP)
		snprintf(row->found, sizeof(row->found), "no multi-generational LRU, or switched off");
	else
		snprintf(row->found, sizeof(row->found), "lru_gen: %s", strerror(-r));
}

static void find_kernel(struct mw_findings *f, __u64 disable)
{
	struct mw_kernel_options opts = {.pin_dir = MW_PIN_DIR,
					 .max_workers = 16,
					 .growth_stacks_per_s = 1,
					 .probe_only = true,
					 .disable = disable};
	struct mw_error err = {0};
	struct mw_kernel *k;

	if (mw_kernel_open(&opts, &k, &err) < 0) {
		struct mw_finding *row = mw_finding_add(f, "bpf", false, "no kernel side at all", "see the reason");

		snprintf(row->found, sizeof(row->found), "%s", err.text);
		return;
	}
	for (enum mw_capability c = 0; c < MW_CAP_MAX; c++) {
		const struct mw_capability_info *i = mw_kernel_capability(k, c);
		struct mw_finding *row = mw_finding_add(f, i->name, i->have, i->lost_without, i->how_to_get);

		snprintf(row->found, sizeof(row->found), "%s", !i->have ? i->why : *i->way ? i->way : "works");
	}
	mw_kernel_close(k);
}

/* A daemon that was killed leaves its socket. */
static bool listens(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || strlen(path) >= sizeof(to.sun_path))
		return false;
	strcpy(to.sun_path, path);
	return !connect(fd, (const struct sockaddr *)&to, sizeof(to)) || errno == EACCES || errno == EAGAIN;
}

static void find_daemon(struct mw_findings *f, const struct mw_guard_options *opts)
{
	struct mw_guard g = {.opts = *opts};
	struct mw_error err = {0};
	struct mw_finding *row;
	char path[512], blocker[256] = "", low[32];
	bool conf = mw_guard_load_config(&g, &g.cfg, &err) == 0, up, known;
	__u64 effective = 0;

	row = mw_finding_add(f, "configuration", conf, "the daemon does not start", "correct the line");
	snprintf(row->found, sizeof(row->found), "%s", conf ? "valid" : err.text);
	if (!conf)
		return;
	snprintf(path, sizeof(path), "%s/memweir.sock", g.cfg.tree.run_dir);
	up = listens(path);
	row = mw_finding_add(f, "daemon", up, "nothing is guarded now", "memweir daemon, or systemctl start memweir");
	snprintf(row->found, sizeof(row->found), "%s%s", up ? "listens on " : "nobody listens on ", path);
	mw_doctor_members(f, &g.cfg, path, up);
	mw_doctor_http(f, &g.cfg, path, up);
	mw_doctor_otlp(f, path, up);
	known = f->mount_fd >= 0 && mw_root_existing(f->mount, g.cfg.tree.root, g.root, sizeof(g.root)) == 0;
	mw_doctor_peace(f, known ? g.root : "");
	if (known && mw_cgroup_effective_low(f->mount, g.root, &effective, blocker, sizeof(blocker)) == 0) {
		row = mw_finding_add(f, "protection", effective > 0 || !up, "memory.low of workers is inert",
				     blocker[0]
					     ? "give the ancestor that is named a memory.low (MemoryLow= of its slice)"
					     : "start protected workers");
		snprintf(row->found, sizeof(row->found), "%s of memory.low effective at %s%s%s",
			 mw_size_format(effective, low, sizeof(low)), g.root, blocker[0] ? ", taken away by " : "",
			 blocker);
	}
	mw_config_free(&g.cfg);
}

static void print_json(const struct mw_findings *f)
{
	struct json_object *doc = mw_json_document(mw_wall_ns()), *list = json_object_new_array();

	for (size_t i = 0; i < f->n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_object_new_string(f->rows[i].name));
		json_object_object_add(o, "have", json_object_new_boolean(f->rows[i].have));
		json_object_object_add(o, "found", json_object_new_string(f->rows[i].found));
		json_object_object_add(o, "lost_without", json_object_new_string(f->rows[i].lost));
		json_object_object_add(o, "how_to_get", json_object_new_string(f->rows[i].how));
		json_object_array_add(list, o);
	}
	json_object_object_add(doc, "capabilities", list);
	json_object_object_add(doc, "access", json_object_get(f->access));
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

static void print_text(const struct mw_findings *f)
{
	size_t missing = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct mw_finding *row = &f->rows[i];

		printf("%-4s %-18s %s\n", row->have ? "ok" : "--", row->name, row->found);
		if (row->have)
			continue;
		missing++;
		printf("     %-18s   lost: %s\n     %-18s   how:  %s\n", "", row->lost, "", row->how);
	}
	printf("%zu of %zu found; what is missing costs its feature, not the guard\n", f->n - missing, f->n);
}

int mw_doctor(const struct mw_guard_options *opts, bool json)
{
	struct mw_findings f = {.mount_fd = -1};

	find_cgroup(&f);
	find_host(&f);
	find_touched(&f);
	find_kernel(&f, opts->disable);
	mw_doctor_probes(&f);
	find_daemon(&f, opts);
	if (json)
		print_json(&f);
	else
		print_text(&f);
	json_object_put(f.access);
	mw_close(&f.mount_fd);
	return 0;
}
