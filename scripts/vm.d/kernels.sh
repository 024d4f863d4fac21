# shellcheck shell=bash disable=SC2154 # kernel_list, here and what archive.sh has are the caller's
# Sourced by scripts/vm: gets kernels from Debian's archive. Unpacked under
# $cache/kernels/PACKAGE, with a link per name of tests/vm/kernels; nothing is installed.
# shellcheck source-path=SCRIPTDIR source=archive.sh
. "$here/vm.d/archive.sh"

# Newest image package of kernel $1 that apt knows, if any.
newest_image()
{
	local package
	for package in $(apt-cache pkgnames "linux-image-$1." |
		grep -E -- '-cloud-amd64$' | sort -rV); do
		if apt-cache show --no-all-versions "$package" 2>/dev/null | grep -q '^Filename:'; then
			echo "$package"
			return
		fi
	done
	return 1
}

# The packages that hold $1's files: newer releases split the kernel and its modules off.
image_parts()
{
	echo "$1"
	apt-cache depends "$1" | sed -nE 's/^ *Depends: (linux-(binary|modules)-[0-9].*)/\1/p'
}

# Unpack packages ("$@", the image first) to $cache/kernels/IMAGE_VERSION; prints that folder.
unpack_kernel()
{
	local version dir tmp
	version=$(newest_version "$1")
	dir=$cache/kernels/${1}_$version
	if [[ ! -d $dir ]]; then
		tmp=$(mktemp -d "$cache/kernels/.unpack.XXXXXX")
		echo "vm: getting $* ($version)" >&2
		unpack_packages "$tmp" "$@" || return 1
		finish_kernel "$tmp/root" || return 1
		mv "$tmp/root" "$dir"
		rm -rf "$tmp"
	fi
	echo "$dir"
}

# Bring an unpacked kernel $1 to one form: vmlinuz, release, lib/modules/RELEASE/modules.dep.
finish_kernel()
{
	local release
	[[ -d $1/lib ]] || ln -s usr/lib "$1/lib"
	release=$(basename "$1"/lib/modules/*)
	echo "$release" >"$1/release"
	if [[ -f $1/boot/vmlinuz-$release ]]; then
		ln -s "boot/vmlinuz-$release" "$1/vmlinuz"
	else
		ln -s "lib/modules/$release/vmlinuz" "$1/vmlinuz"
	fi
	[[ -f $1/vmlinuz && -d $1/lib/modules/$release/kernel ]] || return 1
	depmod -b "$1" "$release"
}

# Find the newest kernel $1 with the apt state in force, unpack it, print its folder.
kernel_from_apt()
{
	local image parts
	if update_lists; then
		touch "$cache/kernels/.$1.checked"
	else
		echo "vm: apt-get update failed; looking for kernel $1 in what it knew before" >&2
	fi
	image=$(newest_image "$1") || return 1
	mapfile -t parts < <(image_parts "$image")
	unpack_kernel "${parts[@]}"
}

# Fetch kernel $1 from the suites after it, or from the machine's own sources. Links it.
fetch_kernel()
{
	local name=$1 dir='' suite
	shift
	if [[ $# -eq 0 ]]; then
		dir=$(kernel_from_apt "$name") || dir=
	fi
	for suite in "$@"; do
		dir=$(
			APT_CONFIG=$(private_apt "$suite" "$(mirror)")
			export APT_CONFIG
			kernel_from_apt "$name"
		) && break
		dir=
	done
	rm -rf "$cache"/kernels/.unpack.*
	[[ $dir ]] || return 1
	ln -sfn "$(basename "$dir")" "$cache/kernels/$name"
}

# Have kernel $1 in the cache; the archive is asked once a day, or now with $2 set.
have_kernel()
{
	local name=$1 now=$2 suites link=$cache/kernels/$1
	suites=$(sed -nE "s/^${name//./\\.}([[:space:]]+|$)//p" "$kernel_list")
	mkdir -p "$cache/kernels"
	exec {lock}>"$cache/lock"
	flock "$lock"
	if [[ $now || ! -e $link/release ]] || ! checked_today "$cache/kernels/.$name.checked"; then
		# shellcheck disable=SC2086 # a list
		if ! fetch_kernel "$name" $suites; then
			if [[ ! -e $link/release ]]; then
				exec {lock}>&-
				return 1
			fi
			echo "vm: archive not reached, kernel $name from the cache:" \
				"$(<"$link/release")" >&2
		fi
	fi
	exec {lock}>&-
}
