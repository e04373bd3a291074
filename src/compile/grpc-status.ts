/** Statuses of gRPC by their numbers, in its specification's order. */
const NAMES = [
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
  const code = /^\d+$/.test(text) ? Number(text) : NAMES.indexOf(text.toUpperCase());
  return code >= 0 && code < NAMES.length ? code : undefined;
}
