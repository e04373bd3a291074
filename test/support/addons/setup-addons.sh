#!/usr/bin/env bash
# Build what stands beside a mesh from published Go modules: Jaeger, an OpenTelemetry Collector, Kiali, Grafana.
# usage: setup-addons.sh jaeger|collector|kiali|grafana [CACHE]
# Needs: go, flock, the Go module proxy; for Grafana a C compiler. No root. The last line on stdout is the program. Builds only what is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../kube/common.sh
. "$here/../kube/common.sh"

# Jaeger 2.13 carries the tag v1.76.0 too; later ones are tagged v2 only, which a path without /v2 cannot name.
: "${JAEGER_VERSION:=v1.76.0}"
# The last of Kiali's versions that Go takes for a module, for the same reason.
: "${KIALI_VERSION:=v1.89.0}"
# Of Grafana's main branch between 10.0 and 10.1: a commit that the module proxy has. Tagged versions name a path that Go refuses.
: "${GRAFANA_VERSION:=v1.9.2-0.20230609164553-81d85ce8028d}"
: "${WIRE_VERSION:=v0.7.0}"

what=${1:?jaeger, collector, kiali or grafana}
cache=${2:-$KUBE_CACHE_DEFAULT}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)

# jaeger_module DIR: a module that builds Jaeger, and the collector from those of its parts that Jaeger's module names.
jaeger_module() {
  proxy_module "$1" github.com/jaegertracing/jaeger "$JAEGER_VERSION"
  mkdir -p "$1/collector"
  install -m 644 "$here/collector/main.go.txt" "$1/collector/main.go"
}

# grafana_tree DIR: Grafana's module as a tree that can be written to, with the file that its own build generates first (who needs whom).
grafana_tree() {
  local src
  src=$(go_module_dir github.com/grafana/grafana "$GRAFANA_VERSION")
  [ -n "$src" ] || die "cannot get github.com/grafana/grafana $GRAFANA_VERSION"
  rm -rf "$1"; mkdir -p "$1"
  cp -R "$src/." "$1"; chmod -R u+w "$1"
  say "generating Grafana's wiring"
  (cd "$1" && GOBIN="$1/bin" GOTOOLCHAIN=local go install "github.com/google/wire/cmd/wire@$WIRE_VERSION" >&2 &&
    GOFLAGS="-mod=mod -p=$BUILD_JOBS" GOWORK=off GOTOOLCHAIN=local "$1/bin/wire" gen -tags oss ./pkg/server >&2)
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
  grafana)
    need cc
    home="$cache/addons/grafana-$GRAFANA_VERSION"
    exe="$home/grafana"
    mod="$cache/build/grafana-$GRAFANA_VERSION"
    if [ ! -x "$exe" ]; then
      take_lock "$cache/addons"
      grafana_tree "$mod"
      # what the server reads at its start beside its own program; the pages for browsers are another build
      mkdir -p "$home/conf" "$home/public/app"
      cp "$mod/conf/defaults.ini" "$home/conf/"
      cp -R "$mod/public/emails" "$home/public/"
      cp -R "$mod/public/app/plugins" "$home/public/app/"
      CGO=1 go_build "$mod" "$exe" ./pkg/cmd/grafana "-s -w -X main.version=$GRAFANA_VERSION" oss
    fi
    ;;
  *) die "unknown: $what" ;;
esac
echo "$exe"
