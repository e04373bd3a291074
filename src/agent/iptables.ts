import { isIP } from "node:net";
import { UsageError } from "../base/errors.ts";

export type Family = "ipv4" | "ipv6";

/** What `istio-iptables` redirects: the arguments that the injection template writes, read. */
export interface CaptureArgs {
  readonly proxyPort: number;
  readonly inboundCapturePort: number;
  readonly tunnelPort: number;
  /** Traffic of these users and groups is the proxy's own. */
  readonly proxyUids: readonly string[];
  readonly proxyGids: readonly string[];
  /** "*" or a list. */
  readonly inboundPorts: "*" | readonly number[];
  readonly inboundPortsExclude: readonly number[];
  readonly outboundPorts: readonly number[];
  readonly outboundPortsExclude: readonly number[];
  /** "*" or a list of CIDRs, both families mixed. */
  readonly outboundRanges: "*" | readonly string[];
  readonly outboundRangesExclude: readonly string[];
  /** Interfaces whose traffic is treated as outbound (virtual machines behind a bridge). */
  readonly virtualInterfaces: readonly string[];
  readonly excludeInterfaces: readonly string[];
}

/** One table's chains and rules, in the order of `iptables-restore`; `jumps` stand in built-in chains. */
export interface RuleSet {
  readonly chains: readonly string[];
  readonly rules: readonly string[];
  readonly jumps: readonly Jump[];
}

export interface Jump {
  readonly chain: "PREROUTING" | "OUTPUT";
  /** Inserted at this place instead of appended. */
  readonly at?: number;
  readonly rule: string;
}

const CHAINS = ["ISTIO_INBOUND", "ISTIO_REDIRECT", "ISTIO_IN_REDIRECT", "ISTIO_OUTPUT"] as const;

/** The loopback addresses that matter: the app's own, and the source address of inbound connections to the app. */
const LOOPBACK: Readonly<Record<Family, { self: string; inbound: string }>> = {
  ipv4: { self: "127.0.0.1/32", inbound: "127.0.0.6/32" },
  ipv6: { self: "::1/128", inbound: "::6/128" },
};

/**
 * Rules of table nat that send a pod's traffic through its proxy, for one address family. The order matters: the first
 * match wins (reference/control-plane.md 7.5 names each step).
 */
export function buildRules(args: CaptureArgs, family: Family): RuleSet {
  const inbound = inboundRules(args);
  return {
    chains: CHAINS,
    rules: [
      ...args.excludeInterfaces.flatMap((nic) => [
        `-A ISTIO_INBOUND -i ${nic} -j RETURN`,
        `-A ISTIO_OUTPUT -o ${nic} -j RETURN`,
      ]),
      `-A ISTIO_INBOUND -p tcp --dport ${args.tunnelPort} -j RETURN`,
      `-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports ${args.proxyPort}`,
      `-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports ${args.inboundCapturePort}`,
      ...inbound,
      ...outboundRules(args, family),
    ],
    jumps: [
      ...args.virtualInterfaces.flatMap((nic) => virtualInterfaceJumps(args, family, nic)),
      ...(inbound.length > 0 ? [jump("PREROUTING", "-p tcp -j ISTIO_INBOUND")] : []),
      jump("OUTPUT", "-j ISTIO_OUTPUT"),
    ],
  };
}

/**
 * One transaction for `iptables-restore --noflush` that leaves exactly `rules`, whatever an earlier run left.
 * `saved` is the output of `iptables-save -t nat`.
 */
export function applyScript(rules: RuleSet, saved: string): string {
  const lines = [
    ...removalLines(saved, rules.chains),
    ...rules.chains.map((chain) => `:${chain} - [0:0]`),
    ...rules.rules,
    ...rules.jumps.map((item) =>
      item.at === undefined ? `-A ${item.chain} ${item.rule}` : `-I ${item.chain} ${item.at} ${item.rule}`,
    ),
  ];
  // Declarations of chains come first in a restore file; the removal lines only name chains that exist.
  const [declarations, rest] = [
    lines.filter((line) => line.startsWith(":")),
    lines.filter((line) => !line.startsWith(":")),
  ];
  return restoreFile([...declarations, ...rest]);
}

