#!/usr/bin/env bash
# Build istioctl from its published Go module into the cache. Needs: go, flock, the Go module proxy. No root.
# ISTIOCTL=PROGRAM: one that is there already. The last line on stdout is the program. Builds only what is missing: 150 MB.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../kube/common.sh
. "$here/../kube/common.sh"

# A commit of the development branch of 1.32: tags of releases are no versions that Go takes for this module.
: "${ISTIO_VERSION:=v0.0.0-20260827124520-eed52ebb66ad}"

if [ -n "${ISTIOCTL:-}" ]; then echo "$ISTIOCTL"; exit 0; fi
cache=${1:-$KUBE_CACHE_DEFAULT}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)
exe="$cache/istioctl/$ISTIO_VERSION/istioctl"
tree="$cache/build/istio-$ISTIO_VERSION"
CONTRIB=github.com/envoyproxy/go-control-plane/contrib
CONTRIB_VERSION=v1.36.0

# istio_tree DIR: Istio's module as a tree that can be written to. Its go.mod names commits that the module proxy does not have: in
# their place the releases next to them, without the packages that these have not (registered for printing, used for nothing else).
istio_tree() {
  local src contrib file package
  src=$(go_module_dir istio.io/istio "$ISTIO_VERSION")
  contrib=$(go_module_dir "$CONTRIB" "$CONTRIB_VERSION")
  [ -n "$src" ] && [ -n "$contrib" ] || die "cannot get istio.io/istio $ISTIO_VERSION"
  rm -rf "$1"; mkdir -p "$1"
  cp -R "$src/." "$1"; chmod -R u+w "$1"
  (cd "$1" && go mod edit \
    -replace=istio.io/api=istio.io/api@v1.31.1 \
    -replace=istio.io/client-go=istio.io/client-go@v1.31.1 \
    -replace=github.com/envoyproxy/go-control-plane/envoy=github.com/envoyproxy/go-control-plane/envoy@v1.40.0 \
    -replace="$CONTRIB=$CONTRIB@$CONTRIB_VERSION")
  file="$1/pkg/config/xds/filter_types.gen.go"
  grep -o "\"$CONTRIB/[^\"]*\"" "$file" | tr -d '"' | while read -r package; do
    [ -d "$contrib${package#"$CONTRIB"}" ] || sed -i "\|\"$package\"|d" "$file"
  done
}

if [ ! -x "$exe" ]; then
  need go; need flock
  take_lock "$cache/istioctl"
  istio_tree "$tree"
  go_build "$tree" "$exe" ./istioctl/cmd/istioctl '-s -w'
  rm -rf "$tree"
fi
echo "$exe"
