import { type CaptureArgs, type Family, familyOf } from "./iptables-args.ts";

export type TableName = "raw" | "mangle" | "nat";

/**
 * One table's part of the capture rules. All rules stand in chains of our own, the built-in chains only hold jumps to them: so
 * taking away the jumps and the chains takes away exactly what is ours.
 */
export interface TableRules {
  readonly table: TableName;
  readonly chains: readonly string[];
  /** `-A CHAIN …`, in order: the first match wins. */
  readonly rules: readonly string[];
  /** `-A PREROUTING … -j ISTIO_…` */
  readonly jumps: readonly string[];
}

/** Tables in the order that a packet meets them. */
export type RuleSet = readonly TableRules[];

/** The loopback addresses that matter: the app's own, and the source address of inbound connections to the app. */
const SELF_V6 = "::1/128";
const INBOUND: Readonly<Record<Family, string>> = { ipv4: "127.0.0.6/32", ipv6: "::6/128" };
const AGENT_DNS_PORT = 15053;
const DNS_PORT = 53;
/** Of connections that the proxy opens to its own pod by the pod's address: they are inbound all the same. */
const OUTBOUND_MARK = 1338;

const OUT = "-A ISTIO_OUTPUT";
const IN = "-A ISTIO_INBOUND";
const OUT_DNS = "-A ISTIO_OUTPUT_DNS";

/**
 * The rules that send a pod's traffic through its proxy, for one address family (reference/control-plane.md 7.5 names each
 * step). Tables without rules are left out.
 */
export function buildRules(args: CaptureArgs, family: Family): RuleSet {
  const tables = [rawTable(args, family), mangleTable(args, family), natTable(args, family)];
  return tables.filter(({ rules }) => rules.length > 0);
}

/** Whether packets of this family need the policy route of TPROXY. */
export function needsRoute(args: CaptureArgs): boolean {
  return args.mode === "TPROXY" && hasInbound(args);
}

function hasInbound({ inboundPorts }: CaptureArgs): boolean {
  return inboundPorts === "*" || inboundPorts.length > 0;
}

function natTable(args: CaptureArgs, family: Family): TableRules {
  const dns = dnsRedirects(args, family);
  const inbound = args.mode === "REDIRECT" ? inboundPorts(args, "ISTIO_IN_REDIRECT") : [];
  const virtual = virtualInterfaces(args, family);
  return {
    table: "nat",
    chains: [
      "ISTIO_INBOUND",
      "ISTIO_REDIRECT",
      "ISTIO_IN_REDIRECT",
      "ISTIO_OUTPUT",
      ...(dns.length > 0 ? ["ISTIO_OUTPUT_DNS"] : []),
    ],
    rules: [
      ...args.excludeInterfaces.flatMap((nic) => [`${IN} -i ${nic} -j RETURN`, `${OUT} -o ${nic} -j RETURN`]),
      ...virtual,
      `${IN} -p tcp --dport ${args.tunnelPort} -j RETURN`,
      `-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports ${args.proxyPort}`,
      `-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports ${args.inboundCapturePort}`,
      ...inbound,
      ...outboundRules(args, family, dns.length > 0),
      ...dns,
    ],
    jumps: [
      ...(inbound.length + virtual.length > 0 ? ["-A PREROUTING -p tcp -j ISTIO_INBOUND"] : []),
      "-A OUTPUT -j ISTIO_OUTPUT",
    ],
  };
}

/** Ports of the pod, excluded ones first. `extra` stands before each capture, for connections that are captured already. */
function inboundPorts(args: CaptureArgs, to: string, extra?: string): readonly string[] {
  const capture = (match: string): readonly string[] => [
    ...(extra === undefined ? [] : [`${IN} -p tcp${match} ${extra}`]),
    `${IN} -p tcp${match} -j ${to}`,
  ];
  if (args.inboundPorts !== "*") return args.inboundPorts.flatMap((value) => capture(` --dport ${value}`));
  return [...args.inboundPortsExclude.map((value) => `${IN} -p tcp --dport ${value} -j RETURN`), ...capture("")];
}

/** Traffic that a virtual machine sends through the pod's bridge counts as outbound, and what of it is not captured passes. */
function virtualInterfaces(args: CaptureArgs, family: Family): readonly string[] {
  return args.virtualInterfaces.flatMap((nic) => [
    ...captured(args, family).map((match) => `${IN} -i ${nic}${match} -j ISTIO_REDIRECT`),
    `${IN} -i ${nic} -j RETURN`,
  ]);
}

