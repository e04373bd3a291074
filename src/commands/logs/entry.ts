import { type AccessLogRecord, accessLogDirection } from "../../base/access-log-line.ts";
import { responseFlagText } from "../../base/response-flags.ts";
import type { PodNames } from "./pod-names.ts";

/** The proxy that wrote a line. */
export interface LoggedBy {
  readonly namespace: string;
  readonly pod: string;
}

/** One request or connection, with who was at the other side: what `-o json` prints on a line. */
export interface LogEntry extends LoggedBy, AccessLogRecord {
  readonly direction?: "inbound" | "outbound";
  /** The other side: the service that was called, or the caller. */
  readonly peer?: string;
  /** Pod of the other side, as `name.namespace`, where its address tells. */
  readonly peerPod?: string;
  /** Each flag in words. */
  readonly flagTexts: readonly string[];
}

/** Joins a record with what is known of the addresses in it. */
export function entryOf(by: LoggedBy, record: AccessLogRecord, names: PodNames): LogEntry {
  const direction = accessLogDirection(record);
  const address = direction === "outbound" ? record.upstreamHost : withoutNoPort(record.remoteAddress);
  const pod = address === undefined ? undefined : names.at(address);
  const called = direction === "outbound" ? calledOf(record) : undefined;
  const peer = called ?? pod?.workload ?? record.peerPrincipal ?? address;
  return {
    ...by,
    ...(direction !== undefined && { direction }),
    ...(peer !== undefined && { peer }),
    ...(pod !== undefined && { peerPod: pod.name }),
    ...record,
    flagTexts: record.flags.map((flag) => responseFlagText(flag) ?? flag),
  };
}

/** A client that a gateway names (x-forwarded-for) has an address and port 0. */
function withoutNoPort(address: string | undefined): string | undefined {
  return address?.replace(/:0$/, "");
}

/** Host and port of an outbound cluster's name; the name itself for others. */
function calledOf({ upstreamCluster, authority }: AccessLogRecord): string | undefined {
  const [, port, subset, host] = upstreamCluster?.split("|") ?? [];
  if (host === undefined) return upstreamCluster ?? authority;
  return `${host}:${port ?? ""}${subset === undefined || subset === "" ? "" : ` (${subset})`}`;
}
