#!/bin/bash
# SPDX-License-Identifier: MIT
# Fetch what the Xen lab needs into CACHE: hypervisors, Debian's own or built
# from its sources (testdata/xen/build.sh), and the tools that their dom0 runs
# with every library, unpacked, not installed.  A download that fails is a
# failure that says so.
#
#	[WITHOUT="VERSION-FLAVOUR..."] xen-setup.sh CACHE [VERSION-FLAVOUR...]
#
# CACHE/xen-VERSION-FLAVOUR/xen is a hypervisor, CACHE/xen-tools-BRANCH/root
# holds the tools.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$(mkdir -p "$1" && cd "$1" && pwd)
shift
names="4.17.7-stock 4.17.5-xdump 4.17.5-xdumptest 4.17.5-xdumpdebug 4.20.4-stock
	4.20.3-xdump 4.20.3-xdumpdebug"
# Of one tree, what is without the writer first.
[ -z "${FULL-}" ] || names="4.17.5-release 4.17.5-debug 4.20.3-release 4.20.3-debug $names
	4.17.5-option 4.17.5-stock 4.17.5-paging 4.20.4-sid-stock"
for name in ${WITHOUT-}; do
	names=${names/$name/}
done
[ $# = 0 ] || names=$*
. "$here/suite.sh"

common="libc6 libgcc-s1 libncurses6 libtinfo6 libxencall1 libxendevicemodel1
	libxenevtchn1 libxenforeignmemory1 libxengnttab1 libxenstore4
	libxentoollog1 libxentoolcore1 libxenhypfs1 libyajl2 libcom-err2 liblzma5
	libuuid1 libzstd1 zlib1g libbz2-1.0 liblzo2-2 xenstore-utils kexec-tools"

# The tools of a branch come from one suite, whatever the hypervisor.
suite_of()
{
	case $1 in
	4.17) echo host ;;
	4.20) echo trixie ;;
	*) die "no tools for Xen $1" ;;
	esac
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
	local branch suite dir ext2=libext2fs2
	branch=$(echo "$1" | cut -d. -f1,2)
	dir=$cache/xen-tools-$branch
	[ -e "$dir/.done" ] && return
	suite=$(suite_of "$branch")
	update "$suite"
	[ "$suite" = host ] || ext2=libext2fs2t64
	# shellcheck disable=SC2086
	unpack "$suite" "$dir" $common $ext2 "libxenmisc$branch" "xen-utils-$branch"
	touch "$dir/.done"
	echo "setup-lab: xl of Xen $branch from $suite"
}

for n in $names; do
	fetch_tools "$n"
	bash "$here/../xen/build.sh" "$cache" "${n%-*}" "${n##*-}" || exit 1
done
# What hypervisors were built out of one another in.
rm -rf "$cache"/build-xen-*
