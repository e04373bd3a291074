import type { FieldPath } from "../../diagnostics/finding.ts";
import type { Report } from "../rule.ts";

/** Protocols that a port of a Gateway, ServiceEntry or Sidecar may name, in capitals: what istiod reads, without regard to case. */
const PROTOCOLS: ReadonlySet<string> = new Set([
  "HTTP",
  "HTTPS",
  "GRPC",
  "GRPC-WEB",
  "HTTP2",
  "HTTP_PROXY",
  "MONGO",
  "TCP",
  "TLS",
  "MYSQL",
  "REDIS",
  "UDP",
]);

const HTTP: ReadonlySet<string> = new Set(["HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-WEB"]);

/** True for protocols that are HTTP in plaintext. */
export function isHttp(protocol: string | undefined): boolean {
  return HTTP.has((protocol ?? "").toUpperCase());
}

/** True for protocols inside TLS. */
export function isTls(protocol: string | undefined): boolean {
  const name = (protocol ?? "").toUpperCase();
  return name === "HTTPS" || name === "TLS";
}

/** True for a protocol that the mesh has a name for. */
export function isProtocol(protocol: string): boolean {
  return PROTOCOLS.has(protocol.toUpperCase());
}

/** Reports a protocol that is none; an empty one is found out from the traffic. */
export function checkProtocol(protocol: string | undefined, path: FieldPath, report: Report): void {
  if (protocol !== undefined && protocol !== "" && !isProtocol(protocol))
    report(
      path,
      `expected one of ${[...PROTOCOLS].join(", ")}, got "${protocol}"`,
      "Leave it out to have it detected.",
    );
}
