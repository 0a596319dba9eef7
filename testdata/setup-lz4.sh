#!/bin/sh
# Fetches LZ4's source package of this distribution into the folder named: the
# freestanding writer is built with it (make check-freestanding).
set -eu
dir=$1
[ -e "$dir/lz4.c" ] && exit 0
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$' || true)
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
[ -n "$mirror" ] || { echo "setup: apt knows no Debian archive for LZ4's source" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
echo "deb-src $mirror $suite main" >"$work/sources.list"
set -- -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root
echo "setup: fetching LZ4's source package"
apt-get "$@" update >/dev/null
(cd "$work/source" && apt-get "$@" source --download-only lz4 >/dev/null 2>&1) ||
    { echo "setup: cannot download the source package lz4 from $mirror $suite" >&2; exit 1; }
mkdir -p "$dir"
tar -xf "$work"/source/lz4_*.orig.tar.* -C "$work" --wildcards '*/lib/lz4.c' '*/lib/lz4.h' --strip-components=2
mv "$work/lz4.c" "$work/lz4.h" "$dir/"
