#!/usr/bin/env bash
# Debian's Prometheus, with promtool, out of its package into the cache. Needs: apt-get, dpkg-deb, flock. No root, nothing is installed.
# The last line on stdout is the folder with both programs. 19 MB to fetch, 95 MB unpacked.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../kube/common.sh
. "$here/../kube/common.sh"

need apt-get; need dpkg-deb; need flock
cache=${1:-$(dirname "$KUBE_CACHE_DEFAULT")/prometheus}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)

if [ ! -x "$cache/bin/promtool" ]; then
  take_lock "$cache"
  if [ ! -x "$cache/bin/promtool" ]; then
    rm -rf "$cache/new"; mkdir "$cache/new"
    cd "$cache/new"
    # a fresh machine has no lists of packages yet
    apt-get download prometheus >&2 || { apt-get update -qq >&2; apt-get download prometheus >&2; }
    dpkg-deb -x prometheus_*.deb unpacked
    "$cache/new/unpacked/usr/bin/prometheus" --version >&2
    mkdir -p "$cache/bin"
    mv unpacked/usr/bin/prometheus unpacked/usr/bin/promtool "$cache/bin"
    rm -rf "$cache/new"
  fi
fi
echo "$cache/bin"
