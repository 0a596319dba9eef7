#!/bin/bash
# SPDX-License-Identifier: MIT
# Build one hypervisor out of Debian's source package, or take the stock one,
# and leave it in CACHE/xen-VERSION-FLAVOUR with what tests and type packs ask:
#
#	xen		multiboot binary, as QEMU's -kernel takes it
#	xen-syms	the same with symbols, and with DWARF where it has it
#	config		its configuration
#	.done		written last
#
# The sources stay in CACHE/src/xen-VERSION, patched as Debian does.
#
#	build.sh CACHE VERSION FLAVOUR
#	build.sh CACHE VERSION source
#
# VERSION	4.17.5 4.20.3, which the archive has sources of; 4.17.7, from a
#		clone of the project's repository (XEN_GIT); stock only: 4.20.4
#		4.20.4-sid
# FLAVOUR	stock	as Debian built it
#		release	Debian's configuration and DEBUG_INFO
#		debug	DEBUG and FRAME_POINTER
#		noshadow release without SHADOW_PAGING, as later ones of Debian
#		option	release, with an option on that moves early members of
#			struct domain; paging: one that moves a few late ones
#		xdump	release with the dump writer (dumpfmt/xen); xdumpdebug:
#		debug with it; xdumptest: xdump with what brings its faults
#		about.  Built again when the writer has changed
#		source	unpack only
set -eu
[ $# = 3 ] || {
	sed -n '3,30s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
cache=$(mkdir -p "$1" && cd "$1" && pwd)
version=$2
flavour=$3
out=$cache/xen-$version-$flavour
src=$cache/src/xen-$version
log=$cache/xen-$version-$flavour.log
mirror=${LAB_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$' || true)}
mirror=${mirror%/}
key=/usr/share/keyrings/debian-archive-keyring.gpg
tools="bison flex gcc make python3 patch xz-utils libc6-dev"

die()
{
	echo "xen-build: $version $flavour: $*" >&2
	exit 1
}

# Upstream part, Debian part, checksums of both tarballs; empty where the
# archive lists a source and does not have it.
case $version in
4.17.5)
	series=4.17 upstream=4.17.5+72-g01140da4e8 debian=-1
	orig=53922f4d0a02c577f2ea9d63f65989cd88715779eebeed879ca1d314103ee06e
	delta=5bcf3812c64585e270e0b3fa6ee8fd16dff7b9bc0f61375d648c64672484c4d9
	package_suite=bookworm ;;
4.17.7)
	# Not in the archive: a tag of the project's own repository, given as
	# XEN_GIT=a clone of it.
	series=4.17 upstream='' debian='' tag=RELEASE-4.17.7 package_suite=bookworm-security ;;
4.20.3)
	series=4.20 upstream=4.20.3+127-gc42374a105 debian=-0+deb13u1
	orig=df0831854a55a8f31cb3cb85036f2edc928e2ef098d77f815f5714bfafac68f3
	delta=b1f909d626f3d4ba6965ba291dd97b0dfbbe48bb8e2510913cbc1760c5e8cb3e
	package_suite=trixie ;;
4.20.4)
	series=4.20 upstream='' package_suite=trixie ;;
4.20.4-sid)
	series=4.20 upstream='' package_suite=sid ;;
*)
	die "no such version in the table" ;;
esac

[ -n "$mirror" ] || die "apt knows no Debian archive; name one with LAB_MIRROR="

