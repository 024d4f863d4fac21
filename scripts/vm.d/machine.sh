# shellcheck shell=bash disable=SC2034,SC2154 # options and results are the caller's
# Sourced by scripts/vm: one virtual machine, from its initramfs to its end.

# KVM, if a processor runs under it at all and at once: a boot sector that ends the
# machine with status 33 must do so in 2 s (emulated KVM was seen to need 5).
accelerator()
{
	local seen=$project/.build/vm/accel boot
	boot=$(</proc/sys/kernel/random/boot_id)
	if [[ $icount || ! -w /dev/kvm ]]; then
		echo tcg
		return
	fi
	if [[ ! -f $seen || $(head -n 1 "$seen") != "$boot" ]]; then
		{
			printf '\xb0\x10\xe6\xf4\xf4'
			head -c 505 /dev/zero
			printf '\x55\xaa'
		} >"$run/probe.img"
		timeout 2 qemu-system-x86_64 -accel kvm -cpu host -m 16 -nodefaults -display none \
			-device isa-debug-exit,iobase=0xf4,iosize=4 \
			-drive "file=$run/probe.img,format=raw,if=ide" >/dev/null 2>&1
		if [[ $? -eq 33 ]]; then
			printf '%s\nkvm\n' "$boot" >"$seen"
		else
			printf '%s\ntcg\n' "$boot" >"$seen"
		fi
	fi
	tail -n 1 "$seen"
}

