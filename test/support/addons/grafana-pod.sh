#!/bin/sh
# Grafana as a container of the local node, for `meshctl up --map IMAGE="grafana-pod.sh PROGRAM HOME"`. A container's root is its working
# directory there, not `/`: what the addon's manifests put below `/etc` and `/var` is read from below it.
set -eu
program=$1; home=$2
root=$PWD
work=$root/tmp/grafana
mkdir -p "$work/provisioning" "$work/data" "$work/logs" "$work/plugins"
cp -RL "$root/etc/grafana/provisioning/." "$work/provisioning/"
for file in "$work"/provisioning/*/*.yaml; do
  sed "s#/etc/grafana/dashboards#$root/etc/grafana/dashboards#" "$file" > "$work/one"
  cat "$work/one" > "$file"
done
export GF_PATHS_PROVISIONING="$work/provisioning" GF_PATHS_DATA="$work/data" GF_PATHS_LOGS="$work/logs" GF_PATHS_PLUGINS="$work/plugins"
# a page for browsers is not built
unset GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH
export GF_SERVER_HTTP_ADDR="${BIND_ADDRESS:-0.0.0.0}"
exec "$program" server --homepath "$home"
