import { once } from "../../base/once.ts";
import type { MetricChanges } from "../../ir/telemetry.ts";
import { AGENT_LOGGER, agentLoggers, isCountedByAgent, LIVE_BYTES } from "../agent-counts.ts";
import type { AccessLog } from "../types.ts";
import { perChanges } from "../metric-changes.ts";
import type { AccessLogger } from "./types.ts";

/** Bytes of connections that stay open, every few seconds and at their end. */
export const liveBytes: AccessLogger = {
  name: AGENT_LOGGER,
  protocol: "tcp",
  appliesTo: (chain) => chain.telemetry?.metrics !== "none" && isCountedByAgent(chain),
  loggers: (chain) =>
    chain.direction === "inbound" ? agentLoggers(LIVE_BYTES, chain) : ofClient(chain.telemetry?.metrics),
};

const CLIENT = { direction: "outbound", mutualTls: false, service: undefined } as const;

/** A client's loggers are the same on every listener: nothing in them is known before the connection. */
const source = once(() => agentLoggers(LIVE_BYTES, CLIENT));
const changed = perChanges((metrics) => agentLoggers(LIVE_BYTES, { ...CLIENT, telemetry: { metrics } }));

function ofClient(metrics: MetricChanges | undefined): readonly AccessLog[] {
  return metrics === undefined ? source() : changed(metrics);
}
