#!/bin/bash
# SPDX-License-Identifier: MIT
# Fetch what the Xen lab needs into $LAB_CACHE: Debian's own hypervisors, and
# the tools that their dom0 runs with every library, unpacked, not installed.
# A download that fails is a failure that says so.
#
#	xen-setup.sh CACHE [4.17.7|4.17.5|4.20|4.20-sid...]
#
# CACHE/xen-stock-NAME/xen is a hypervisor, CACHE/xen-tools-BRANCH/root holds
# the tools.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$(mkdir -p "$1" && cd "$1" && pwd)
shift
names=${*:-4.17.7 4.17.5 4.20}
. "$here/suite.sh"

common="libc6 libgcc-s1 libncurses6 libtinfo6 libxencall1 libxendevicemodel1
	libxenevtchn1 libxenforeignmemory1 libxengnttab1 libxenstore4
	libxentoollog1 libxentoolcore1 libxenhypfs1 libyajl2 libcom-err2 liblzma5
	libuuid1 libzstd1 zlib1g libbz2-1.0 liblzo2-2 xenstore-utils kexec-tools"

suite_of()
{
	case $1 in
	4.17*) echo host ;;
	4.20) echo trixie ;;
	4.20-sid) echo sid ;;
	*) die "no hypervisor $1" ;;
	esac
}

# 4.17.7 -> 4.17: what names the packages.
branch_of()
{
	local v=${1%-*}
	echo "$v" | cut -d. -f1,2
}

# The archive's newest version of package $2 in suite $1 that begins with $3.
version_of()
{
	apt "$1" apt-cache madison "$2" | awk -v want="$3" '
		index($3, want) == 1 && $6 != "Sources" { print $3; exit }'
}

# unpack SUITE DIR PACKAGE[=VERSION]...
unpack()
{
	local suite=$1 dir=$2 p
	shift 2
	rm -rf "$dir/debs" "$dir/root"
	mkdir -p "$dir/debs" "$dir/root"
	(cd "$dir/debs" && apt "$suite" apt-get -q download "$@") >>"$cache/apt.log" 2>&1 ||
	    die "cannot download $* from $suite (see $cache/apt.log)"
	for p in "$dir"/debs/*.deb; do
		dpkg -x "$p" "$dir/root" || die "cannot unpack $p"
	done
	rm -r "$dir/debs"
}

update()
{
	apt "$1" apt-get -q update >"$cache/apt.log" 2>&1 ||
	    die "cannot read the package lists of $1 (see $cache/apt.log)"
}

fetch_tools()
{
	local name=$1 branch suite dir ext2=libext2fs2
	branch=$(branch_of "$name")
	dir=$cache/xen-tools-$branch
	[ -e "$dir/.done" ] && return
	suite=$(suite_of "$name")
	update "$suite"
	[ "$suite" = host ] || ext2=libext2fs2t64
	# shellcheck disable=SC2086
	unpack "$suite" "$dir" $common $ext2 "libxenmisc$branch" "xen-utils-$branch"
	touch "$dir/.done"
	echo "setup-lab: xl of Xen $branch from $suite"
}

fetch_hypervisor()
{
	local name=$1 branch suite dir package version number
	branch=$(branch_of "$name")
	dir=$cache/xen-stock-$name
	[ -e "$dir/.done" ] && return
	suite=$(suite_of "$name")
	package=xen-hypervisor-$branch-amd64
	update "$suite"
	number=${name%-*}
	version=$(version_of "$suite" "$package" "$number")
	[ -n "$version" ] || die "$suite has no $package of version $number"
	unpack "$suite" "$dir" "$package=$version"
	set -- "$dir"/root/boot/xen-*.gz
	gzip -dc "$1" >"$dir/xen" || die "cannot unpack $1"
	rm -r "$dir/root"
	echo "$version" >"$dir/version"
	touch "$dir/.done"
	echo "setup-lab: hypervisor $name is $version of $suite"
}

for n in $names; do
	fetch_tools "$n"
	fetch_hypervisor "$n"
done
