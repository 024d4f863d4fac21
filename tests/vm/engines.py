# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
"""Container engines for the tests: started, stopped and killed; containers from one small image made here, no network.

    docker = engines.Docker().start()
    c = docker.run("web", "sleep", "1000", labels={"a": "b"}, memory=64 * MB)
    c.pid, c.cgroup       # as the kernel says, not the engine
    c.restart(); c.update(memory=32 * MB); c.kill(); c.remove()
    c = docker.talk("srv", "cat"); c.client.stdin.write(b"x")   # docker run -i: its streams are the client's pipes
    docker.kill()         # the daemon alone: containers go on
    engines.clean()       # every container and engine of this process

Docker, Podman("crun"), Podman("runc"), Ctr, Kubelet (ctr with the kubelet's cgroup layout and annotations), Runc("runc"),
Runc("crun"), Nspawn, Machine (nspawn that boots), UserPodman (of a normal User), and Unit for a systemd service. Under systemd cgroups are made by it, else by the engine. With host=True
a container sees the host's /usr and this project, read-only, so that it can run node and tests/workers."""
import glob
import itertools
import json
import os
import shutil
import signal
import subprocess
import uuid

from harness import PROJECT, WORKERS, Failed, check, read, wait_until, write

BASE = "/run/mwt-engines"
ROOTFS = BASE + "/rootfs"
IMAGE = "mwt/box:1"
SYSTEMD = os.path.isdir("/run/systemd/system")
CG = "/sys/fs/cgroup"
MARK = "MWT_CONTAINER"
live = []  # containers and engines in the order they came
serial = itertools.count(1)


def sh(*cmd, timeout=300, ok=True, **kw):
    """stdout of a command that must succeed; emulated Go programs take seconds."""
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, **kw)
    if ok and p.returncode:
        raise Failed("%s: status %d: %s" % (" ".join(cmd[:6]), p.returncode, (p.stderr or p.stdout)[-600:]))
    return p.stdout.strip()


def mount_tmpfs(path):
    os.makedirs(path, exist_ok=True)
    if not os.path.ismount(path):
        sh("mount", "-t", "tmpfs", "-o", "mode=711", "tmpfs", path)


def rootfs():
    """busybox, and links into /usr for what host=True mounts there."""
    if os.path.isdir(ROOTFS):
        return ROOTFS
    for d in ["bin", "proc", "sys", "dev", "tmp", "etc", "usr", "run", "root", "var/tmp"] + binds(True):
        os.makedirs(os.path.join(ROOTFS, d.lstrip("/")), exist_ok=True)
    shutil.copy(shutil.which("busybox"), ROOTFS + "/bin/busybox")
    for name in "sh", "sleep", "cat", "true", "dd":
        os.symlink("busybox", ROOTFS + "/bin/" + name)
    for name in "lib", "lib64":
        os.symlink("usr/" + name, ROOTFS + "/" + name)
    return ROOTFS


def image():
    """The same as a tar file, for `import`."""
    tar = BASE + "/rootfs.tar"
    if not os.path.exists(tar):
        sh("tar", "-C", rootfs(), "-cf", tar, ".")
    return tar


def binds(host):
    node = os.path.realpath(shutil.which("node") or "/usr/bin/node")  # it may be here without being Debian's
    more = [] if node.startswith("/usr/") else [os.path.dirname(os.path.dirname(node))]
    return ["/usr", PROJECT] + more if host else []


def marked(mark):
    """The first process of the container: its environment carries the mark, and it is 1 in its own namespace."""
    for d in os.listdir("/proc"):
        if d.isdigit() and ("%s=%s\0" % (MARK, mark)) in read("/proc/%s/environ" % d):
            for line in read("/proc/%s/status" % d).splitlines():
                if line.startswith("NSpid:") and len(line.split()) > 2 and line.split()[-1] == "1":
                    return int(d)
    return None


