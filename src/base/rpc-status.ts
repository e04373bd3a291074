/** Names of gRPC's statuses; the place of each is its number, as in gRPC's specification. */
export const GRPC_STATUS_NAMES: readonly string[] = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** The number of a gRPC status by name or number; undefined when it is none. */
export function grpcStatusCode(text: string): number | undefined {
  const code = /^\d+$/.test(text) ? Number(text) : GRPC_STATUS_NAMES.indexOf(text.toUpperCase());
  return code >= 0 && code < GRPC_STATUS_NAMES.length ? code : undefined;
}