/** The transaction that removes what an earlier run left; undefined when there is nothing. */
export function cleanScript(saved: string): string | undefined {
  const lines = removalLines(saved, []);
  return lines.length === 0 ? undefined : restoreFile(lines);
}

/** Flags of `mesh-agent istio-iptables`, checked. Throws UsageError that names flag and value. */
export function captureArgs(values: Readonly<Record<string, string | undefined>>): CaptureArgs {
  const uids = list(values["proxy-uid"] ?? "1337");
  return {
    proxyPort: port("envoy-port", values["envoy-port"] ?? "15001"),
    inboundCapturePort: port("inbound-capture-port", values["inbound-capture-port"] ?? "15006"),
    tunnelPort: port("inbound-tunnel-port", values["inbound-tunnel-port"] ?? "15008"),
    proxyUids: ids("proxy-uid", uids),
    proxyGids: ids("proxy-gid", list(values["proxy-gid"] ?? uids.join(","))),
    inboundPorts: star(values["istio-inbound-ports"], (items) => ports("istio-inbound-ports", items)),
    inboundPortsExclude: ports(
      "istio-local-exclude-ports",
      unique([...list(values["istio-local-exclude-ports"]), "15090", "15021", "15020"]),
    ),
    outboundPorts: ports("istio-outbound-ports", list(values["istio-outbound-ports"])),
    outboundPortsExclude: ports(
      "istio-local-outbound-ports-exclude",
      list(values["istio-local-outbound-ports-exclude"]),
    ),
    outboundRanges: star(values["istio-service-cidr"], (items) => cidrs("istio-service-cidr", items)),
    outboundRangesExclude: cidrs("istio-service-exclude-cidr", list(values["istio-service-exclude-cidr"])),
    virtualInterfaces: names("kube-virt-interfaces", list(values["kube-virt-interfaces"])),
    excludeInterfaces: names("istio-exclude-interfaces", list(values["istio-exclude-interfaces"])),
  };
}

function inboundRules(args: CaptureArgs): readonly string[] {
  if (args.inboundPorts !== "*") {
    return args.inboundPorts.map((value) => `-A ISTIO_INBOUND -p tcp --dport ${value} -j ISTIO_IN_REDIRECT`);
  }
  return [
    ...args.inboundPortsExclude.map((value) => `-A ISTIO_INBOUND -p tcp --dport ${value} -j RETURN`),
    "-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT",
  ];
}

function outboundRules(args: CaptureArgs, family: Family): readonly string[] {
  const { self, inbound } = LOOPBACK[family];
  const out = "-A ISTIO_OUTPUT";
  const owners = [
    ...args.proxyUids.map((uid) => ({ is: `-m owner --uid-owner ${uid}`, isNot: `-m owner ! --uid-owner ${uid}` })),
    ...args.proxyGids.map((gid) => ({ is: `-m owner --gid-owner ${gid}`, isNot: `-m owner ! --gid-owner ${gid}` })),
  ];
  const mine = (ranges: readonly string[]) => ranges.filter((range) => familyOf(range) === family);
  return [
    ...args.outboundPortsExclude.flatMap((value) => [
      `${out} -p tcp --dport ${value} -j RETURN`,
      `${out} -p udp --dport ${value} -j RETURN`,
    ]),
    `${out} -s ${inbound} -o lo -j RETURN`,
    ...owners.flatMap((owner) => [
      `${out} ! -d ${self} -o lo -p tcp ! --dport ${args.tunnelPort} ${owner.is} -j ISTIO_IN_REDIRECT`,
      `${out} -o lo ${owner.isNot} -j RETURN`,
      `${out} ${owner.is} -j RETURN`,
    ]),
    `${out} -d ${self} -j RETURN`,
    ...mine(args.outboundRangesExclude).map((range) => `${out} -d ${range} -j RETURN`),
    ...args.outboundPorts.map((value) => `${out} -p tcp --dport ${value} -j ISTIO_REDIRECT`),
    ...(args.outboundRanges === "*"
      ? [`${out} -j ISTIO_REDIRECT`]
      : mine(args.outboundRanges).map((range) => `${out} -d ${range} -j ISTIO_REDIRECT`)),
  ];
}

