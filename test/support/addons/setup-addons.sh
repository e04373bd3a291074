#!/usr/bin/env bash
# Build what stands beside a mesh from published Go modules: Jaeger, an OpenTelemetry Collector, Kiali.
# usage: setup-addons.sh jaeger|collector|kiali [CACHE]
# Needs: go, flock, the Go module proxy. No root. The last line on stdout is the program. Builds only what is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../kube/common.sh
. "$here/../kube/common.sh"

# Jaeger 2.13 carries the tag v1.76.0 too; later ones are tagged v2 only, which a path without /v2 cannot name.
: "${JAEGER_VERSION:=v1.76.0}"
# The last of Kiali's versions that Go takes for a module, for the same reason.
: "${KIALI_VERSION:=v1.89.0}"

what=${1:?jaeger, collector or kiali}
cache=${2:-$KUBE_CACHE_DEFAULT}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)

# jaeger_module DIR: a module that builds Jaeger, and the collector from those of its parts that Jaeger's module names.
jaeger_module() {
  proxy_module "$1" github.com/jaegertracing/jaeger "$JAEGER_VERSION"
  mkdir -p "$1/collector"
  install -m 644 "$here/collector/main.go.txt" "$1/collector/main.go"
}

need go; need flock
case $what in
  jaeger | collector)
    exe="$cache/addons/jaeger-$JAEGER_VERSION/$what"
    mod="$cache/build/jaeger-$JAEGER_VERSION"
    package=github.com/jaegertracing/jaeger/cmd/jaeger
    [ "$what" = jaeger ] || package=./collector
    if [ ! -x "$exe" ]; then
      take_lock "$cache/addons"
      jaeger_module "$mod"
      go_build "$mod" "$exe" "$package" '-s -w'
    fi
    ;;
  kiali)
    exe="$cache/addons/kiali-$KIALI_VERSION/kiali"
    mod="$cache/build/kiali-$KIALI_VERSION"
    if [ ! -x "$exe" ]; then
      take_lock "$cache/addons"
      proxy_module "$mod" github.com/kiali/kiali "$KIALI_VERSION"
      go_build "$mod" "$exe" github.com/kiali/kiali "-s -w -X main.version=$KIALI_VERSION -X main.commitHash=unknown"
    fi
    ;;
  *) die "unknown: $what" ;;
esac
echo "$exe"