def cgroup_of_pid(pid):
    for line in read("/proc/%d/cgroup" % pid).splitlines():
        if line.startswith("0::"):
            return line[3:]
    return None


class Service:
    """A daemon of an engine: its own unit under systemd, which leaves containers alone as the packaged ones do."""

    def __init__(self, name, *cmd):
        self.unit, self.cmd, self.process = "mwt-" + name, cmd, None

    def start(self):
        if SYSTEMD:
            path = "/run/systemd/system/%s.service" % self.unit
            if not os.path.exists(path):
                write(path, "[Service]\nDelegate=yes\nKillMode=process\nTasksMax=infinity\nLimitNOFILE=65536\nEnvironment=PATH=%s\n"
                      "ExecStart=%s\n" % (os.environ["PATH"], " ".join([shutil.which(self.cmd[0])] + list(self.cmd[1:]))))
                sh("systemctl", "daemon-reload")
            sh("systemctl", "start", self.unit)
        else:
            log = open("%s/%s.log" % (BASE, self.unit), "a")
            self.process = subprocess.Popen(self.cmd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    @property
    def pid(self):
        if not SYSTEMD:
            return self.process.pid if self.process and self.process.poll() is None else 0
        return int(sh("systemctl", "show", "-p", "MainPID", "--value", self.unit) or 0)

    def end(self, sig):
        pid = self.pid
        if not pid:
            return
        os.kill(pid, sig)
        if self.process:
            self.process.wait(120)
        wait_until(lambda: not self.pid, 120, "%s ends" % self.unit)

    def log(self):
        if SYSTEMD:
            return sh("journalctl", "-u", self.unit, "--no-pager", "-n", "30", ok=False)
        return read("%s/%s.log" % (BASE, self.unit))[-3000:]


class Container:
    def __init__(self, engine, name, ident, mark):
        self.engine, self.name, self.id, self.mark = engine, name, ident, mark
        self.client = None  # of talk
        self._pid = None

    @property
    def pid(self):
        if not self._pid or ("%s=%s\0" % (MARK, self.mark)) not in read("/proc/%d/environ" % self._pid):
            self._pid = marked(self.mark)
        return self._pid

    @property
    def cgroup(self):
        """Path from the cgroup root, where the engine keeps the limits: crun's is SCOPE/container, nspawn's the unit."""
        path = cgroup_of_pid(self.pid)
        inner = self.engine.inner
        return (path + "/").partition(inner + "/")[0].rstrip("/") if inner else path

    @property
    def unit(self):
        """The scope or service of systemd it is in, "" without."""
        parts = [p for p in self.cgroup.split("/") if p.endswith((".scope", ".service"))]
        return parts[-1] if parts else ""

    @property
    def dir(self):
        return CG + self.cgroup

    def memory(self, what="max"):
        return read("%s/memory.%s" % (self.dir, what)).strip()

    def started(self):
        wait_until(lambda: self.pid, 120, "%s container %s runs" % (self.engine.name, self.name))
        return self

    def ended(self, pid):
        wait_until(lambda: not os.path.exists("/proc/%d" % pid), 120, "%s container %s ends" % (self.engine.name, self.name))

    def kill(self):
        """Its first process dies; what the engine then does is the engine's."""
        pid = self.pid
        if pid:
            os.kill(pid, signal.SIGKILL)
            self.ended(pid)

    def restart(self):
        pid = self.pid
        self.engine.restart_container(self)
        wait_until(lambda: self.pid and self.pid != pid, 120, "%s container %s is back" % (self.engine.name, self.name))

    def update(self, memory):
        """The engine's own way of changing the limit, in bytes."""
        self.engine.update_container(self, memory)

    def remove(self):
        if self in live:
            live.remove(self)
        self.engine.remove_container(self)
        if self.client:
            self.client.kill()
            self.client.communicate()


class Engine:
    name, inner, programs = "", "", ()
    tools = WORKERS  # where a container of host=True finds them

    def start(self):
        for p in self.programs:
            check(shutil.which(p), "%s is here (scripts/deps containers)" % p)
        os.makedirs(BASE, exist_ok=True)
        live.append(self)
        return self

    def stop(self):
        pass

    def kill(self):
        """SIGKILL to its daemon; containers go on. Nothing where there is none."""

    def run(self, name, *cmd, labels=None, annotations=None, memory=None, host=False, cgroup=None, env=None):
        """A container in the background. cgroup: parent (engine's words). Returns once its first process is there."""
        mark = "%s-%d" % (name, next(serial))
        ident = self.create(name, cmd or ("sleep", "100000"), labels or {}, annotations or {}, memory, host, cgroup,
                            dict(env or {}, **{MARK: mark}))
        c = Container(self, name, ident, mark)
        live.append(c)
        return c.started()


class Words(Engine):
    """docker and podman take the same words."""
    base = []

    def binds(self, host):
        return binds(host)

    def words(self, name, labels, annotations, memory, host, cgroup, env):
        args = ["--name", name, "--net=none"]
        for k, v in env.items():
            args += ["-e", "%s=%s" % (k, v)]
        for k, v in labels.items():
            args += ["--label", "%s=%s" % (k, v)]
        for k, v in annotations.items():
            args += ["--annotation", "%s=%s" % (k, v)]
        for path in self.binds(host):
            args += ["-v", "%s:%s:ro" % (path, path)]
        if memory:
            args += ["--memory", str(memory), "--memory-swap", str(2 * memory)]
        if cgroup:
            args += ["--cgroup-parent", cgroup]
        return args + [IMAGE]

    def create(self, name, cmd, *how):
        return sh(*self.base, "run", "-d", *self.words(name, *how), *cmd)

    def talk(self, name, *cmd, env=None, memory=None, host=False):
        """Like run, in the foreground of the engine's own program: c.client's pipes are the container's stdin and stdout."""
        mark = "%s-%d" % (name, next(serial))
        ident, log = "%s/%s.id" % (BASE, mark), "%s/%s.log" % (BASE, mark)
        words = self.words(name, {}, {}, memory, host, None, dict(env or {}, **{MARK: mark}))
        c = Container(self, name, name, mark)
        with open(log, "w") as f:
            c.client = subprocess.Popen([*self.base, "run", "-i", "--cidfile", ident, *words, *cmd], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=f)
        live.append(c)
        wait_until(lambda: c.pid or c.client.poll() is not None, 120, "%s container %s runs" % (self.name, name))
        check(c.client.poll() is None, "%s container %s goes on" % (self.name, name), read(log)[-600:])
        c.id = read(ident).strip()
        return c

    def restart_container(self, c):
        sh(*self.base, "restart", "-t", "0", c.id)

    def update_container(self, c, memory):
        sh(*self.base, "update", "--memory", str(memory), "--memory-swap", str(2 * memory), c.id)


class Containerd(Engine):
    """What docker and ctr stand on; one for both."""
    name, programs = "containerd", ("containerd", "ctr", "runc")
    _one = None

    def __new__(cls):
        Containerd._one = Containerd._one or super().__new__(cls)
        return Containerd._one

    def __init__(self):
        if not hasattr(self, "service"):
            self.socket = "/run/containerd/containerd.sock"
            self.service = Service("containerd", "containerd", "-c", BASE + "/containerd.toml")

    def start(self):
        if self.service.pid:
            return self
        if self not in live:
            super().start()
        mount_tmpfs("/var/lib/containerd")
        off = ["grpc.v1.cri", "snapshotter.v1.btrfs", "snapshotter.v1.zfs", "snapshotter.v1.aufs", "snapshotter.v1.devmapper",
               "internal.v1.tracing", "internal.v1.opt"]
        write(BASE + "/containerd.toml", "version = 2\ndisabled_plugins = [%s]\n" % ", ".join('"io.containerd.%s"' % p for p in off))
        self.service.start()
        wait_until(lambda: os.path.exists(self.socket), 240, "containerd listens: " + self.service.log())
        return self

    def stop(self):
        self.service.end(signal.SIGTERM)

    def kill(self):
        self.service.end(signal.SIGKILL)
        if os.path.exists(self.socket):  # the next one is up when it is there again
            os.unlink(self.socket)


class Docker(Words):
    name, programs = "docker", ("docker", "dockerd", "containerd", "runc")
    base = ["docker"]

    def __init__(self):
        self.containerd = Containerd()
        self.pidfile = "/run/docker.pid"
        self.service = Service("docker", "dockerd", "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
                               "--storage-driver=vfs", "--containerd=" + self.containerd.socket, "--pidfile=" + self.pidfile,
                               "--live-restore", "--exec-opt", "native.cgroupdriver=" + ("systemd" if SYSTEMD else "cgroupfs"))
        self.imported = False

    def start(self):
        self.containerd.start()
        if self not in live:
            super().start()
        mount_tmpfs("/var/lib/docker")
        self.service.start()
        wait_until(self.answers, 300, "dockerd answers: " + self.service.log())
        if not self.imported:
            sh("docker", "import", image(), IMAGE)
            self.imported = True
        return self

    @staticmethod
    def answers():
        return subprocess.run(["curl", "-s", "--unix-socket", "/run/docker.sock", "http://d/_ping"], capture_output=True).stdout == b"OK"

    def stop(self):
        self.service.end(signal.SIGTERM)

    def kill(self):
        self.service.end(signal.SIGKILL)
        for path in self.pidfile, "/run/docker.sock":
            if os.path.exists(path):
                os.unlink(path)

    def words(self, name, labels, annotations, *how):
        if annotations:
            raise Failed("docker 20.10 has no annotations")
        return ["--security-opt", "apparmor=unconfined"] + super().words(name, labels, {}, *how)

    def remove_container(self, c):
        sh("docker", "rm", "-f", c.id, ok=False)


class Podman(Words):
    def __init__(self, runtime="crun"):
        self.name, self.programs, self.runtime = "podman", ("podman", "conmon", runtime), runtime
        self.base = ["podman", "--runtime", runtime, "--cgroup-manager", "systemd" if SYSTEMD else "cgroupfs", "--events-backend", "none",
                     "--storage-driver", "vfs"]

    def start(self):
        super().start()
        mount_tmpfs("/var/lib/containers")
        if "mwt/box" not in read("/var/lib/containers/storage/vfs-images/images.json"):
            sh(*self.base, "import", image(), IMAGE)
        return self

    def words(self, *how):
        return ["--log-driver", "none"] + super().words(*how)

    def remove_container(self, c):
        sh(*self.base, "rm", "-f", "-t", "0", c.id, ok=False)


class User:
    """A normal user, and the systemd of his own: without a login it runs because he lingers. He has no further ids (subuid),
    so his containers know only one."""
    name, uid = "mwt", 64711
    home, runtime = "/home/mwt", "/run/user/64711"
    unit = "user@64711.service"
    words = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "env", "-i", "-C", "/", "HOME=" + home,
             "XDG_RUNTIME_DIR=" + runtime, "DBUS_SESSION_BUS_ADDRESS=unix:path=%s/bus" % runtime,
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]

    @classmethod
    def start(cls):
        check(os.path.exists("/usr/lib/systemd/user/dbus.socket"), "a user's D-Bus is here (scripts/deps more)")
        if not os.path.isdir(cls.home):
            sh("useradd", "-m", "-d", cls.home, "-u", str(cls.uid), "-U", "-K", "SUB_UID_COUNT=0", "-K", "SUB_GID_COUNT=0", cls.name)
        sh("loginctl", "enable-linger", cls.name)
        wait_until(lambda: cls.runs() and os.path.exists(cls.runtime + "/bus"), 120, "%s runs" % cls.unit)

    @classmethod
    def runs(cls):
        return subprocess.run(["systemctl", "is-active", "-q", cls.unit]).returncode == 0

    @classmethod
    def sh(cls, *cmd):
        return sh(*cls.words, *cmd)

    @classmethod
    def stop(cls):
        sh("loginctl", "disable-linger", cls.name, ok=False)
        sh("systemctl", "stop", cls.unit, ok=False)


