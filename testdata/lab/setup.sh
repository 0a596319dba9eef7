#!/bin/bash
# SPDX-License-Identifier: MIT
# Fetch what the lab needs into $LAB_CACHE: the host's tools from its own apt
# sources, each kernel of the table from its suite, read with a configuration
# folder of its own so that the host's lists and sources stay as they are.
# A download that fails is a failure that says so.
#
#	setup.sh CACHE [series...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$(mkdir -p "$1" && cd "$1" && pwd)
shift
series=${*:-6.1 6.12 7.x}
. "$here/suite.sh"
tools="qemu-system-x86 busybox-static kexec-tools makedumpfile kmod cpio zstd xz-utils gcc libc6-dev python3"

suite_of()
{
	case $1 in
	6.1) echo host ;;
	6.12) echo bookworm-backports ;;
	7.x) echo trixie-backports ;;
	7.2) echo sid ;;
	5.10 | 5.10-rt | 5.10-cloud) echo bullseye-security ;;
	6.1-rt | 6.1-cloud) echo host ;;
	*) die "no series $1" ;;
	esac
}

# The package that stands for the series' newest image.
image_of()
{
	case $1 in
	*-rt | *-cloud) echo "linux-image-${1##*-}-amd64" ;;
	*) echo linux-image-amd64 ;;
	esac
}

install_tools()
{
	local missing=() p sudo=
	for p in $tools; do
		dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p")
	done
	[ ${#missing[@]} = 0 ] && return
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -qq
	$sudo apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null ||
	    die "cannot install ${missing[*]}"
}

# The image that PACKAGE of the suite stands for; newer suites keep the modules
# and the kernel itself in packages beside it.
packages_of()
{
	apt "$1" apt-cache show "$2" | awk '
		/^Version:/ { if (seen++) exit }
		/^Depends:/ {
			gsub(/,/, "\n"); gsub(/Depends:/, "")
			n = split($0, d, "\n")
			for (i = 1; i <= n; i++)
				if (match(d[i], /linux-image-[^ ]*/)) {
					name = substr(d[i], RSTART, RLENGTH)
					print name
					sub(/image/, "modules", name)
					print name
					sub(/modules/, "binary", name)
					print name
				}
		}'
}

fetch_series()
{
	local s=$1 dir=$cache/kernel-$1 suite p got=
	[ -e "$dir/.done" ] && return
	suite=$(suite_of "$s")
	apt "$suite" apt-get -q update >"$cache/apt.log" 2>&1 ||
	    die "cannot read the package lists of $suite (see $cache/apt.log)"
	rm -rf "$dir"
	mkdir -p "$dir/debs" "$dir/root"
	for p in $(packages_of "$suite" "$(image_of "$s")"); do
		apt "$suite" apt-cache show "$p" >/dev/null 2>&1 || continue
		(cd "$dir/debs" && apt "$suite" apt-get -q download "$p") >>"$cache/apt.log" 2>&1 ||
		    die "cannot download $p from $suite (see $cache/apt.log)"
		got=1
	done
	[ -n "$got" ] || die "$suite names no kernel"
	for p in "$dir"/debs/*.deb; do
		dpkg -x "$p" "$dir/root" || die "cannot unpack $p"
	done
	rm -r "$dir/debs"
	# Either layout of the archive, one layout here.
	[ -d "$dir/root/lib" ] || ln -s usr/lib "$dir/root/lib"
	set -- "$dir"/root/lib/modules/*
	basename "$1" >"$dir/release"
	/sbin/depmod -b "$dir/root" "$(cat "$dir/release")" 2>>"$cache/apt.log" ||
	    die "depmod fails for $s (see $cache/apt.log)"
	for p in "$dir"/root/boot/vmlinuz-* "$dir"/root/lib/modules/*/vmlinuz; do
		[ -e "$p" ] && ln -sr "$p" "$dir/vmlinuz"
	done
	[ -e "$dir/vmlinuz" ] || die "no kernel image in the packages of $s"
	touch "$dir/.done"
	echo "setup-lab: $s is $(cat "$dir/release") of $suite"
}

# The module that dies on request, for the host suite's kernel only.
build_module()
{
	local dir=$cache/kernel-6.1 release
	[ -e "$dir/.done" ] && [ ! -e "$dir/labcrash.ko" ] || return 0
	release=$(cat "$dir/release")
	tools="linux-headers-$release"
	install_tools
	rm -rf "$dir/module"
	cp -r "$here/module" "$dir/module"
	make -C "/lib/modules/$release/build" M="$dir/module" modules >"$cache/module.log" 2>&1 ||
	    die "cannot build the module (see $cache/module.log)"
	mv "$dir/module/labcrash.ko" "$dir/"
}

install_tools
for s in $series; do
	fetch_series "$s"
done
[ -z "${FULL-}" ] || build_module
