#!/usr/bin/env bash
# Unpack Debian's chromium-headless-shell, with the libraries and one font that this machine lacks, into the cache.
#
#   setup-browser.sh [CACHE_DIR]      default ${XDG_CACHE_HOME:-$HOME/.cache}/meshctl-test/browser
#
# Needs: apt-get and dpkg-deb of Debian, flock. No root: nothing is installed, packages are downloaded and unpacked; as root the
# package lists are fetched when there are none. Progress on stderr, the program's path on the last line of stdout.
set -euo pipefail

PACKAGES=(chromium-headless-shell fonts-dejavu-core)
cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/meshctl-test/browser}

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
die() { say "error: $*"; exit 1; }
for tool in apt-get dpkg-deb flock; do
  command -v "$tool" >/dev/null 2>&1 || die "$tool is needed and not installed: the browser comes from Debian's packages"
done

mkdir -p "$cache"; cache=$(cd "$cache" && pwd)
exec 9>"$cache/.lock"
flock 9
root="$cache/root" program="$cache/chromium"

# what the packages of this machine do not bring, as name=version: what apt would install here
missing() { apt-get -s -q -o Debug::NoLocking=1 install --no-install-recommends "${PACKAGES[@]}" 2>/dev/null | awk '$1 == "Inst" { v = $3; if ($3 ~ /^\[/) v = $4; sub(/^\(/, "", v); print $2 "=" v }'; }

works() { [ -x "$program" ] && "$program" --version >/dev/null 2>&1; }

if ! works; then
  t0=$SECONDS
  if ! missing | grep -q '^chromium-headless-shell='; then
    [ "$(id -u)" = 0 ] || die "apt knows no chromium-headless-shell: run apt-get update as root"
    say 'apt-get update'
    apt-get -qq update >&2
  fi
  mapfile -t wanted < <(missing)
  [ "${#wanted[@]}" -gt 0 ] || die "apt offers no chromium-headless-shell"
  rm -rf "$root" "$cache/deb" "$program"
  mkdir -p "$root" "$cache/deb"
  say "downloading ${#wanted[@]} packages"
  # as root apt would fetch as a user of its own, who may not write here
  (cd "$cache/deb" && apt-get -qq -o APT::Sandbox::User=root download "${wanted[@]}" >&2)
  for package in "$cache"/deb/*.deb; do dpkg-deb -x "$package" "$root"; done
  rm -rf "$cache/deb"
  shell="$root/usr/lib/chromium/chromium-headless-shell"
  [ -x "$shell" ] || die "no headless shell in the packages"
  libraries=$(find "$root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
  # fonts of the cache and of this machine, in the form that fontconfig reads
  mkdir -p "$cache/fontcache"
  cat > "$cache/fonts.conf" <<X
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>$root/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>$cache/fontcache</cachedir></fontconfig>
X
  cat > "$program" <<X
#!/bin/sh
export LD_LIBRARY_PATH='$libraries' FONTCONFIG_FILE='$cache/fonts.conf'
exec '$shell' "\$@"
X
  chmod +x "$program"
  works || die "the browser does not start: $("$program" --version 2>&1 | head -1)"
  say "chromium in $((SECONDS - t0)) s, $(du -sm "$root" | cut -f1) MB"
fi
echo "$program"