/** Matches of captured destinations. */
function captured({ outboundRanges }: CaptureArgs, family: Family): readonly string[] {
  return outboundRanges === "*" ? [""] : of(family, outboundRanges).map((range) => ` -d ${range}`);
}

function outboundRules(args: CaptureArgs, family: Family, capturesDns: boolean): readonly string[] {
  const self = family === "ipv4" ? args.loopback : SELF_V6;
  return [
    ...args.outboundPortsExclude.flatMap((value) => [
      `${OUT} -p tcp --dport ${value} -j RETURN`,
      `${OUT} -p udp --dport ${value} -j RETURN`,
    ]),
    `${OUT} -s ${INBOUND[family]} -o lo -j RETURN`,
    ...ownTraffic(args, self, capturesDns),
    ...ownerGroups(args),
    ...(capturesDns ? [`${OUT} -j ISTIO_OUTPUT_DNS`] : []),
    `${OUT} -d ${self} -j RETURN`,
    ...of(family, args.outboundRangesExclude).map((range) => `${OUT} -d ${range} -j RETURN`),
    ...args.outboundPorts.map((value) => `${OUT} -p tcp --dport ${value} -j ISTIO_REDIRECT`),
    ...captured(args, family).map((match) => `${OUT}${match} -j ISTIO_REDIRECT`),
  ];
}

/**
 * The proxy's own connections: to its own pod they are inbound ones (the application called itself by a service's name), all
 * others pass. An application that calls itself by an address of its pod is not captured, except where loopback is a captured
 * range. Queries to a resolver on loopback go on to the rules for DNS.
 */
function ownTraffic(args: CaptureArgs, self: string, capturesDns: boolean): readonly string[] {
  const ports = capturesDns ? `-m multiport ! --dports ${DNS_PORT},${args.tunnelPort}` : `! --dport ${args.tunnelPort}`;
  const others = capturesDns ? `-p tcp ! --dport ${DNS_PORT} ` : "";
  const wantsLoopback = args.outboundRanges !== "*" && args.outboundRanges.some(isLoopback);
  return ownersOf(args).flatMap(({ is, isNot }) => [
    `${OUT} ! -d ${self} -o lo -p tcp ${ports} ${is} -j ISTIO_IN_REDIRECT`,
    ...(wantsLoopback ? [] : [`${OUT} -o lo ${others}${isNot} -j RETURN`]),
    `${OUT} ${is} -j RETURN`,
  ]);
}

/** How the proxy's own packets are told from the application's. */
function ownersOf({ proxyMark, proxyUids, proxyGids }: CaptureArgs): readonly { is: string; isNot: string }[] {
  if (proxyMark !== undefined) {
    return [{ is: `-m mark --mark ${proxyMark}`, isNot: `-m mark ! --mark ${proxyMark}` }];
  }
  return [
    ...proxyUids.map((uid) => ({ is: `-m owner --uid-owner ${uid}`, isNot: `-m owner ! --uid-owner ${uid}` })),
    ...proxyGids.map((gid) => ({ is: `-m owner --gid-owner ${gid}`, isNot: `-m owner ! --gid-owner ${gid}` })),
  ];
}

function isLoopback(range: string): boolean {
  return range.startsWith("127.") || /^::1(\/|$)/.test(range);
}

function ownerGroups({ ownerGroups: groups, ownerGroupsExclude }: CaptureArgs): readonly string[] {
  if (groups === "*") return ownerGroupsExclude.map((group) => `${OUT} -m owner --gid-owner ${group} -j RETURN`);
  return [`${OUT} ${groups.map((group) => `-m owner ! --gid-owner ${group} `).join("")}-j RETURN`];
}

/** Matches of packets to (or from) the resolvers that are captured. */
function resolvers({ dns }: CaptureArgs, family: Family, side: "-d" | "-s"): readonly string[] {
  if (dns === undefined) return [];
  if (dns === "*") return [""];
  return of(family, dns).map((address) => ` ${side} ${address}/${family === "ipv4" ? 32 : 128}`);
}

function dnsRedirects(args: CaptureArgs, family: Family): readonly string[] {
  const to = `-j REDIRECT --to-ports ${AGENT_DNS_PORT}`;
  return ["tcp", "udp"].flatMap((protocol) =>
    resolvers(args, family, "-d").map((match) => `${OUT_DNS}${match} -p ${protocol} --dport ${DNS_PORT} ${to}`),
  );
}