class UserPodman(Podman):
    """podman of a normal user: his systemd makes the cgroups; with manager="cgroupfs" there are none."""
    tools = User.home + "/tools"

    def __init__(self, runtime="crun", manager="systemd"):
        super().__init__(runtime)
        self.base = User.words + ["podman", "--runtime", runtime, "--cgroup-manager", manager] + self.base[5:]

    def start(self):
        Engine.start(self)
        User.start()
        if not os.path.isdir(self.tools):  # the project may stand where a user cannot look
            shutil.copytree(WORKERS, self.tools, ignore=shutil.ignore_patterns("*.o", "*.d"))
        if "mwt/box" not in read(User.home + "/.local/share/containers/storage/vfs-images/images.json"):
            sh(*self.base, "import", image(), IMAGE)
        return self

    def stop(self):
        User.stop()

    def binds(self, host):
        return ["/usr", self.tools] if host else []


class Ctr(Engine):
    """containerd without anything above it. A container's ID is its name."""
    name, programs, namespace = "containerd", ("containerd", "ctr", "runc"), "default"

    def __init__(self):
        self.containerd = Containerd()

    def start(self):
        self.containerd.start()
        return super().start()

    def stop(self):
        self.containerd.stop()

    def kill(self):
        self.containerd.kill()

    def ctr(self, *args, ok=True):
        return sh("ctr", "-a", self.containerd.socket, "-n", self.namespace, *args, ok=ok)

    def create(self, name, cmd, labels, annotations, memory, host, cgroup, env):
        args = []
        for k, v in dict(env, PATH="/bin:/usr/bin").items():
            args += ["--env", "%s=%s" % (k, v)]
        for k, v in labels.items():
            args += ["--label", "%s=%s" % (k, v)]
        for k, v in annotations.items():
            args += ["--annotation", "%s=%s" % (k, v)]
        for path in binds(host):
            args += ["--mount", "type=bind,src=%s,dst=%s,options=rbind:ro" % (path, path)]
        if memory:
            args += ["--memory-limit", str(memory)]
        if cgroup:
            args += ["--cgroup", cgroup]
        if SYSTEMD and cgroup and ":" in cgroup:
            args += ["--runc-systemd-cgroup"]
        self.ctr("run", "-d", "--rootfs", *args, rootfs(), name, *cmd)
        return name

    def restart_container(self, c):
        if c.pid:
            self.ctr("task", "kill", "-s", "KILL", c.id)
        wait_until(lambda: not c.pid, 60, "%s ends" % c.id)
        self.ctr("task", "delete", "-f", c.id, ok=False)  # its end, which the shim may not have told yet, is waited for
        self.ctr("task", "start", "-d", c.id)

    def update_container(self, c, memory):
        raise Failed("ctr has no update")

    def remove_container(self, c):
        c.kill()
        self.ctr("task", "delete", "-f", c.id, ok=False)
        self.ctr("container", "delete", c.id, ok=False)


