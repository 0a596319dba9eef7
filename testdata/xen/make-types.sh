#!/bin/bash
# SPDX-License-Identifier: MIT
# Make the type packs in mdb/world/xen-types out of hypervisors that build.sh
# built or took; see docs/XENTYPES.md.  A row of the table is one pack.
#
#	make-types.sh CACHE MKPACK [pack...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$(mkdir -p "$1" && cd "$1" && pwd)
mkpack=$2
shift 2
out=$here/../../mdb/world/xen-types
packs=${*:-4.17.5-release 4.17.5-noshadow 4.17.5-debug 4.17.7-release 4.20.3-release 4.20.3-debug 4.20.4-release}

die()
{
	echo "xen-types: $*" >&2
	exit 1
}

# VERSION FLAVOUR: the path of its xen-syms.
syms()
{
	bash "$here/build.sh" "$cache" "$1" "$2" >&2 || die "no hypervisor $1 $2"
	echo "$cache/xen-$1-$2/xen-syms"
}

# What is listed beside a pack's own: exact where the source is the same.
others()
{
	case $1 in
	4.17.5-release)
		echo exact 4.17.5-stock "$(syms 4.17.5 stock)" ;;
	4.17.7-release)
		echo symbols 4.17.7-stock "$(syms 4.17.7 stock)" ;;
	4.20.4-release)
		echo symbols 4.20.4-sid-stock "$(syms 4.20.4-sid stock)" ;;
	esac
}

mkdir -p "$out"
for p in $packs; do
	version=${p%-*} flavour=${p#*-}
	# The archive has no source of 4.20.4; its -dbg package has DWARF.
	from=$flavour
	[ "$version" != 4.20.4 ] || from=stock
	[ "$flavour" = debug ] || flavour=release
	file=$(syms "$version" "$from")
	rest=$(others "$p")
	# shellcheck disable=SC2086
	"$mkpack" "$out/$p.pack" "$p" "${version%.*}" "$flavour" "$version-$from" \
	    "$file" $rest || die "cannot make $p"
done