/**
 * The agent asks upstream what the application asked it, perhaps from the same port: in one zone of connection tracking the two
 * would be one connection, and the answer would be lost. Application and agent are zone 2, agent and upstream zone 1.
 */
function rawTable(args: CaptureArgs, family: Family): TableRules {
  const [to, from] = [resolvers(args, family, "-d"), resolvers(args, family, "-s")];
  const empty = to.length === 0;
  return {
    table: "raw",
    chains: ["ISTIO_OUTPUT_DNS", "ISTIO_INBOUND"],
    rules: empty
      ? []
      : [
          ...ownersOf(args).flatMap(({ is: owner }) => [
            `${OUT_DNS} -p udp --dport ${DNS_PORT} ${owner} -j CT --zone 1`,
            `${OUT_DNS} -p udp --sport ${AGENT_DNS_PORT} ${owner} -j CT --zone 2`,
          ]),
          ...to.map((match) => `${OUT_DNS}${match} -p udp --dport ${DNS_PORT} -j CT --zone 2`),
          ...from.map((match) => `${IN}${match} -p udp --sport ${DNS_PORT} -j CT --zone 1`),
        ],
    jumps: ["-A OUTPUT -j ISTIO_OUTPUT_DNS", "-A PREROUTING -j ISTIO_INBOUND"],
  };
}

/** Packets that go to the proxy as they are (TPROXY), and those that belong to no connection. */
function mangleTable(args: CaptureArgs, family: Family): TableRules {
  const tproxy = needsRoute(args) ? tproxyRules(args, family) : [];
  const drops = args.dropInvalid;
  return {
    table: "mangle",
    chains: [
      ...(drops ? ["ISTIO_DROP"] : []),
      ...(tproxy.length > 0 ? ["ISTIO_INBOUND", "ISTIO_OUTPUT", "ISTIO_DIVERT", "ISTIO_TPROXY"] : []),
    ],
    rules: [...(drops ? ["-A ISTIO_DROP -j DROP"] : []), ...tproxy],
    jumps: [
      ...(drops ? ["-A PREROUTING -m conntrack --ctstate INVALID -j ISTIO_DROP"] : []),
      ...(tproxy.length > 0 ? ["-A PREROUTING -p tcp -j ISTIO_INBOUND", "-A OUTPUT -p tcp -j ISTIO_OUTPUT"] : []),
    ],
  };
}

/**
 * The mark keeps a packet here, by the policy route. It is the proxy's too: what the proxy sends to the application from the
 * client's own address carries it, the connection remembers it, and so the application's answers find back to the proxy.
 */
function tproxyRules(args: CaptureArgs, family: Family): readonly string[] {
  const self = family === "ipv4" ? args.loopback : SELF_V6;
  const mark = args.tproxyMark;
  return [
    `-A ISTIO_DIVERT -j MARK --set-mark ${mark}`,
    "-A ISTIO_DIVERT -j ACCEPT",
    `-A ISTIO_TPROXY ! -d ${self} -p tcp -j TPROXY --on-port ${args.inboundCapturePort} --tproxy-mark ${mark}/0xffffffff`,
    ...[...args.excludeInterfaces, ...args.virtualInterfaces].map((nic) => `${IN} -i ${nic} -j RETURN`),
    `${IN} -p tcp -m mark --mark ${mark} -j CONNMARK --save-mark`,
    `${IN} -p tcp -m mark --mark ${mark} -j RETURN`,
    `${IN} -s ${INBOUND[family]} -i lo -p tcp -j RETURN`,
    `${IN} -i lo -p tcp -m mark ! --mark ${OUTBOUND_MARK} -j RETURN`,
    `${IN} -p tcp --dport ${args.tunnelPort} -j RETURN`,
    ...inboundPorts(args, "ISTIO_TPROXY", "-m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT"),
    ...args.excludeInterfaces.map((nic) => `${OUT} -o ${nic} -j RETURN`),
    `${OUT} -o lo -p tcp -m mark --mark ${mark} -j RETURN`,
    ...ownersOf(args).map(({ is }) => `${OUT} ! -d ${self} -o lo -p tcp ${is} -j MARK --set-mark ${OUTBOUND_MARK}`),
    `${OUT} -p tcp -m connmark --mark ${mark} -j CONNMARK --restore-mark`,
  ];
}

function of(family: Family, ranges: readonly string[]): readonly string[] {
  return ranges.filter((range) => familyOf(range) === family);
}
