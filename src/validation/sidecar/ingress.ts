import type { FieldPath } from "../../diagnostics/finding.ts";
import type { ServerTls, SidecarSpec } from "../../gen/schema-types.ts";
import type { Report, Rules } from "../rule.ts";
import { checkBind, isUnix, unixProblem } from "../shared/addresses.ts";
import { isHttp, isTls } from "../shared/protocols.ts";
import { checkCiphers, checkServerCertificates, checkUnusedCertificates } from "../shared/server-tls.ts";
import { checkPort, setFields } from "../shared/values.ts";
import { checkSidecarPort } from "./ports.ts";

/** Rules about ports for traffic to the workload. */
export const ingressRules: Rules<SidecarSpec> = [
  {
    name: "sidecar-ingress-ports",
    holds: "Ports of ingress have numbers, each used once, and known protocols.",
    severity: "error",
    check: ({ ingress = [] }, report) => {
      const seen = new Set<number>();
      for (const [index, { port }] of ingress.entries()) {
        const path = ["ingress", index, "port"];
        const { number = 0 } = port;
        if (number === 0) report(path, "port.number is missing", "Add the number.");
        else if (seen.has(number)) report([...path, "number"], `port ${number} is given twice`, "Remove one of them.");
        else checkPort(number, [...path, "number"], report);
        seen.add(number);
        checkSidecarPort(port, path, report);
      }
    },
  },
  {
    name: "sidecar-ingress-bind",
    holds: "bind of ingress is an IP address.",
    severity: "error",
    check: ({ ingress = [] }, report) => {
      for (const [index, { bind = "" }] of ingress.entries())
        if (isUnix(bind))
          report(["ingress", index, "bind"], "ingress listens on a port, not a socket", "Write an IP address.");
        else checkBind(bind, ["ingress", index, "bind"], report);
    },
  },
  {
    name: "sidecar-default-endpoint",
    holds: "defaultEndpoint is a port of the pod, or the path of a socket.",
    severity: "error",
    check: ({ ingress = [] }, report) => {
      for (const [index, { defaultEndpoint = "" }] of ingress.entries())
        if (defaultEndpoint !== "") checkEndpoint(defaultEndpoint, ["ingress", index, "defaultEndpoint"], report);
    },
  },
  {
    name: "sidecar-ingress-tls",
    holds: "TLS of ingress is for TLS ports, with certificates from files that fit the mode.",
    severity: "error",
    check: ({ ingress = [] }, report) => {
      for (const [index, { tls, port }] of ingress.entries())
        if (tls !== undefined) checkTls(tls, port.protocol, ["ingress", index, "tls"], report);
    },
  },
  {
    name: "sidecar-ingress-tls-unused",
    holds: "Certificates and cipher suites of ingress are used.",
    severity: "warning",
    check: ({ ingress = [] }, report) => {
      for (const [index, { tls }] of ingress.entries()) {
        if (tls === undefined) continue;
        checkUnusedCertificates(tls, ["ingress", index, "tls"], report);
        checkCiphers(tls, ["ingress", index, "tls"], report);
      }
    },
  },
  {
    name: "sidecar-ingress-pool-protocol",
    holds: "Limits for HTTP are on HTTP ports.",
    severity: "warning",
    check: ({ ingress = [] }, report) => {
      for (const [index, { connectionPool, port }] of ingress.entries())
        if (connectionPool?.http !== undefined && !isHttp(port.protocol))
          report(
            ["ingress", index, "connectionPool", "http"],
            `protocol ${port.protocol ?? "is not set"}: limits for HTTP have no effect`,
            "Set protocol: HTTP, or use tcp.",
          );
    },
  },
];

const LOCAL: ReadonlySet<string> = new Set(["", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"]);

function checkEndpoint(endpoint: string, path: FieldPath, report: Report): void {
  if (isUnix(endpoint)) {
    const problem = unixProblem(endpoint);
    if (problem !== undefined) report(path, problem, "Write unix:///PATH.");
    return;
  }
  const colon = endpoint.lastIndexOf(":");
  const [host, port] = [endpoint.slice(0, Math.max(colon, 0)), endpoint.slice(colon + 1)];
  const isFit = colon >= 0 && LOCAL.has(host) && /^\d{1,5}$/.test(port);
  if (!isFit || Number(port) < 1 || Number(port) > 65535)
    report(
      path,
      `"${endpoint}" is no port of the pod`,
      "Write 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT or unix:///PATH.",
    );
}

const NOT_HERE = ["subjectAltNames", "credentialName", "credentialNames", "tlsCertificates"] as const;

function checkTls(tls: ServerTls, protocol: string | undefined, path: FieldPath, report: Report): void {
  for (const field of setFields(tls, NOT_HERE))
    report([...path, field], `${field} has no place in a Sidecar`, "Use files.");
  if (tls.httpsRedirect === true)
    report([...path, "httpsRedirect"], "httpsRedirect has no place in a Sidecar", "Remove it.");
  if (tls.mode === "ISTIO_MUTUAL" || tls.mode === "AUTO_PASSTHROUGH")
    report([...path, "mode"], `mode ${tls.mode} has no place in a Sidecar`, "Use SIMPLE or MUTUAL.");
  else checkServerCertificates(tls, path, report);
  if (!isTls(protocol))
    report(
      path,
      `protocol ${protocol ?? "is not set"}: TLS settings are for HTTPS and TLS ports`,
      "Set protocol: HTTPS.",
    );
}
