# shellcheck shell=bash disable=SC2034 # keyring and cache are also the caller's
# Sourced: packages from Debian's archive, checked by apt and unpacked into a cache. Nothing is installed.
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

# Was $1 touched within a day? So the archive is not asked at every start.
checked_today() { [[ $(find "$1" -mmin -1440 2>/dev/null) ]]; }

# Without this option apt-get update succeeds, with warnings, when it reaches nothing.
update_lists() { apt-get -qq -o APT::Update::Error-Mode=any update >&2; }

# The version of package $1 that unpack_packages would get.
newest_version() { apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1; }

# Download packages ("${@:2}") into folder $1 and unpack them to $1/root.
unpack_packages()
{
	local dir=$1 deb
	shift
	(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download "$@") >&2 || return 1
	for deb in "$dir"/*.deb; do
		dpkg-deb -x "$deb" "$dir/root" || return 1
	done
}
