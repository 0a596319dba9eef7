# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Read Debian suites without touching the host's lists and sources: each has a
# configuration folder of its own in $cache.  Sourced by setup.sh and
# xen-setup.sh, which set $cache.
# The archive that the host itself reads: a mirror of its own serves here too.
mirror=${LAB_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$' || true)}
mirror=${mirror%/}
key=/usr/share/keyrings/debian-archive-keyring.gpg

die()
{
	echo "setup-lab: $*" >&2
	exit 1
}

[ -n "$mirror" ] || die "apt knows no Debian archive; name one with LAB_MIRROR="

archive_of()
{
	case $1 in
	*-security) echo "$mirror-security" ;;
	*) echo "$mirror" ;;
	esac
}

# apt with the lists of one suite; "host" is the host's own configuration.
apt()
{
	local suite=$1 cmd=$2 dir=$cache/apt-$1
	shift 2
	if [ "$suite" = host ]; then
		"$cmd" "$@"
		return
	fi
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/parts"
	echo "deb [signed-by=$key] $(archive_of "$suite") $suite main" >"$dir/sources.list"
	"$cmd" -o Dir::Etc::sourcelist="$dir/sources.list" \
	    -o Dir::Etc::sourceparts="$dir/parts" -o Dir::State::lists="$dir/lists" \
	    -o Dir::Cache="$dir/cache" -o Debug::NoLocking=1 "$@"
}
