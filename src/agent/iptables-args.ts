import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { UsageError } from "../base/errors.ts";

export type Family = "ipv4" | "ipv6";

/** What `istio-iptables` redirects: flags and environment, read. */
export interface CaptureArgs {
  readonly mode: "REDIRECT" | "TPROXY";
  readonly proxyPort: number;
  readonly inboundCapturePort: number;
  readonly tunnelPort: number;
  /** Traffic of these users and groups is the proxy's own. */
  readonly proxyUids: readonly string[];
  readonly proxyGids: readonly string[];
  /** The proxy's sockets carry this mark, and tell its traffic instead of users and groups: for pods whose user is one of one. */
  readonly proxyMark: number | undefined;
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
  /** Groups whose outbound traffic is captured; "*": of all but `ownerGroupsExclude`. */
  readonly ownerGroups: "*" | readonly string[];
  readonly ownerGroupsExclude: readonly string[];
  /** Mark of packets that go to the proxy without change of address, and the routing table that keeps them here. */
  readonly tproxyMark: number;
  readonly tproxyTable: number;
  /** Destinations on loopback that mean the application: IPv4 alone, IPv6 has one address. */
  readonly loopback: string;
  /** Whose queries go to the agent: those to these resolvers, or "*" for all; undefined for none. */
  readonly dns: "*" | readonly string[] | undefined;
  /** Packets that belong to no connection are dropped, instead of answered by a reset. */
  readonly dropInvalid: boolean;
}

/** Flags by their names; booleans are "true" and "false". */
export type FlagValues = Readonly<Record<string, string | undefined>>;

/** One rule holds all groups, and the kernel limits how long a rule may be. */
const MAX_GROUPS = 64;
const OWN_PORTS = ["15090", "15021", "15020"];
/** Where the agent asks for certificates before there is a proxy; its own sockets cannot be marked. */
const CONTROL_PLANE_PORT = "15012";

/** Flags of `mesh-agent istio-iptables`, checked. `resolvers` are the host's. Throws UsageError that names flag and value. */
export function captureArgs(values: FlagValues, resolvers: readonly string[] = []): CaptureArgs {
  const uids = list(values["proxy-uid"] ?? "1337");
  const mark = orElse(values["proxy-mark"], "");
  const passing = list(values["istio-local-outbound-ports-exclude"]);
  return {
    mode: mode(values["istio-inbound-interception-mode"], mark !== ""),
    proxyPort: port("envoy-port", values["envoy-port"] ?? "15001"),
    inboundCapturePort: port("inbound-capture-port", values["inbound-capture-port"] ?? "15006"),
    tunnelPort: port("inbound-tunnel-port", values["inbound-tunnel-port"] ?? "15008"),
    proxyUids: names("proxy-uid", uids),
    proxyGids: names("proxy-gid", list(orElse(values["proxy-gid"], uids.join(",")))),
    proxyMark: mark === "" ? undefined : number("proxy-mark", mark, 0xffff_ffff),
    inboundPorts: star(values["istio-inbound-ports"], (items) => ports("istio-inbound-ports", items)),
    inboundPortsExclude: ports("istio-local-exclude-ports", [
      ...new Set([...list(values["istio-local-exclude-ports"]), ...OWN_PORTS]),
    ]),
    outboundPorts: ports("istio-outbound-ports", list(values["istio-outbound-ports"])),
    outboundPortsExclude: ports(
      "istio-local-outbound-ports-exclude",
      mark === "" ? passing : [...new Set([...passing, CONTROL_PLANE_PORT])],
    ),
    outboundRanges: star(values["istio-service-cidr"], (items) => cidrs("istio-service-cidr", items)),
    outboundRangesExclude: cidrs("istio-service-exclude-cidr", list(values["istio-service-exclude-cidr"])),
    virtualInterfaces: names("kube-virt-interfaces", list(values["kube-virt-interfaces"])),
    excludeInterfaces: names("istio-exclude-interfaces", list(values["istio-exclude-interfaces"])),
    ownerGroups: star(orElse(values[GROUPS], "*"), (items) => groups(items)),
    ownerGroupsExclude: names(GROUPS_EXCLUDE, list(values[GROUPS_EXCLUDE]), ""),
    tproxyMark: number("istio-inbound-tproxy-mark", orElse(values["istio-inbound-tproxy-mark"], "1337"), 0xffff_ffff),
    tproxyTable: number(
      "istio-inbound-tproxy-route-table",
      orElse(values["istio-inbound-tproxy-route-table"], "133"),
      0xffff_ffff,
    ),
    loopback: loopback(orElse(values[LOOPBACK], "127.0.0.1/32")),
    dns: values["redirect-dns"] !== "true" ? undefined : values["capture-all-dns"] === "true" ? "*" : resolvers,
    dropInvalid: values["drop-invalid"] === "true",
  };
}

