#!/usr/bin/env bash
# Build the reference implementation of the OCI distribution API (a container registry) from its published Go module.
#
#   setup-registry.sh [CACHE_DIR]      default ${XDG_CACHE_HOME:-$HOME/.cache}/meshctl-test/kube
#
# Needs: go, flock, the Go module proxy. No root. Progress on stderr, the program's path on the last line of stdout.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../kube/common.sh
. "$here/../kube/common.sh"

: "${REGISTRY_VERSION:=v3.1.2}"
cache=${1:-$KUBE_CACHE_DEFAULT}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)
program="$cache/registry/$REGISTRY_VERSION/registry"
module="$cache/build/registry-$REGISTRY_VERSION"

if ! [ -x "$program" ]; then
  need go; need flock
  take_lock "$cache/registry"
  proxy_module "$module" github.com/distribution/distribution/v3 "$REGISTRY_VERSION"
  cp "$here/registry-main.go.txt" "$module/main.go"
  go_build "$module" "$program" . "-s -w -X github.com/distribution/distribution/v3/version.version=$REGISTRY_VERSION"
fi
got=$("$program" --version | awk '{print $NF}')
[ "$got" = "$REGISTRY_VERSION" ] || die "registry says '$got', not $REGISTRY_VERSION"
echo "$program"
