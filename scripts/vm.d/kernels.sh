# shellcheck shell=bash disable=SC2154 # kernel_list is the caller's
# Sourced by scripts/vm: gets kernels from Debian's archive. Unpacked under
# $cache/kernels/PACKAGE, with a link per name of tests/vm/kernels; nothing is installed.
cache=${MEMWEIR_CACHE:-$HOME/.cache/memweir}
cache=$(realpath -m "$cache")
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Where the machine gets Debian from: a mirror near it.
mirror()
{
	local uri
	# shellcheck disable=SC2016 # apt expands it
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
		'Label: Debian' 2>/dev/null | head -n 1)
	[[ $uri ]] || echo "vm: no Debian archive in this machine's apt sources (is \"apt-get update\" missing?)" >&2
	echo "$uri"
}

# An apt state of our own for one suite: $1 suite, $2 mirror. Prints the configuration file.
private_apt()
{
	local dir=$cache/apt/$1
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	echo "deb [arch=amd64 signed-by=$keyring] $2 $1 main" >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-EOF
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State::lists "$dir/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$dir/cache";
		APT::Architecture "amd64";
		APT::Sandbox::User "root";
		APT::Update::Post-Invoke-Success "";
		Acquire::Languages "none";
		Acquire::PDiffs "false";
		Acquire::GzipIndexes "true";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
	EOF
	echo "$dir/apt.conf"
}

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
	local version dir tmp deb
	version=$(apt-cache show --no-all-versions "$1" | sed -n 's/^Version: //p' | head -n 1)
	dir=$cache/kernels/${1}_$version
	if [[ ! -d $dir ]]; then
		tmp=$(mktemp -d "$cache/kernels/.unpack.XXXXXX")
		echo "vm: getting $* ($version)" >&2
		(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "$@") >&2 || return 1
		for deb in "$tmp"/*.deb; do
			dpkg-deb -x "$deb" "$tmp/root" || return 1
		done
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
	# Without this option apt-get update succeeds, with warnings, when it reaches nothing.
	if apt-get -qq -o APT::Update::Error-Mode=any update >&2; then
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
	if [[ $now || ! -e $link/release ||
		-z $(find "$cache/kernels/.$name.checked" -mmin -1440 2>/dev/null) ]]; then
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