# The writer's sources: .done says which ones a hypervisor was built with.
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
lz4=${LZ4_SRC:-$cache/../src/lz4}
bearssl=${BEARSSL_SRC:-$cache/../src/bearssl}
writer=
case $flavour in
xdump*)
	writer=$(cat "$root"/dumpfmt/xen/* "$root"/dumpfmt/xen/*/* "$root"/dumpfmt/dev/*.[ch] \
	    "$root"/dumpfmt/*.[ch] 2>/dev/null | sha256sum | cut -d' ' -f1)
	[ -e "$bearssl/inner.h" ] || die "no $bearssl/inner.h: run make setup, or name it with BEARSSL_SRC="
	[ -e "$lz4/lz4.c" ] || die "no $lz4/lz4.c: run make setup, or name it with LZ4_SRC=" ;;
esac
[ ! -e "$out/.done" ] || [ "$(cat "$out/.done")" != "$writer" ] || exit 0

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

archive_of()
{
	case $1 in
	*-security) echo "$mirror-security" ;;
	*) echo "$mirror" ;;
	esac
}

# apt with the lists of the package's suite, and with nothing of the host's.
apt()
{
	local cmd=$1 dir=$cache/apt-xen-$package_suite
	shift
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/parts"
	echo "deb [signed-by=$key] $(archive_of "$package_suite") $package_suite main" >"$dir/sources.list"
	"$cmd" -o Dir::Etc::sourcelist="$dir/sources.list" \
	    -o Dir::Etc::sourceparts="$dir/parts" -o Dir::State::lists="$dir/lists" \
	    -o Dir::Cache="$dir/cache" -o Debug::NoLocking=1 "$@"
}

# Unpack the package and, if asked, its symbols into $1.
fetch_package()
{
	local dir=$1 p
	shift
	rm -rf "$dir"
	mkdir -p "$dir/debs" "$dir/root"
	apt apt-get -q update >"$log" 2>&1 || die "cannot read the lists of $package_suite (see $log)"
	for p; do
		(cd "$dir/debs" && apt apt-get -q download "$p") >>"$log" 2>&1 ||
		    die "cannot download $p of $package_suite (see $log)"
	done
	for p in "$dir"/debs/*.deb; do
		dpkg -x "$p" "$dir/root" || die "cannot unpack $p"
	done
}

# FILE SHA256
fetch_tarball()
{
	local file=$cache/src/$1
	[ -e "$file" ] && echo "$2  $file" | sha256sum -c --quiet >/dev/null 2>&1 && return
	/usr/lib/apt/apt-helper download-file "$mirror/pool/main/x/xen/$1" "$file" \
	    "SHA256:$2" >>"$log" 2>&1 || die "cannot download $1 (see $log)"
}

fetch_tag()
{
	[ -n "${XEN_GIT-}" ] ||
	    die "the archive has no source of it; name a clone of xen.git with XEN_GIT="
	rm -rf "$src"
	mkdir -p "$src"
	git --git-dir="$XEN_GIT" archive "$tag" xen Config.mk Makefile config scripts version.sh |
	    tar x -C "$src" || die "$XEN_GIT has no $tag"
	touch "$src/.done"
}

fetch_source()
{
	local p
	[ ! -e "$src/.done" ] || return 0
	mkdir -p "$cache/src"
	if [ -n "${tag-}" ]; then
		fetch_tag
		return
	fi
	[ -n "$upstream" ] || die "the archive has no source of it"
	fetch_tarball "xen_$upstream.orig.tar.xz" "$orig"
	fetch_tarball "xen_$upstream$debian.debian.tar.xz" "$delta"
	rm -rf "$src"
	mkdir -p "$src"
	tar xf "$cache/src/xen_$upstream.orig.tar.xz" --strip-components=1 -C "$src" &&
	    tar xf "$cache/src/xen_$upstream$debian.debian.tar.xz" -C "$src" ||
	    die "cannot unpack the source"
	while read -r p; do
		(cd "$src" && patch -p1 -s <"debian/patches/$p") >>"$log" 2>&1 ||
		    die "patch $p does not apply (see $log)"
	done <"$src/debian/patches/series"
	touch "$src/.done"
}

stock()
{
	local dir=$out.tmp root f v
	fetch_package "$dir" "xen-hypervisor-$series-amd64" "xen-hypervisor-$series-amd64-dbg"
	# A suite moves on.
	v=$(dpkg-deb -f "$dir/debs/xen-hypervisor-$series-amd64"_*.deb Version)
	case $v in
	"${version%-sid}"[+~-]*) ;;
	*) die "$package_suite has $v now" ;;
	esac
	root=$dir/root
	mkdir -p "$out"
	zcat "$root/boot/xen-$series-amd64.gz" >"$out/xen" || die "the package has no hypervisor"
	cp "$root/boot/xen-$series-amd64.config" "$out/config"
	f=$(find "$root/usr/lib/debug" -name "xen-syms-$series-amd64" -o -name 'xen-syms*' ! -name '*.map' | head -1)
	[ -n "$f" ] || die "the -dbg package has no xen-syms"
	cp "$f" "$out/xen-syms"
	rm -rf "$dir"
	touch "$out/.done"
}

# Set options of a configuration: NAME=y or NAME=n.
options()
{
	local o
	for o; do
		sed -i "/^# CONFIG_${o%=*} is not set\$/d; /^CONFIG_${o%=*}=/d" xen/.config
		echo "CONFIG_$o" >>xen/.config
	done
}

check_options()
{
	local o
	for o; do
		case $o in
		*=n) grep -qx "# CONFIG_${o%=n} is not set" xen/.config ;;
		*) grep -qx "CONFIG_$o" xen/.config ;;
		esac || die "the configuration does not take $o"
	done
}

# Flavours that differ in the writer alone are made one after the other in one
# tree, with the same name, so that only what differs is compiled again.
tree_of()
{
	case $flavour in
	release | xdump | xdumptest) echo "$cache/build-xen-$version" ;;
	debug | xdumpdebug) echo "$cache/build-xen-$version-with-debug" ;;
	*) echo "$cache/build-xen-$version-$flavour" ;;
	esac
}

# Debian's configuration with what the flavour asks for besides.
configure()
{
	local want="EXPERT=y DEBUG_INFO=y"
	case $flavour in
	release | xdump | xdumptest) ;;
	debug | xdumpdebug) want="$want DEBUG=y FRAME_POINTER=y" ;;
	option) want="$want DEBUG_LOCK_PROFILE=y" ;;
	noshadow) want="$want SHADOW_PAGING=n" ;;
	paging) want="$want UNSUPPORTED=y MEM_PAGING=y" ;;
	*) die "no such flavour" ;;
	esac
	fetch_package "$1.package" "xen-hypervisor-$series-amd64"
	cp "$1.package/root/boot/xen-$series-amd64.config" "$1/xen/.config"
	rm -rf "$1.package"
	# shellcheck disable=SC2086
	(cd "$1" && options $want)
	make -C "$1/xen" olddefconfig XEN_TARGET_ARCH=x86_64 >>"$log" 2>&1 || die "olddefconfig fails (see $log)"
	# shellcheck disable=SC2086
	(cd "$1" && check_options $want) || exit 1
}

# A whole build of another flavour, without the writer, or the sources.  Of the
# former the configuration stays: what is compiled depends on its time.
tree_make()
{
	local f
	if [ -z "$writer" ] || [ ! -e "$1/.built" ]; then
		rm -rf "$1"
		cp -r "$src" "$1"
		configure "$1"
		return
	fi
	rm "$1/.built"
	(cd "$1" && grep -rl xdump xen --include='*.[chS]' --include=Makefile || true) |
	    while read -r f; do
		case $f in
		xen/arch/x86/xdump/*) rm "$1/$f" ;;
		*) [ ! -e "$src/$f" ] && rm "$1/$f" || cp "$src/$f" "$1/$f" ;;
		esac
	done
	rm -rf "$1/xen/arch/x86/xdump"
}

# What the writer adds to the hypervisor: at most 96 KiB of code, and 2 MiB of
# memory, of which it takes 2 MiB - 96 KiB at boot (XDUMP_MEMORY_MAX).
size_say()
{
	size xen/arch/x86/xdump/built_in.o | awk -v name="$version $flavour" '
		NR == 2 {
			code = $1 / 1024
			data = ($2 + $3) / 1024
		}
		END {
			printf "xen-build: %s: the writer is %.1f KiB of code and %.1f KiB of data, at most %.0f KiB of memory with what it takes at boot\n",
			    name, code, data, data + 2048 - 96
			exit !(code > 0 && code <= 96 && data <= 96)
		}' || die "the writer is larger than 96 KiB of code or 2 MiB of memory"
}

build()
{
	local dir epoch map
	dir=$(tree_of)
	tree_make "$dir"
	cd "$dir"
	[ "$flavour" != xdumptest ] || export XDUMP_TEST=1
	[ -z "$writer" ] || bash "$root/dumpfmt/xen/install.sh" . "$lz4" "$bearssl" || exit 1
	# The same input gives the same binary and so the same build-id.
	if [ -e debian/changelog ]; then
		epoch=$(dpkg-parsechangelog -l debian/changelog -S Timestamp)
	else
		epoch=0
	fi
	export SOURCE_DATE_EPOCH=$epoch DEB_VERSION=${upstream:-${tag-}}$debian
	export DEB_MAINTAINER="Xen Builder <builder@localhost>"
	XEN_BUILD_DATE=$(LC_ALL=C date -u -d "@$epoch")
	XEN_BUILD_TIME=$(LC_ALL=C date -u -d "@$epoch" +%T)
	export XEN_BUILD_DATE XEN_BUILD_TIME XEN_WHOAMI=builder XEN_DOMAIN=localhost
	map="-ffile-prefix-map=$dir=. -fdebug-prefix-map=$dir=."
	# The interpreter itself: a version manager's wrapper takes a second a call.
	make -C xen -j"$(nproc)" build XEN_TARGET_ARCH=x86_64 \
	    PYTHON="$(python3 -c 'import sys; print(sys.executable)')" \
	    EXTRA_CFLAGS_XEN_CORE="$map" >>"$log" 2>&1 || die "the build fails (see the end of $log)"
	mkdir -p "$out"
	cp xen/xen xen/xen-syms "$out/" || die "the build left no xen and xen-syms (see $log)"
	cp xen/.config "$out/config"
	[ -z "$writer" ] || size_say
	cd "$cache"
	touch "$dir/.built"
	echo "$writer" >"$out/.done"
}

install_tools
rm -rf "$out"
: >"$log"
case $flavour in
stock) stock ;;
source) fetch_source ;;
*)
	fetch_source
	build ;;
esac
[ "$flavour" = source ] || echo "xen-build: $out"