/** Variables that have no flag. */
export const GROUPS = "ISTIO_OUTBOUND_OWNER_GROUPS";
export const GROUPS_EXCLUDE = "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE";
export const LOOPBACK = "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR";

/** The family of an address or range. */
export function familyOf(range: string): Family {
  return isIP(range.split("/")[0] ?? "") === 6 ? "ipv6" : "ipv4";
}

/** A whole number from 1 to `most`. Throws UsageError that names the flag. */
export function number(flag: string, value: string, most: number): number {
  const read = /^(\d+|0x[0-9a-f]+)$/i.test(value) ? Number(value) : Number.NaN;
  if (read > 0 && read <= most) return read;
  throw new UsageError(`--${flag}: expected a number from 1 to ${most}, got ${value}`);
}

/** A port. Throws UsageError that names the flag. */
export function port(flag: string, value: string): number {
  const read = Number(value);
  if (Number.isInteger(read) && read > 0 && read < 65536) return read;
  throw new UsageError(`--${flag}: expected a port, got ${value}`);
}

/** A socket has one mark: where that says whose it is, it cannot say as well that it comes from the client's own address. */
function mode(value: string | undefined, marked: boolean): CaptureArgs["mode"] {
  const read = orElse(value, "REDIRECT");
  if (read === "REDIRECT" || read === "TPROXY") return marked ? "REDIRECT" : read;
  throw new UsageError(`--istio-inbound-interception-mode: expected REDIRECT or TPROXY, got ${read}`);
}

function orElse(value: string | undefined, fallback: string): string {
  return value === undefined || value === "" ? fallback : value;
}

function list(value: string | undefined): readonly string[] {
  return (value ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function star<T>(value: string | undefined, read: (items: readonly string[]) => readonly T[]): "*" | readonly T[] {
  const items = list(value);
  return items.includes("*") ? "*" : read(items);
}

function ports(flag: string, items: readonly string[]): readonly number[] {
  return items.map((item) => port(flag, item));
}

function groups(items: readonly string[]): readonly string[] {
  if (items.length > MAX_GROUPS)
    throw new UsageError(`${GROUPS}: expected at most ${MAX_GROUPS} groups, got ${items.length}`);
  return names(GROUPS, items, "");
}

/** Names of users, groups and interfaces reach a root shell's tool: only plain ids and names pass. */
function names(flag: string, items: readonly string[], dashes = "--"): readonly string[] {
  for (const item of items) {
    if (!/^[A-Za-z0-9_.+@-]+$/.test(item) || item.startsWith("-"))
      throw new UsageError(`${dashes}${flag}: expected a name or number, got ${item}`);
  }
  return items;
}

/** As iptables prints them: without the bits of the host, IPv6 in its short form. */
function cidrs(flag: string, items: readonly string[]): readonly string[] {
  return items.map((item) => {
    if (!isCidr(item)) throw new UsageError(`--${flag}: expected a CIDR such as 10.0.0.0/8, got ${item}`);
    const [address = "", bits] = item.split("/");
    if (bits === undefined) return ipaddr.parse(address).toString();
    const network = (isIP(address) === 6 ? ipaddr.IPv6 : ipaddr.IPv4).networkAddressFromCIDR(item);
    return `${network.toString()}/${bits}`;
  });
}

function isCidr(item: string): boolean {
  const [address = "", bits, ...rest] = item.split("/");
  const version = isIP(address);
  const width = bits === undefined ? 0 : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  return version !== 0 && rest.length === 0 && width >= 0 && width <= (version === 6 ? 128 : 32);
}

function loopback(value: string): string {
  const [address = "", bits = "32"] = value.split("/");
  if (isCidr(value) && isIP(address) === 4 && address.startsWith("127.") && Number(bits) >= 8)
    return `${address}/${bits}`;
  throw new UsageError(`${LOOPBACK}: expected an IPv4 range of loopback such as 127.0.0.1/32, got ${value}`);
}
