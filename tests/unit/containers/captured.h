/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What engines wrote on a Debian 12 under systemd (docker 20.10, podman 4.3, containerd 1.6, runc 1.1, crun 1.8,
 * systemd 252): tests/vm/engines.py made the containers. Trimmed: most of runc's config is left out.
 */
#ifndef MW_TESTS_CAPTURED_H
#define MW_TESTS_CAPTURED_H

#include <stddef.h>

#define DOCKER_ID      "892cefc7d81c7923995702b5dc4439d29b4e9f85bd940c476aa2ea62d5d38bae"
#define PODMAN_CRUN_ID "c869e9e972b0ca4b90b0198e0847ca67da0a6ed122e41cd073f20b0bdc24b3e1"
#define PODMAN_RUNC_ID "4e08672adb009e686f3212a862e47e1e8c007edc35006d50d7ecdb734404834b"
#define KUBE_ID	       "4911184d87c049c3bea2847e5a5b88d34911184d87c049c3bea2847e5a5b88d3"
#define KUBE_LINK      "web5-pod_default_web5-" KUBE_ID ".log"

/* A file below the root folder. */
struct captured {
	const char *path, *text;
};

/* clang-format off */
static const struct captured captured[] = {
	{"run/docker/runtime-runc/moby/" DOCKER_ID "/state.json",
	 "{\"id\":\"892cefc7d81c7923995702b5dc4439d29b4e9f85bd940c476aa2ea62d5d38bae\",\"init_process_pid\":485,\"ini"
	 "t_process_start\":3370,\"created\":\"2026-11-22T03:24:12.63395195Z\",\"config\":{\"no_pivot_root\":false,\"roo"
	 "tfs\":\"/var/lib/docker/vfs/dir/71ca3f027b0dd8d17993815e070e0cc37f5251753259778a77f9edbc860a06ae\",\"rea"
	 "donlyfs\":false,\"capabilities\":{\"Bounding\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"],\"Effective\":[\"CAP_CHOWN\","
	 "\"CAP_DAC_OVERRIDE\"],\"Inheritable\":[],\"Permitted\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"],\"Ambient\":[]},\"lab"
	 "els\":[\"bundle=/run/containerd/io.containerd.runtime.v2.task/moby/892cefc7d81c7923995702b5dc4439d29b4"
	 "e9f85bd940c476aa2ea62d5d38bae\"],\"no_new_keyring\":false,\"cgroups\":{\"path\":\"\",\"memory\":32000000}},\"roo"
	 "tless\":false,\"cgroup_paths\":{\"\":\"/sys/fs/cgroup/system.slice/docker-892cefc7d81c7923995702b5dc4439d2"
	 "9b4e9f85bd940c476aa2ea62d5d38bae.scope\"},\"namespace_paths\":{\"NEWCGROUP\":\"/proc/485/ns/cgroup\",\"NEWIP"
	 "C\":\"/proc/485/ns/ipc\"},\"external_descriptors\":[\"/dev/null\",\"pipe:[529]\",\"pipe:[530]\"],\"intel_rdt_pat"
	 "h\":\"\"}"},
	{"var/lib/docker/containers/" DOCKER_ID "/config.v2.json",
	 "{\"State\":{\"Running\":true,\"Paused\":false,\"Restarting\":false,\"OOMKilled\":false,\"RemovalInProgress\":fal"
	 "se,\"Dead\":false,\"Pid\":485,\"ExitCode\":0,\"Error\":\"\",\"StartedAt\":\"2026-11-22T03:24:12.977718715Z\",\"Fini"
	 "shedAt\":\"2026-11-22T03:24:08.159200158Z\",\"Health\":null},\"ID\":\"892cefc7d81c7923995702b5dc4439d29b4e9f"
	 "85bd940c476aa2ea62d5d38bae\",\"Created\":\"2026-11-22T03:24:02.299445481Z\",\"Path\":\"sleep\",\"Args\":[\"10000"
	 "0\"],\"Config\":{\"Hostname\":\"892cefc7d81c\",\"Domainname\":\"\",\"User\":\"\",\"AttachStdin\":false,\"AttachStdout\""
	 ":false,\"AttachStderr\":false,\"Tty\":false,\"OpenStdin\":false,\"StdinOnce\":false,\"Env\":[\"MWT_CONTAINER=we"
	 "b-1\"],\"Cmd\":[\"sleep\",\"100000\"],\"Image\":\"mwt/box:1\",\"Volumes\":null,\"WorkingDir\":\"\",\"Entrypoint\":null,"
	 "\"OnBuild\":null,\"Labels\":{\"a\":\"b\",\"com.example/x\":\"y z\"}},\"Image\":\"sha256:ce084593449e85176d3dbf39c96"
	 "06c233962e3992bd496d9bfba6b93fe262d8d\",\"Name\":\"/web\",\"Driver\":\"vfs\",\"RestartCount\":0}"},
	{"run/crun/" PODMAN_CRUN_ID "/status",
	 "{\n    \"pid\": 580,\n    \"process-start-time\": 4492,\n    \"cgroup-path\": \"/machine.slice/libpod-c869e9e9"
	 "72b0ca4b90b0198e0847ca67da0a6ed122e41cd073f20b0bdc24b3e1.scope/container\",\n    \"scope\": \"libpod-c869"
	 "e9e972b0ca4b90b0198e0847ca67da0a6ed122e41cd073f20b0bdc24b3e1.scope\",\n    \"rootfs\": \"/var/lib/contain"
	 "ers/storage/vfs/dir/4458286821f55052a088fd0918fc8182a6e2d30cac8388e35ca937da5cfae99d\",\n    \"systemd-"
	 "cgroup\": true,\n    \"bundle\": \"/var/lib/containers/storage/vfs-containers/c869e9e972b0ca4b90b0198e084"
	 "7ca67da0a6ed122e41cd073f20b0bdc24b3e1/userdata\",\n    \"created\": \"2026-11-22T03:24:21.657276Z\",\n    \""
	 "owner\": \"root\",\n    \"detached\": true,\n    \"external_descriptors\": \"[\\\"/dev/null\\\",\\\"pipe:[718]\\\",\\\"p"
	 "ipe:[719]\\\"]\"\n}\n"},
	{"run/crun/" PODMAN_CRUN_ID "/config.json",
	 "{\"ociVersion\":\"1.0.2-dev\",\"process\":{\"args\":[\"sleep\",\"100000\"],\"cwd\":\"/\"},\"annotations\":{\"io.contain"
	 "er.manager\":\"libpod\",\"io.kubernetes.cri-o.Created\":\"2026-11-22T03:24:18.065200698Z\",\"io.kubernetes.c"
	 "ri-o.TTY\":\"false\",\"io.podman.annotations.autoremove\":\"FALSE\",\"io.podman.annotations.init\":\"FALSE\",\"i"
	 "o.podman.annotations.privileged\":\"FALSE\",\"io.podman.annotations.publish-all\":\"FALSE\",\"memweir.class\""
	 ":\"tool\",\"org.opencontainers.image.stopSignal\":\"15\"},\"linux\":{\"cgroupsPath\":\"machine.slice:libpod:c86"
	 "9e9e972b0ca4b90b0198e0847ca67da0a6ed122e41cd073f20b0bdc24b3e1\"}}"},
	{"run/runc/" PODMAN_RUNC_ID "/state.json",
	 "{\"id\":\"4e08672adb009e686f3212a862e47e1e8c007edc35006d50d7ecdb734404834b\",\"init_process_pid\":669,\"ini"
	 "t_process_start\":5277,\"created\":\"2026-11-22T03:24:29.098382952Z\",\"config\":{\"no_pivot_root\":false,\"ro"
	 "otfs\":\"/var/lib/containers/storage/vfs/dir/e96c7d6e895e1cd9e8818359f7afdbf61621f6991cb83cbafbe20d699"
	 "5231e43\",\"readonlyfs\":false,\"capabilities\":{\"Bounding\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"],\"Effective\":"
	 "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"],\"Inheritable\":[],\"Permitted\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"],\"Ambi"
	 "ent\":[]},\"labels\":[\"io.podman.annotations.publish-all=FALSE\",\"org.opencontainers.image.stopSignal=15"
	 "\",\"io.container.manager=libpod\",\"io.podman.annotations.autoremove=FALSE\",\"io.podman.annotations.init"
	 "=FALSE\",\"io.podman.annotations.privileged=FALSE\",\"memweir.class=tool\",\"io.kubernetes.cri-o.Created=2"
	 "026-11-22T03:24:24.92621354Z\",\"io.kubernetes.cri-o.TTY=false\",\"bundle=/var/lib/containers/storage/vf"
	 "s-containers/4e08672adb009e686f3212a862e47e1e8c007edc35006d50d7ecdb734404834b/userdata\"],\"no_new_key"
	 "ring\":false,\"cgroups\":{\"path\":\"\",\"memory\":32000000}},\"rootless\":false,\"cgroup_paths\":{\"\":\"/sys/fs/cg"
	 "roup/machine.slice/libpod-4e08672adb009e686f3212a862e47e1e8c007edc35006d50d7ecdb734404834b.scope\"},\""
	 "namespace_paths\":{\"NEWCGROUP\":\"/proc/669/ns/cgroup\",\"NEWIPC\":\"/proc/669/ns/ipc\"},\"external_descripto"
	 "rs\":[\"/dev/null\",\"pipe:[2192]\",\"pipe:[2193]\"],\"intel_rdt_path\":\"\"}"},
	{"var/lib/containers/storage/vfs-containers/containers.json",
	 "[{\"id\":\"c869e9e972b0ca4b90b0198e0847ca67da0a6ed122e41cd073f20b0bdc24b3e1\",\"names\":[\"web\"],\"image\":\"0"
	 "f622be6b4c6243121cf648a7fde4d65d3d794e6cd999f9b10b1ebdc0415501c\",\"layer\":\"4458286821f55052a088fd0918"
	 "fc8182a6e2d30cac8388e35ca937da5cfae99d\",\"metadata\":\"{\\\"image-name\\\":\\\"localhost/mwt/box:1\\\",\\\"image-"
	 "id\\\":\\\"0f622be6b4c6243121cf648a7fde4d65d3d794e6cd999f9b10b1ebdc0415501c\\\",\\\"name\\\":\\\"web\\\",\\\"created"
	 "-at\\\":1795317858}\",\"created\":\"2026-11-22T03:24:18.174930952Z\",\"flags\":{\"MountLabel\":\"\",\"ProcessLabel"
	 "\":\"\"}},{\"id\":\"4e08672adb009e686f3212a862e47e1e8c007edc35006d50d7ecdb734404834b\",\"names\":[\"web3\"],\"im"
	 "age\":\"0f622be6b4c6243121cf648a7fde4d65d3d794e6cd999f9b10b1ebdc0415501c\",\"layer\":\"e96c7d6e895e1cd9e88"
	 "18359f7afdbf61621f6991cb83cbafbe20d6995231e43\",\"metadata\":\"{\\\"image-name\\\":\\\"localhost/mwt/box:1\\\",\\"
	 "\"image-id\\\":\\\"0f622be6b4c6243121cf648a7fde4d65d3d794e6cd999f9b10b1ebdc0415501c\\\",\\\"name\\\":\\\"web3\\\",\\"
	 "\"created-at\\\":1795317864}\",\"created\":\"2026-11-22T03:24:24.968881982Z\",\"flags\":{\"MountLabel\":\"\",\"Proc"
	 "essLabel\":\"\"}}]"},
	{"run/containerd/runc/default/web4/state.json",
	 "{\"id\":\"web4\",\"init_process_pid\":814,\"init_process_start\":5839,\"created\":\"2026-11-22T03:24:34.6133676"
	 "38Z\",\"config\":{\"no_pivot_root\":false,\"rootfs\":\"/run/mwt-engines/rootfs\",\"readonlyfs\":false,\"capabili"
	 "ties\":{\"Bounding\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"],\"Effective\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"],\"Inh"
	 "eritable\":[],\"Permitted\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"],\"Ambient\":[]},\"labels\":[\"a=b\",\"com.example"
	 "/x=y z\",\"memweir.class=tool\",\"bundle=/run/containerd/io.containerd.runtime.v2.task/default/web4\"],\"n"
	 "o_new_keyring\":false,\"cgroups\":{\"path\":\"/default/web4\",\"memory\":64000000}},\"rootless\":false,\"cgroup_"
	 "paths\":{\"\":\"/sys/fs/cgroup/default/web4\"},\"namespace_paths\":{\"NEWCGROUP\":\"/proc/814/ns/cgroup\",\"NEWI"
	 "PC\":\"/proc/814/ns/ipc\"},\"external_descriptors\":[\"pipe:[2385]\",\"pipe:[2386]\",\"pipe:[2387]\"],\"intel_rd"
	 "t_path\":\"\"}"},
	{"run/containerd/runc/k8s.io/" KUBE_ID "/state.json",
	 "{\"id\":\"4911184d87c049c3bea2847e5a5b88d34911184d87c049c3bea2847e5a5b88d3\",\"init_process_pid\":952,\"ini"
	 "t_process_start\":6196,\"created\":\"2026-11-22T03:24:38.220464205Z\",\"config\":{\"no_pivot_root\":false,\"ro"
	 "otfs\":\"/run/mwt-engines/rootfs\",\"readonlyfs\":false,\"capabilities\":{\"Bounding\":[\"CAP_CHOWN\",\"CAP_DAC_"
	 "OVERRIDE\"],\"Effective\":[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\"],\"Inheritable\":[],\"Permitted\":[\"CAP_CHOWN\",\"C"
	 "AP_DAC_OVERRIDE\"],\"Ambient\":[]},\"labels\":[\"io.kubernetes.cri.image-name=registry.local/box:1\",\"io.ku"
	 "bernetes.cri.sandbox-id=049739ee61b8480ca0a69ec5249f3f53049739ee61b8480ca0a69ec5249f3f53\",\"io.kubern"
	 "etes.cri.sandbox-name=web5-pod\",\"io.kubernetes.cri.sandbox-namespace=default\",\"a=b\",\"com.example/x=y"
	 " z\",\"io.kubernetes.cri.container-name=web5\",\"io.kubernetes.cri.container-type=container\",\"io.kuberne"
	 "tes.cri.sandbox-uid=f5a71afd-8d14-423d-932e-5718e9c52b4d\",\"memweir.class=tool\",\"bundle=/run/containe"
	 "rd/io.containerd.runtime.v2.task/k8s.io/4911184d87c049c3bea2847e5a5b88d34911184d87c049c3bea2847e5a5b"
	 "88d3\"],\"no_new_keyring\":false,\"cgroups\":{\"path\":\"\",\"memory\":64000000}},\"rootless\":false,\"cgroup_path"
	 "s\":{\"\":\"/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podf5a71afd_8d14_4"
	 "23d_932e_5718e9c52b4d.slice/cri-containerd-4911184d87c049c3bea2847e5a5b88d34911184d87c049c3bea2847e5"
	 "a5b88d3.scope\"},\"namespace_paths\":{\"NEWCGROUP\":\"/proc/952/ns/cgroup\",\"NEWIPC\":\"/proc/952/ns/ipc\"},\"e"
	 "xternal_descriptors\":[\"pipe:[2606]\",\"pipe:[2607]\",\"pipe:[2608]\"],\"intel_rdt_path\":\"\"}"},
	{"run/runc/web6/state.json",
	 "{\"id\":\"web6\",\"init_process_pid\":997,\"init_process_start\":6346,\"created\":\"2026-11-22T03:24:39.6992737"
	 "48Z\",\"config\":{\"no_pivot_root\":false,\"rootfs\":\"/run/mwt-engines/rootfs\",\"readonlyfs\":true,\"capabilit"
	 "ies\":null,\"labels\":[\"memweir.class=tool\",\"a=b\",\"com.example/x=y z\",\"bundle=/run/mwt-engines/runc/web"
	 "6\"],\"no_new_keyring\":false,\"cgroups\":{\"path\":\"\",\"memory\":32000000}},\"rootless\":false,\"cgroup_paths\":"
	 "{\"\":\"/sys/fs/cgroup/system.slice/mwt-web6.scope\"},\"namespace_paths\":{\"NEWCGROUP\":\"/proc/997/ns/cgrou"
	 "p\",\"NEWIPC\":\"/proc/997/ns/ipc\"},\"external_descriptors\":[\"/dev/null\",\"/run/mwt-engines/runc/web6/log\""
	 ",\"/run/mwt-engines/runc/web6/log\"],\"intel_rdt_path\":\"\"}"},
	{"run/crun/web7/status",
	 "{\n    \"pid\": 1016,\n    \"process-start-time\": 6475,\n    \"cgroup-path\": \"/system.slice/mwt-web7.scope/"
	 "container\",\n    \"scope\": \"mwt-web7.scope\",\n    \"rootfs\": \"/run/mwt-engines/rootfs\",\n    \"systemd-cgr"
	 "oup\": true,\n    \"bundle\": \"/run/mwt-engines/crun/web7\",\n    \"created\": \"2026-11-22T03:24:41.135754Z\""
	 ",\n    \"owner\": \"root\",\n    \"detached\": true,\n    \"external_descriptors\": \"[\\\"/dev/null\\\",\\\"/run/mwt-"
	 "engines/crun/web7/log\\\",\\\"/run/mwt-engines/crun/web7/log\\\"]\"\n}\n"},
	{"run/crun/web7/config.json",
	 "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"sleep\",\"100000\"],\"cwd\":\"/\"},\"annotations\":{\"a\":\"b\",\"com.ex"
	 "ample/x\":\"y z\",\"memweir.class\":\"tool\"},\"linux\":{\"cgroupsPath\":\"system.slice:mwt:web7\"}}"},
	{"run/systemd/machines/web8",
	 "# This is private data. Do not parse.\nNAME=web8\nSCOPE=machine-web8.scope\nSERVICE=systemd-nspawn\nROOT"
	 "=/run/mwt-engines/rootfs\nID=dce332894c214fe2acd3f6c896fd3a3c\nLEADER=1020\nCLASS=container\nREALTIME=17"
	 "95317882049127\nMONOTONIC=65948552\n"},
};
/* clang-format on */

#endif
