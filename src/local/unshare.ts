import { join } from "node:path";
import { packageRoot } from "./package-root.ts";

/** Namespaces of a node, for `unshare`: they end, and all in them, with their first process, and that with unshare. */
export const NETNS_FLAGS: readonly string[] = [
  "--net",
  "--mount",
  "--propagation",
  "private",
  "--pid",
  "--fork",
  "--kill-child",
];

/** The same inside a user namespace in which the user who starts it is root. */
export const USERNS_FLAGS: readonly string[] = ["--user", "--map-root-user", ...NETNS_FLAGS];

/** The command that runs a node; its configuration comes over IPC. */
export function nodeCommand(): readonly [string, ...string[]] {
  return [process.execPath, "--max-old-space-size=1024", join(packageRoot(), "bin", "meshctl.js"), "local-node"];
}

/** Runs the node's command with the standard input of the shell, and ends with it. IPC is file descriptor 3. */
const RUN_NODE = `
exec 4<&- 5<&0
"$@" <&5 5<&- &
exec 3<&- 5<&-
wait $!
`;

/** First process of the machine's namespaces: makes the one link to the machine (its network is file descriptor 4), runs the node. */
export const NETNS_INIT = `
set -e
link=$1 host=$2 node=$3 pods=$4 services=$5
shift 5
machine() { nsenter --net=/proc/self/fd/4 "$@"; }
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
machine ip link add "$link" type veth peer name eth0 netns 1
machine ip addr add "$host/30" dev "$link"
machine ip link set "$link" up
ip addr add "$node/30" dev eth0
ip link set eth0 up
machine ip route add "$pods" via "$node"
machine ip route add "$services" via "$node"
ip route add "$services" dev lo src "$node"
echo 1 > /proc/sys/net/ipv4/ip_forward
${RUN_NODE}`;

/** First process of a user namespace: no link leads out of it, so the node's address is on loopback. */
export const USERNS_INIT = `
set -e
node=$1 services=$2
shift 2
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
ip addr add "$node/32" dev lo
ip route add "$services" dev lo src "$node"
echo 1 > /proc/sys/net/ipv4/ip_forward
${RUN_NODE}`;
