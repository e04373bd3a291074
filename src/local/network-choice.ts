import { errorText } from "../base/errors.ts";
import type { NetworkKind } from "./network-kind.ts";
import { runProgram } from "./node/run.ts";
import { findTool } from "./tools.ts";
import { NETNS_FLAGS, USERNS_FLAGS } from "./unshare.ts";

/** Which network the node gets, and why not a better one. */
export interface NetworkChoice {
  readonly network: NetworkKind;
  /** Undefined for the best. */
  readonly reason: string | undefined;
}

export interface ChoiceFacts {
  readonly uid: number | undefined;
  readonly path: string | undefined;
  /** Folders that must stay visible: a node in namespaces has a /run of its own. */
  readonly folders: readonly string[];
}

const TOOLS = ["unshare", "nsenter", "setpriv", "ip", "iptables", "iptables-restore", "mount", "mkfifo"];

/** Everything a node does to the kernel, once, in namespaces that end with it. `$1`: how the proxy's packets are told apart. */
const REHEARSAL = `
set -e
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
ip link set lo up
ip link add meshctl-a type veth peer name meshctl-b
echo 1 > /proc/sys/net/ipv4/ip_forward
iptables-restore --noflush <<X
*nat
-A OUTPUT -p tcp -d 192.0.2.1/32 --dport 80 -m statistic --mode random --probability 0.5 -j DNAT --to-destination 192.0.2.2:80
-A OUTPUT -p tcp -m $1 -j RETURN
-A OUTPUT -p tcp -j REDIRECT --to-ports 15001
-A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE
-A INPUT -s 192.0.2.1/32 -j SNAT --to-source 127.0.0.1
COMMIT
*filter
-A OUTPUT -d 192.0.2.3/32 -p tcp -j REJECT
COMMIT
X
`;

/** A pod's place inside the user namespace, and the user of its programs. */
const REHEARSAL_OF_POD = `
unshare --net --mount --propagation private sh -ec '
mount --bind /etc/hosts /etc/hosts
ip link add eth0 type veth peer name meshctl-c netns 1
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
unshare --user --map-user=1000 --map-group=1000 -- true'
`;

/** The best network that this user, machine and kernel allow: tried, not guessed. */
export async function chooseNetwork(facts: ChoiceFacts): Promise<NetworkChoice> {
  const netns = await refusal("netns", facts);
  if (netns === undefined) return { network: "netns", reason: undefined };
  const userns = await refusal("userns", facts);
  if (userns === undefined) return { network: "userns", reason: netns };
  return {
    network: "loopback",
    reason: netns === userns ? netns : `${netns}; a user namespace: ${userns}`,
  };
}

/** Why this kind of network cannot be had, in words for people; undefined when it can. */
export async function refusal(network: NetworkKind, { uid, path, folders }: ChoiceFacts): Promise<string | undefined> {
  if (network === "loopback") return undefined;
  if (network === "netns" && uid !== 0) return "network namespaces need root";
  const missing = TOOLS.filter((tool) => findTool(tool, path) === undefined);
  if (missing.length > 0) return `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not installed`;
  const hidden = folders.find((folder) => folder.startsWith("/run/"));
  if (hidden !== undefined) return `${hidden} lies below /run, which the node replaces`;
  const unshare = findTool("unshare", path) ?? "unshare";
  const rehearsal =
    network === "netns"
      ? [...NETNS_FLAGS, "sh", "-ec", REHEARSAL, "sh", "owner --uid-owner 1337"]
      : [...USERNS_FLAGS, "sh", "-ec", REHEARSAL + REHEARSAL_OF_POD, "sh", "mark --mark 1337"];
  try {
    await runProgram(unshare, rehearsal, "", { PATH: `${path ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin` });
    return undefined;
  } catch (error) {
    return `this kernel refuses what the node needs (${lastWords(errorText(error))})`;
  }
}

/** What the last program said, without the command line that runProgram puts before it. */
function lastWords(text: string): string {
  const line = text.trim().split("\n").at(-1) ?? "";
  return line.replace(/^.* ended with (\d+|a signal): /, "");
}