class Kubelet(Ctr):
    """The layout of a kubelet with containerd: its slices (its folders without systemd), cri annotations, log links."""
    namespace = "k8s.io"

    def create(self, name, cmd, labels, annotations, memory, host, cgroup, env):
        uid, ident = str(uuid.uuid4()), uuid.uuid4().hex * 2
        pod, ns = annotations.pop("pod", name + "-pod"), annotations.pop("namespace", "default")
        cri = {"container-type": "container", "container-name": name, "sandbox-name": pod, "sandbox-namespace": ns, "sandbox-uid": uid,
               "sandbox-id": uuid.uuid4().hex * 2, "image-name": "registry.local/box:1"}
        annotations = dict({"io.kubernetes.cri." + k: v for k, v in cri.items()}, **annotations)
        if SYSTEMD:
            place = "kubepods-burstable-pod%s.slice:cri-containerd:%s" % (uid.replace("-", "_"), ident)
        else:
            place = "/kubepods/burstable/pod%s/%s" % (uid, ident)
        super().create(ident, cmd, labels, annotations, memory, host, place, env)
        os.makedirs("/var/log/containers", exist_ok=True)
        os.symlink("/var/log/pods/%s_%s_%s/%s/0.log" % (ns, pod, uid, name), "/var/log/containers/%s_%s_%s-%s.log" % (pod, ns, name, ident))
        return ident

    def update_container(self, c, memory):
        write(c.dir + "/memory.max", str(memory))  # what the kubelet does

    def remove_container(self, c):
        super().remove_container(c)
        for link in glob.glob("/var/log/containers/*-%s.log" % c.id):
            os.unlink(link)


