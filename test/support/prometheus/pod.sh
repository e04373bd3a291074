#!/bin/sh
# Debian's Prometheus as a container of the local node, for `meshctl up --map prom/prometheus="pod.sh PROGRAM"`. A container's root is its
# working directory there, not `/`: paths get it in front. Pods are told by discovery.mjs, with the account that the pod has.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$1; shift
root=$PWD
settings=$root/tmp/settings
address=${BIND_ADDRESS:-0.0.0.0}
rm -rf "$settings"; mkdir -p "$settings"
cp "$root"/etc/prometheus/*.yaml "$settings"
sed "s#kubernetes_sd_configs:#http_sd_configs:#
s#^\( *\)- role: pod\$#\1- { url: 'http://$address:9099/', refresh_interval: 1s }#
s#localhost:9090#$address:9090#" "$root/etc/prometheus/prometheus.yml" > "$settings/prometheus.yml"
for word in "$@"; do
  shift
  case $word in
    --config.file=*) word=--config.file=$settings/prometheus.yml ;;
    --storage.tsdb.path=*) word=--storage.tsdb.path=$root${word#*=} ;;
    --web.listen-address=*) word=--web.listen-address=$address:9090 ;;
  esac
  set -- "$@" "$word"
done
# the node ends the whole group of a container's processes
node "$here/discovery.mjs" "$address" 9099 &
exec "$program" "$@"
