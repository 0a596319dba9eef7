#!/bin/sh
# Fetches BearSSL's source package of the Debian archive into the folder named,
# of it the files that an encrypting hypervisor is built with (dumpfmt/xen).
set -eu
dir=$1
orig=bearssl_0.6+dfsg.1.orig.tar.xz
sum=102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004
[ -e "$dir/inner.h" ] && exit 0
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$' || true)
[ -n "$mirror" ] || { echo "setup: apt knows no Debian archive for BearSSL's source" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "setup: fetching BearSSL's source package"
/usr/lib/apt/apt-helper download-file "${mirror%/}/pool/main/b/bearssl/$orig" "$work/$orig" "SHA256:$sum" >/dev/null 2>&1 ||
    { echo "setup: cannot download $orig from $mirror" >&2; exit 1; }
tar -xf "$work/$orig" -C "$work" --strip-components=1
mkdir -p "$dir"
for f in symcipher/chacha20_ct.c symcipher/poly1305_ctmul.c ec/ec_c25519_m31.c hash/sha2small.c mac/hmac.c kdf/hkdf.c \
    codec/ccopy.c codec/enc32be.c codec/dec32be.c config.h; do
	cp "$work/src/$f" "$dir/"
done
cp "$work"/inc/*.h "$work/LICENSE.txt" "$dir/"
# Last: it says that all is there.
cp "$work/src/inner.h" "$dir/"
