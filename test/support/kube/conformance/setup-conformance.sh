#!/usr/bin/env bash
# Build the public conformance suite of Gateway API, and the echo servers that it deploys, from published Go modules.
# Builds only what is missing.
#
#   setup-conformance.sh [CACHE_DIR]      default ${XDG_CACHE_HOME:-$HOME/.cache}/meshctl-test/kube
#
# Needs: go, python3, flock. Progress on stderr, the folder on the last line: conformance.test, crds/ and images/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../common.sh
. "$here/../common.sh"

# the version of the CRDs in manifests/gateway-api
: "${GATEWAY_API_VERSION:=v1.6.0}"
# The suite's mesh tests use Istio's echo server and client: what its image echo-advanced is made of.
: "${ISTIO_VERSION:=v0.0.0-20260827124520-eed52ebb66ad}"

cache=${1:-$KUBE_CACHE_DEFAULT}
mkdir -p "$cache"; cache=$(cd "$cache" && pwd)
GO_CONTROL_PLANE=github.com/envoyproxy/go-control-plane/envoy
suite=sigs.k8s.io/gateway-api/conformance
out="$cache/conformance/gateway-api-${GATEWAY_API_VERSION#v}-echo-${ISTIO_VERSION##*-}"
bin="$out/bin" images="$out/images"
mod="$cache/build/gateway-api-conformance-$GATEWAY_API_VERSION"

# suite_module: its go.mod names the rest of Gateway API by a directory, which a module of ours cannot
suite_module() {
  proxy_module "$mod" "$suite" "$GATEWAY_API_VERSION"
  sed -i "s,sigs.k8s.io/gateway-api v0.0.0-.*,sigs.k8s.io/gateway-api $GATEWAY_API_VERSION," "$mod/go.mod"
}

build_suite() {
  if [ -x "$bin/conformance.test" ]; then return 0; fi
  say 'building conformance.test'
  (cd "$mod" && GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0 \
     go test -c -mod=mod -trimpath -p "$BUILD_JOBS" -ldflags '-s -w' -o "$bin/conformance.test.tmp" "$suite")
  mv "$bin/conformance.test.tmp" "$bin/conformance.test"
}

# image NAME ARGS...: an archive that containerd imports under NAME
image() {
  local name=$1 file; shift
  file="$images/$(basename "${name%:*}")-${name##*:}.tar"
  [ -s "$file" ] || python3 "$here/../../../../images/image.py" --out "$file" --name "$name" "$@"
}

build_all() {
  mkdir -p "$bin" "$images" "$out/crds" "$out/pki"
  suite_module
  build_suite
  go_build "$mod" "$bin/echo-basic" "$suite/echo-basic" '-s -w'
  local echo="$cache/build/istio-echo-$ISTIO_VERSION" b dir
  proxy_module "$echo" istio.io/istio "$ISTIO_VERSION"
  # the proxy has no unreleased versions of these two
  (cd "$echo" && GOFLAGS=-mod=mod go mod edit -replace "$GO_CONTROL_PLANE=$GO_CONTROL_PLANE@v1.37.0" -replace istio.io/api=istio.io/api@v1.31.1)
  for b in server client; do go_build "$echo" "$bin/$b" "istio.io/istio/pkg/test/echo/cmd/$b" '-s -w'; done

  # the cluster's own DNS server, and what the suite's has besides: it is deployed whatever is tested
  local dns="$cache/build/coredns-whoami-$COREDNS_VERSION" plugin=github.com/coredns/coredns/plugin
  proxy_module "$dns" github.com/coredns/coredns "$COREDNS_VERSION"
  sed "s|^\t_ \"$plugin/template\"|&\n\t_ \"$plugin/whoami\"|; s|\"forward\"|\"whoami\", &|" \
    "$here/../cluster/coredns-main.go.txt" > "$dns/main.go"
  go_build "$dns" "$bin/coredns" . '-s -w'

  dir=$(go_module_dir sigs.k8s.io/gateway-api "$GATEWAY_API_VERSION")
  rm -f "$out"/crds/*
  install -m 644 "$dir"/config/crd/experimental/gateway.networking.*.yaml "$out/crds/"

  # whatever tags the suite's manifests name
  dir=$(go_module_dir "$suite" "$GATEWAY_API_VERSION")
  pki_ca "$out/pki" ca echo-ca
  pki_cert "$out/pki" ca echo /CN=echo DNS:echo
  for b in $(grep -rhoE 'registry\.k8s\.io/[a-z/-]+:[^ "]+' "$dir" --include='*.yaml' | sort -u); do
    case $b in
      *coredns:*) image "$b" --add "$bin/coredns:/coredns:755" --entrypoint /coredns;;
      *echo-basic:*) image "$b" --add "$bin/echo-basic:/echo-basic:755" --user 65532:65532 --entrypoint /echo-basic;;
      *echo-advanced:*) image "$b" --add "$bin/server:/usr/local/bin/server:755" --add "$bin/client:/usr/local/bin/client:755" \
           --add "$out/pki/echo.crt:/cert.crt:644" --add "$out/pki/echo.key:/cert.key:644" \
           --env PATH=/usr/local/bin --user 1338:1338 --entrypoint /usr/local/bin/server;;
      *) die "the suite wants image $b, which nothing here can make";;
    esac
  done
}

take_lock "$cache/conformance"
if ! [ -e "$out/complete" ]; then build_all; touch "$out/complete"; fi
say "Gateway API conformance suite $GATEWAY_API_VERSION is in $out"
echo "$out"
