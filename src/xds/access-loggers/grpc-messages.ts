import { AGENT_LOGGER, agentLoggers, GRPC_MESSAGES, isGrpcCounted } from "../agent-counts.ts";
import type { AccessLogger } from "./types.ts";

/** Messages of gRPC calls, at the end of each. */
export const grpcMessages: AccessLogger = {
  name: AGENT_LOGGER,
  protocol: "http",
  appliesTo: isGrpcCounted,
  loggers: (chain) => agentLoggers(GRPC_MESSAGES, chain),
};