class Runc(Engine):
    """runc or crun on its own: no daemon at all. A container's ID is its name."""

    def __init__(self, program="runc"):
        self.name, self.programs, self.program = program, (program,), program
        self.base = [program] + (["--systemd-cgroup"] if SYSTEMD else [])

    def bundle(self, name):
        return "%s/%s/%s" % (BASE, self.program, name)

    def create(self, name, cmd, labels, annotations, memory, host, cgroup, env):
        where = cgroup or ("system.slice:mwt:" + name if SYSTEMD else "/mwt/" + name)
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
                  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]}]
        mounts += [{"destination": p, "type": "bind", "source": p, "options": ["rbind", "ro"]} for p in binds(host)]
        spec = {"ociVersion": "1.0.2", "root": {"path": rootfs(), "readonly": True}, "mounts": mounts,
                "process": {"args": list(cmd), "cwd": "/", "user": {"uid": 0, "gid": 0},
                            "env": ["PATH=/bin:/usr/bin"] + ["%s=%s" % e for e in env.items()]},
                "annotations": dict(labels, **annotations),
                "linux": {"namespaces": [{"type": t} for t in ("pid", "mount", "ipc", "uts")], "cgroupsPath": where,
                          "resources": {"memory": {"limit": memory}} if memory else {}}}
        os.makedirs(self.bundle(name), exist_ok=True)
        write(self.bundle(name) + "/config.json", json.dumps(spec))
        self.launch(name)
        return name

    def launch(self, name):
        # Its standard streams are the container's: not pipes that somebody waits on.
        with open(self.bundle(name) + "/log", "w") as log:
            p = subprocess.run([*self.base, "run", "-d", "--bundle", self.bundle(name), name], stdin=subprocess.DEVNULL, stdout=log,
                               stderr=log, timeout=300)
        check(p.returncode == 0, "%s run %s" % (self.program, name), read(self.bundle(name) + "/log")[-600:])

    def restart_container(self, c):
        c.kill()
        self.remove_container(c)
        self.launch(c.name)

    def update_container(self, c, memory):
        sh(*self.base, "update", "--memory", str(memory), c.id)

    def remove_container(self, c):
        sh(*self.base, "delete", "-f", c.id, ok=False)