# Folders of ours that the guest's fresh /tmp, /run and /dev would hide.
hidden_folders()
{
	local dir
	for dir in "$project" "$PWD" "$cache/kernels" "$cache/libsystemd"; do
		[[ -d $dir ]] || continue
		case $(realpath "$dir") in
		/tmp/* | /run/* | /dev/shm/*) realpath "$dir" ;;
		esac
	done | sort -u
}

# The command and the environment it gets, as a script for the guest.
write_command()
{
	local name
	echo 'echo 0 >/proc/self/oom_score_adj'
	for name in PATH HOME USER LOGNAME LANG TERM CI ${!MEMWEIR_@}; do
		[[ ! -v $name ]] || echo "export $name=${!name@Q}"
	done
	echo "cd ${PWD@Q} || exit"
	echo "exec ${command[*]@Q}"
}

# The modules the guest's init needs, in load order, without what is built in.
needed_modules()
{
	local want=(virtio virtio_ring virtio_pci virtio_console fuse virtiofs overlay)
	[[ -z $zram ]] || want+=(zsmalloc lz4 lz4hc lzo lzo-rle zstd zram)
	for module in "${want[@]}"; do
		modprobe -d "$kernel_dir" -S "$release" --show-depends "$module" 2>/dev/null
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$1]++'
}

build_initramfs()
{
	local root=$run/initramfs path name
	mkdir -p "$root"/{bin,dev,proc,sys,lower,rw,new,keep,vm,modules}
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$here/vm.d/init" "$root/init"
	cp "$here/vm.d/guest" "$here/vm.d/systemd" "$root/vm/"
	write_command >"$root/vm/command"
	{
		echo "systemd=$systemd zram=${zram@Q} results=${out:+1}"
		echo "modules=$(realpath "$kernel_dir/lib/modules/$release")"
		echo "keep='$(hidden_folders)'"
	} >"$root/vm/conf"
	: >"$root/modules/list"
	needed_modules | while read -r path; do
		name=$(basename "$path")
		case $name in
		*.xz) xz -dc "$path" ;;
		*.zst) zstd -qdc "$path" ;;
		*) cat "$path" ;;
		esac >"$root/modules/${name%%.ko*}.ko"
		echo "${name%%.ko*}.ko" >>"$root/modules/list"
	done
	chmod +x "$root/init"
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$run/initrd"
}

# Serve folder $2 to the guest under the tag $1. virtiofsd holds a descriptor per file.
serve()
{
	(
		ulimit -n 1000000 2>/dev/null || ulimit -n "$(ulimit -Hn)"
		exec setpriv --pdeathsig KILL /usr/lib/qemu/virtiofsd --rlimit-nofile=0 \
			--socket-path="$run/$1.sock" -o source="$2" -o sandbox=chroot \
			-o cache="$3" -o log_level=err
	) >>"$run/virtiofsd.log" 2>&1 &
	pids+=($!)
	qemu+=(-chardev "socket,id=$1,path=$run/$1.sock"
		-device "vhost-user-fs-pci,chardev=$1,tag=$1")
	for ((i = 0; i < 100; i++)); do
		[[ ! -S $run/$1.sock ]] || return 0
		pause
	done
	cat "$run/virtiofsd.log" >&2
	fail "$NO_VM" "virtiofsd does not start"
}

# A tenth of a second, without a process for it.
pause() { read -r -t 0.1 <&"$never"; }

start_machine()
{
	local port args accel cpu=max
	accel=$(accelerator)
	[[ $accel != kvm ]] || cpu=host
	# One thread for all processors: with several, a processor can run into a breakpoint that
	# another one has already taken out again ("Oops: int3"), at boot or when a program is attached.
	[[ $accel != tcg || $icount ]] || accel=tcg,thread=single
	# Stall reports are for kernels that hang, not for a slow emulator.
	args="console=ttyS0 psi=1 cgroup_no_v1=all panic=-1 rcupdate.rcu_cpu_stall_timeout=180"
	args+=" watchdog_thresh=60 workqueue.watchdog_thresh=120"
	# Nobody to be guarded against, and an emulator pays for each of their jumps.
	[[ $accel == kvm ]] || args+=" mitigations=off"
	args+="${systemd:+ systemd.show_status=0 systemd.unit=memweir-vm.target} $append"
	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none
		-machine "q35,memory-backend=mem" -accel "$accel" -cpu "$cpu" -smp "$cpus" -m "$mem"
		-object "memory-backend-memfd,id=mem,size=$mem,share=on"
		-kernel "$kernel_dir/vmlinuz" -initrd "$run/initrd" -append "$args"
		-chardev "file,id=log,path=$log" -serial chardev:log
		-device virtio-serial-pci)
	[[ -z $icount ]] || qemu+=(-icount "shift=0")
	: >"$run/status"
	for port in stdout stderr status; do
		qemu+=(-chardev "file,id=$port,path=$run/$port,append=on"
			-device "virtserialport,chardev=$port,name=$port")
	done
	serve root / always
	[[ -z $out ]] || serve results "$out" auto
	mkfifo "$run/stdout" "$run/stderr"
	tee -p -a "$output" <"$run/stdout" &
	readers=($!)
	tee -p -a "$output" <"$run/stderr" >&2 &
	readers+=($!)
	# Held open until QEMU is gone: should it never open them, the readers still see an end.
	exec {hold_stdout}>"$run/stdout" {hold_stderr}>"$run/stderr"
	setpriv --pdeathsig KILL "${qemu[@]}" </dev/null >"$run/qemu.log" 2>&1 &
	qemu_pid=$!
	pids+=("$qemu_pid" "${readers[@]}")
}

# What the guest reported last, in result: "", "started" or "exit N". No process per look.
read_status()
{
	local line
	result=
	while read -r line; do
		result=$line
	done <"$run/status"
}

# Until the guest has reported an end (result "exit N"), is gone, or its time is over.
await_machine()
{
	local i
	timed_out=
	while kill -0 "$qemu_pid" 2>/dev/null; do
		read_status
		[[ $result != exit* ]] || break
		if ((SECONDS >= limit)); then
			timed_out=1
			break
		fi
		pause
	done
	# Politely first: QEMU may hold output that it has not written yet.
	kill -TERM "$qemu_pid" 2>/dev/null
	for ((i = 0; i < 50; i++)); do
		kill -0 "$qemu_pid" 2>/dev/null || break
		pause
	done
	kill -KILL "$qemu_pid" 2>/dev/null
	exec {hold_stdout}>&- {hold_stderr}>&-
	wait "$qemu_pid" "${readers[@]}" 2>/dev/null
	read_status
}
