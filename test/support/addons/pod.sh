#!/bin/sh
# Jaeger or a collector as a container of the local node, for `meshctl up --map IMAGE="pod.sh PROGRAM"`. A container's root is its
# working directory there, not `/`: its configuration is read from below it, with the pod's own address.
set -eu
program=$1; shift
root=$PWD
for word in "$@"; do
  shift
  case $word in
    --config=/*)
      file=$root/tmp/$(basename "${word#--config=}")
      mkdir -p "$root/tmp"
      sed "s#0\.0\.0\.0#${BIND_ADDRESS:-0.0.0.0}#g; s/health_check/healthcheckv2/" "$root${word#--config=}" > "$file"
      word=--config=$file
      ;;
  esac
  set -- "$@" "$word"
done
exec "$program" "$@"
