#!/bin/sh
# Installs what building and testing need: the packages named as arguments.
set -eu
missing=
for p; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q '^install ok' || missing="$missing $p"
done
if [ -z "$missing" ]; then
	echo "setup: all packages are installed"
	exit 0
fi
as=
[ "$(id -u)" = 0 ] || as=sudo
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$as apt-get update -qq
# shellcheck disable=SC2086
$as apt-get install -y -qq --no-install-recommends $missing >/dev/null
echo "setup: done"
