#!/bin/sh
# Installs what the tests need and this machine lacks, by Debian's packages:
#   a C compiler (the race detector), PostgreSQL (the store's suite), Chromium (the console's
#   stories) and nginx (a yardstick of the benchmarks).
# It does nothing, and needs no network, when all are there.
set -eu

missing=
need() { # need PACKAGES COMMAND...
	packages=$1
	shift
	for command; do
		if command -v "$command" >/dev/null 2>&1; then return; fi
	done
	missing="$missing $packages"
}

# Debian keeps the server's programs out of PATH.
PATH=$PATH:/usr/sbin:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
need "gcc libc6-dev" gcc cc
need postgresql postgres
need chromium chromium chromium-browser google-chrome
need nginx-light nginx

if [ -z "$missing" ]; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "Install these with this machine's package manager, then run again:$missing" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then as_root=sudo; fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