class Nspawn(Engine):
    """systemd-nspawn; machined writes down what runs. A machine's ID is its name."""
    name, programs, inner = "nspawn", ("systemd-nspawn",), "/payload"
    tree = ["--directory", ROOTFS, "--volatile=no", "--read-only"]

    def __init__(self):
        self.commands = {}

    def binds(self, host):
        return binds(host)

    def start(self):
        rootfs()
        return super().start()

    def create(self, name, cmd, labels, annotations, memory, host, cgroup, env):
        args = ["--setenv=%s=%s" % e for e in env.items()] + ["--bind-ro=" + p for p in self.binds(host)]
        args += ["--property=MemoryMax=%d" % memory] if memory else []
        self.commands[name] = ["systemd-nspawn", "--quiet", "--machine", name, "--register=yes", "--console=pipe", *args, *self.tree, "--", *cmd]
        self.launch(name)
        return name

    def launch(self, name):
        with open("%s/nspawn-%s.log" % (BASE, name), "w") as log:
            subprocess.Popen(self.commands[name], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: os.path.exists("/run/systemd/machines/" + name), 120,
                   "machine %s is registered: %s" % (name, read(BASE + "/nspawn-%s.log" % name)))

    def restart_container(self, c):
        self.remove_container(c)
        self.launch(c.name)

    def update_container(self, c, memory):
        sh("systemctl", "set-property", "--runtime", c.unit, "MemoryMax=%d" % memory)

    def remove_container(self, c):
        c.kill()
        wait_until(lambda: not os.path.exists("/run/systemd/machines/" + c.id), 60, "machine %s is gone" % c.id)


