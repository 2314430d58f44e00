#!/bin/sh
# Installs AyaFlow: downloads the executable for this machine, checks its SHA-256, puts it in place.
# Usage: install.sh [--version X.Y.Z] [--prefix DIR] [--systemd]
# Everything is in functions, called on the last line: a download that was cut short does nothing.
set -eu

BASE=${INSTALL_AYAFLOW_URL:-https://github.com/ayaflow/ayaflow/releases}
MIN_GLIBC_MINOR=33
UNIT=ayaflow.service

usage() {
	cat <<EOF
Usage: install.sh [--version X.Y.Z] [--prefix DIR] [--systemd]

  --version X.Y.Z   this release (default: the latest)
  --prefix DIR      installs DIR/bin/ayaflow (default: /usr/local)
  --systemd         also installs $UNIT to /etc/systemd/system; neither enables nor starts it
  --help            shows this

INSTALL_AYAFLOW_URL is where releases are, if not at
https://github.com/ayaflow/ayaflow/releases
EOF
}

fail() {
	printf 'install.sh: %s\n' "$1" >&2
	exit "${2:-1}"
}

has() {
	command -v "$1" >/dev/null 2>&1
}

check_tools() {
	has curl || has wget || fail "needs curl or wget: apt-get install curl"
	has sha256sum || fail "needs sha256sum, of coreutils"
}

# What the libraries inside ask for: packaging/tree.ts says the same, and a test holds both to it.
check_glibc() {
	libc=$(getconf GNU_LIBC_VERSION 2>/dev/null || true)
	minor=${libc##*.}
	case $libc in
	"glibc 2."*) [ "$minor" -ge "$MIN_GLIBC_MINOR" ] && return ;;
	"") fail "this system has no glibc (musl?): use the container image" ;;
	esac
	fail "this system has $libc; 2.$MIN_GLIBC_MINOR or newer is needed (Debian 12, Ubuntu 22.04): use the container image"
}

# The file of the release for this machine.
asset() {
	[ "$(uname -s)" = Linux ] || fail "this is $(uname -s); AyaFlow runs on Linux"
	case $(uname -m) in
	x86_64 | amd64)
		if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then
			echo ayaflow-linux-x64
		else
			echo ayaflow-linux-x64-baseline
		fi
		;;
	aarch64 | arm64) echo ayaflow-linux-arm64 ;;
	*) fail "there is no executable for $(uname -m); there are x86_64 and aarch64" ;;
	esac
}

# download URL FILE
download() {
	if has curl; then
		curl -fsSL --retry 2 -o "$2" "$1" || fail "cannot download $1"
	else
		wget -q -O "$2" "$1" || fail "cannot download $1"
	fi
}

# verify FOLDER NAME: NAME in FOLDER against FOLDER/SHA256SUMS
verify() {
	line=$(grep -E "^[0-9a-f]{64} [ *]$2\$" "$1/SHA256SUMS" || true)
	[ -n "$line" ] || fail "SHA256SUMS of the release does not list $2: nothing was installed"
	(cd "$1" && printf '%s\n' "$line" | sha256sum -c --status -) ||
		fail "$2 is not what SHA256SUMS says: nothing was installed. Try again; report it if it stays so"
}

# put FILE TARGET MODE: TARGET is whole, old or new, at any moment
put() {
	cp "$1" "$2.new.$$" && chmod "$3" "$2.new.$$" && mv -f "$2.new.$$" "$2" && return
	rm -f "$2.new.$$"
	fail "cannot write $2: run it as root, or give another --prefix"
}

main() {
	version=
	prefix=/usr/local
	systemd=
	while [ $# -gt 0 ]; do
		case $1 in
		--version | --prefix)
			[ $# -ge 2 ] || fail "$1 needs a value; see --help" 2
			[ "$1" = --version ] && version=${2#v} || prefix=$2
			shift
			;;
		--systemd) systemd=yes ;;
		-h | --help)
			usage
			exit 0
			;;
		*) fail "unknown option $1; see --help" 2 ;;
		esac
		shift
	done
	case $version in
	*[!0-9A-Za-z.+-]*) fail "--version $version: not a version; an example is 1.2.3" 2 ;;
	esac
	case $prefix in
	/usr | /usr/local) ;;
	*) [ -z "$systemd" ] || fail "--systemd needs --prefix /usr/local or /usr: the unit looks for the program there; this is $prefix" 2 ;;
	esac
	check_tools
	check_glibc
	name=$(asset)
	url=$BASE/latest/download
	[ -z "$version" ] || url=$BASE/download/v$version

	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
	trap 'exit 1' HUP INT TERM
	download "$url/SHA256SUMS" "$folder/SHA256SUMS"
	download "$url/$name" "$folder/$name"
	verify "$folder" "$name"
	if [ -n "$systemd" ]; then
		download "$url/$UNIT" "$folder/$UNIT"
		verify "$folder" "$UNIT"
	fi
	chmod 755 "$folder/$name"
	"$folder/$name" version >/dev/null || fail "$name does not run on this machine: nothing was installed (if $folder is mounted noexec, set TMPDIR)"

	mkdir -p "$prefix/bin" || fail "cannot make $prefix/bin: run it as root, or give another --prefix"
	# The unit first: where there is no systemd, nothing is installed.
	[ -z "$systemd" ] || put "$folder/$UNIT" "/etc/systemd/system/$UNIT" 644
	put "$folder/$name" "$prefix/bin/ayaflow" 755
	if [ -n "$systemd" ]; then
		echo "Start it: systemctl daemon-reload && systemctl enable --now ayaflow"
	fi
	"$prefix/bin/ayaflow" version
}

{ main "$@"; exit; }
