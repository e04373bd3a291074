import { AGENT_LOGGER, agentLoggers, countedEveryMs, isCountedByAgent, type Told, toldBytes } from "../agent-counts.ts";
import { perTelemetry } from "../metric-changes.ts";
import type { MetricsContext } from "../metric-tags.ts";
import type { AccessLogger } from "./types.ts";

/** Bytes of connections that stay open, every few seconds and at their end. */
export const liveBytes: AccessLogger = {
  name: AGENT_LOGGER,
  protocol: "tcp",
  appliesTo: (chain) => chain.telemetry?.metrics !== "none" && isCountedByAgent(chain),
  loggers: (chain) => (chain.direction === "inbound" ? agentLoggers(bytesOf(chain), chain) : ofClient(chain.telemetry)),
};

const CLIENT = { direction: "outbound", mutualTls: false, service: undefined } as const;

/** A client's loggers are the same on every listener: nothing in them is known before the connection. */
const ofClient = perTelemetry((telemetry) => {
  const chain = telemetry === undefined ? CLIENT : { ...CLIENT, telemetry };
  return agentLoggers(bytesOf(chain), chain);
});

function bytesOf(chain: MetricsContext): Told {
  return toldBytes(countedEveryMs(chain));
}
