#!/bin/sh
# Lays out what the image contains: image-root.sh ARCHITECTURE FOLDER [EXECUTABLE]
# ARCHITECTURE is Debian's (amd64, arm64). Builds the executable unless one is given. Runs on Debian as root.
set -eu
arch=$1
root=$2
here=$(cd "$(dirname "$0")/.." && pwd)
case "$arch" in
  # Nodes need not have AVX2.
  amd64) target=x64-baseline triplet=x86_64-linux-gnu ;;
  arm64) target=arm64 triplet=aarch64-linux-gnu ;;
  *) echo "image-root: there is no image for architecture \"$arch\"; there are: amd64, arm64" >&2; exit 2 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
executable=${3:-}
if [ -z "$executable" ]; then
  (cd "$here" && PATH="$here/node_modules/.bin:$PATH" bun build.ts --target "$target")
  executable=$here/dist/ayaflow-linux-$target
fi

# glibc is the machine's own where it fits; else it is unpacked, not installed.
from=/
if [ "$(dpkg --print-architecture)" != "$arch" ]; then
  dpkg --add-architecture "$arch"
  apt-get -q update
  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "libc6:$arch")
  mkdir "$work/libc"
  dpkg-deb -x "$work"/libc6_*.deb "$work/libc"
  from=$work/libc/
fi
PATH=$PATH:/usr/sbin:/sbin
if [ ! -e /etc/ssl/certs/ca-certificates.crt ] || ! command -v setcap > /dev/null; then
  apt-get -q update
  apt-get -q install -y --no-install-recommends ca-certificates libcap2-bin
fi

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/lib/$triplet"
cp "$executable" "$root/usr/bin/ayaflow"
chmod 755 "$root/usr/bin/ayaflow"
# Permitted, not effective: it also starts where the container has none of them. docs/kubernetes.md says why.
setcap cap_bpf,cap_net_admin,cap_perfmon+p "$root/usr/bin/ayaflow"
for library in libc.so.6 libpthread.so.0 libdl.so.2 libm.so.6; do
  cp -L "${from}lib/$triplet/$library" "$root/lib/$triplet/"
done
case "$arch" in
  amd64) loader=/lib64/ld-linux-x86-64.so.2 ;;
  arm64) loader=/lib/ld-linux-aarch64.so.1 ;;
esac
# What the loader's name stands for is a link in Debian.
mkdir -p "$root$(dirname "$loader")"
cp -L "${from}lib/$triplet/$(basename "$loader")" "$root$loader"

cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'root:x:0:0:root:/:/nonexistent\nayaflow:x:65532:65532:AyaFlow:/var/lib/ayaflow:/nonexistent\n' > "$root/etc/passwd"
printf 'root:x:0:\nayaflow:x:65532:\n' > "$root/etc/group"
mkdir -p "$root/var/lib/ayaflow"
chmod 750 "$root/var/lib/ayaflow"
chown 65532:65532 "$root/var/lib/ayaflow"