class Machine(Nspawn):
    """systemd-nspawn with this host's /usr and a systemd that boots in it."""
    tree = ["--directory", "/", "--volatile=yes", "--boot"]

    def binds(self, host):
        return binds(host)[1:]  # it has /usr

    def create(self, name, cmd, labels, annotations, memory, host, cgroup, env):
        return super().create(name, ("systemd.unit=basic.target",), labels, annotations, memory, host, cgroup, env)

    def inside(self, c, *cmd, ok=True):
        return sh("nsenter", "-t", str(c.pid), "-m", "-p", "-u", "-i", "-r", *cmd, ok=ok)

    def booted(self, c):
        wait_until(lambda: self.inside(c, "systemctl", "is-active", "basic.target", ok=False) == "active", 240, "%s boots" % c.name)
        return c


class Unit:
    """A service of systemd, for whoever attaches units: start, restart, stop, memory; cgroup and pid like a container's."""

    def __init__(self, name, *cmd, properties=(), slice=None):
        self.unit, self.cmd, self.properties = name + ".service", cmd or ("sleep", "100000"), list(properties)
        if slice:
            self.properties.append("Slice=" + slice)

    def start(self):
        text = "[Service]\nExecStart=%s\n%s\n" % (" ".join(self.cmd), "\n".join(self.properties))
        write("/run/systemd/system/" + self.unit, text)
        sh("systemctl", "daemon-reload")
        sh("systemctl", "start", self.unit)
        if self not in live:
            live.append(self)
        return self

    def show(self, what):
        return sh("systemctl", "show", "-p", what, "--value", self.unit)

    @property
    def pid(self):
        return int(self.show("MainPID") or 0)

    @property
    def cgroup(self):
        return self.show("ControlGroup")

    @property
    def dir(self):
        return CG + self.cgroup

    def memory(self, what="max"):
        return read("%s/memory.%s" % (self.dir, what)).strip()

    def update(self, memory):
        sh("systemctl", "set-property", "--runtime", self.unit, "MemoryMax=%d" % memory)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def restart(self):
        sh("systemctl", "restart", self.unit)

    def remove(self):
        if self in live:
            live.remove(self)
        sh("systemctl", "stop", self.unit, ok=False)
        sh("systemctl", "reset-failed", self.unit, ok=False)
        if os.path.exists("/run/systemd/system/" + self.unit):
            os.unlink("/run/systemd/system/" + self.unit)
        sh("systemctl", "daemon-reload", ok=False)

    stop = remove


class Units(Engine):
    """systemd as an engine of services."""
    programs = ("systemctl",)

    def run(self, name, *cmd, **kw):
        return Unit(name, *cmd, properties=["TasksMax=100"]).start()


def clean_containers():
    for c in [c for c in live if isinstance(c, (Container, Unit))]:
        c.remove()


def clean():
    """Containers first, then daemons, each as it can."""
    clean_containers()
    for e in reversed(live[:]):
        live.remove(e)
        e.stop()