/** Traffic that a virtual machine sends through the pod's bridge counts as outbound. */
function virtualInterfaceJumps(args: CaptureArgs, family: Family, nic: string): readonly Jump[] {
  if (args.outboundRanges === "*") return [{ ...jump("PREROUTING", `-i ${nic} -j ISTIO_REDIRECT`), at: 1 }];
  return args.outboundRanges
    .filter((range) => familyOf(range) === family)
    .map((range) => ({ ...jump("PREROUTING", `-i ${nic} -d ${range} -j ISTIO_REDIRECT`), at: 1 }));
}

function jump(chain: Jump["chain"], rule: string): Jump {
  return { chain, rule };
}

/**
 * Lines that take away our jumps and chains as `iptables-save` shows them. Chains of `keep` are only emptied (their
 * declaration does it), the others are deleted.
 */
function removalLines(saved: string, keep: readonly string[]): readonly string[] {
  const lines = saved.split("\n");
  const chains = lines.flatMap((line) => /^:(ISTIO_\S+) /.exec(line)?.[1] ?? []);
  const jumps = lines.filter((line) => /^-A (PREROUTING|OUTPUT) /.test(line) && / -j ISTIO_\S+/.test(line));
  const gone = chains.filter((chain) => !keep.includes(chain));
  return [
    ...jumps.map((line) => line.replace(/^-A/, "-D").trimEnd()),
    ...gone.map((chain) => `-F ${chain}`),
    ...gone.map((chain) => `-X ${chain}`),
  ];
}

function restoreFile(lines: readonly string[]): string {
  return ["*nat", ...lines, "COMMIT", ""].join("\n");
}

function familyOf(range: string): Family {
  return isIP(range.split("/")[0] ?? "") === 6 ? "ipv6" : "ipv4";
}

function list(value: string | undefined): readonly string[] {
  return (value ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}

function star<T>(value: string | undefined, read: (items: readonly string[]) => readonly T[]): "*" | readonly T[] {
  const items = list(value);
  return items.includes("*") ? "*" : read(items);
}

function port(flag: string, value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0 && number < 65536) return number;
  throw new UsageError(`--${flag}: expected a port, got ${value}`);
}

function ports(flag: string, items: readonly string[]): readonly number[] {
  return items.map((item) => port(flag, item));
}

/** User and group names reach a root shell's tool: only plain ids and names pass. */
function ids(flag: string, items: readonly string[]): readonly string[] {
  return names(flag, items);
}

function names(flag: string, items: readonly string[]): readonly string[] {
  for (const item of items) {
    if (!/^[A-Za-z0-9_.+@-]+$/.test(item) || item.startsWith("-")) {
      throw new UsageError(`--${flag}: expected a name or number, got ${item}`);
    }
  }
  return items;
}

function cidrs(flag: string, items: readonly string[]): readonly string[] {
  for (const item of items) {
    const [address = "", bits, ...rest] = item.split("/");
    const version = isIP(address);
    const width = bits === undefined ? 0 : Number(bits);
    const wide = version === 6 ? 128 : 32;
    if (version === 0 || rest.length > 0 || !Number.isInteger(width) || width < 0 || width > wide) {
      throw new UsageError(`--${flag}: expected a CIDR such as 10.0.0.0/8, got ${item}`);
    }
  }
  return items;
}
