import { runProgram } from "./node/run.ts";
import { errorText } from "../base/errors.ts";
import { findTool } from "./tools.ts";

/** Which network the node gets, and why it is not the better one. */
export type NetworkChoice = { readonly network: "netns" } | { readonly network: "loopback"; readonly reason: string };

export interface ChoiceFacts {
  readonly uid: number | undefined;
  readonly path: string | undefined;
  /** Folders that must stay visible: a netns node has a /run of its own. */
  readonly folders: readonly string[];
}

const TOOLS = ["unshare", "nsenter", "setpriv", "ip", "iptables", "iptables-restore", "mount", "mkfifo"];

/** Everything a node does to the kernel, once, in namespaces that end with it. */
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
-A OUTPUT -p tcp -m owner --uid-owner 1337 -j RETURN
-A OUTPUT -p tcp -j REDIRECT --to-ports 15001
-A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE
-A INPUT -s 192.0.2.1/32 -j SNAT --to-source 127.0.0.1
COMMIT
*filter
-A OUTPUT -d 192.0.2.3/32 -p tcp -j REJECT
COMMIT
X
`;

/** Network namespaces when this user, machine and kernel allow them: tried, not guessed. */
export async function chooseNetwork({ uid, path, folders }: ChoiceFacts): Promise<NetworkChoice> {
  const loopback = (reason: string): NetworkChoice => ({ network: "loopback", reason });
  if (uid !== 0) return loopback("network namespaces need root");
  const missing = TOOLS.filter((tool) => findTool(tool, path) === undefined);
  if (missing.length > 0) return loopback(`${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not installed`);
  const hidden = folders.find((folder) => folder.startsWith("/run/"));
  if (hidden !== undefined) return loopback(`${hidden} lies below /run, which the node replaces`);
  const unshare = findTool("unshare", path) ?? "unshare";
  try {
    const namespaces = ["--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
    await runProgram(unshare, [...namespaces, "sh", "-ec", REHEARSAL]);
    return { network: "netns" };
  } catch (error) {
    return loopback(`this kernel refuses what the node needs (${lastLine(errorText(error))})`);
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
