import type { Colours } from "../../report/colours.ts";
import type { LogEntry } from "./entry.ts";

/** One line for people; `withPod`: whose proxy it was is not the same on every line. */
export function entryText(entry: LogEntry, withPod: boolean, colours: Colours): string {
  const { direction, peer, pod, peerPod, startTime } = entry;
  const parts = [
    colours.dim(startTime?.replace(/^.*T/, "") ?? "-"),
    ...(withPod ? [pod] : []),
    direction === "inbound" ? "from" : direction === "outbound" ? "to" : "?",
    colours.bold(peer ?? "-"),
    ...(direction === "outbound" && peerPod !== undefined ? [colours.dim(`at ${peerPod}`)] : []),
    ...requestParts(entry),
    ...outcomeParts(entry, colours),
    ...(entry.duration === undefined ? [] : [`${entry.duration} ms`]),
  ];
  const reason = reasonOf(entry);
  return `${parts.join(" ")}${reason === "" ? "" : ` ${colours.yellow(reason)}`}\n`;
}

function requestParts({ method, path, bytesReceived, bytesSent }: LogEntry): readonly string[] {
  if (method !== undefined) return [method, path ?? "-"];
  return [`TCP ${bytesReceived ?? 0} bytes in, ${bytesSent ?? 0} out`];
}

function outcome({ status, flags, grpcStatus, method }: LogEntry): string {
  // a connection has no status
  const code = status === undefined || (status === 0 && method === undefined) ? [] : [String(status)];
  return [...code, ...(grpcStatus === undefined ? [] : [`grpc ${grpcStatus}`]), ...flags].join(" ");
}

function outcomeParts(entry: LogEntry, colours: Colours): readonly string[] {
  const words = outcome(entry);
  return words === "" ? [] : [coloured(entry, colours)(words)];
}

function coloured({ status = 0, flags, method }: LogEntry, colours: Colours): (words: string) => string {
  if (status >= 500 || (flags.length > 0 && (method === undefined || status === 0))) return colours.redBright;
  if (status >= 400) return colours.yellow;
  return status === 0 ? colours.plain : colours.green;
}

/** What it means, and what Envoy says about it; nothing of a request that went well. */
function reasonOf({
  flagTexts,
  details,
  terminationDetails,
  transportFailure,
  downstreamTransportFailure,
}: LogEntry): string {
  const words = [
    flagTexts.join(", "),
    details === "via_upstream" ? undefined : details,
    terminationDetails,
    transportFailure,
    downstreamTransportFailure,
  ].filter((part) => part !== undefined && part !== "");
  return words.length === 0 ? "" : `(${words.join("; ")})`;
}
