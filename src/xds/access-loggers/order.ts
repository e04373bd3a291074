import type { AccessLog, ChainContext } from "../types.ts";
import { audit } from "./audit.ts";
import { file } from "./file.ts";
import { grpcAls } from "./grpc-als.ts";
import { grpcMessages } from "./grpc-messages.ts";
import { liveBytes } from "./live-bytes.ts";
import { metricsHttp } from "./metrics-http.ts";
import { metricsTcp } from "./metrics-tcp.ts";
import { otel } from "./otel.ts";
import type { AccessLogger } from "./types.ts";

type Filter = NonNullable<AccessLog["filter"]>;

/** The access loggers, in the order in which Envoy calls them, each with the reason for its place. */
export const ACCESS_LOGGERS: readonly AccessLogger[] = [
  metricsHttp, // metrics first: they must count even when a file's disk is full
  metricsTcp, // never beside metricsHttp: it takes TCP records only
  grpcMessages, // beside metricsHttp: what it cannot count
  liveBytes, // beside metricsTcp: what it leaves to the agent
  audit, // before what people read: it must be written even when that disk is full
  otel, // what is sent away, before a file whose disk may be full
  grpcAls, // beside it: the other service for records
  file, // last: what people read, after everything that was counted
];

/** The access log entries of one chain. */
export function accessLogs(chain: ChainContext, protocol: "http" | "tcp"): readonly AccessLog[] {
  return ACCESS_LOGGERS.filter(
    (logger) => (logger.protocol === protocol || logger.protocol === "both") && logger.appliesTo(chain),
  ).flatMap((logger) => {
    const entries = logger.loggers(chain, protocol);
    return protocol === "tcp" && logger.protocol === "both" ? entries.map(atTheEnd) : entries;
  });
}

const ENDED: Filter = { log_type_filter: { types: ["TcpConnectionEnd"] } };

/** Connections have records when they begin and while they last, which are for metrics alone. */
function atTheEnd(entry: AccessLog): AccessLog {
  const filter = entry.filter === undefined ? ENDED : { and_filter: { filters: [ENDED, entry.filter] } };
  return { ...entry, filter };
}
