import type { FieldPath } from "../../diagnostics/finding.ts";
import type { GatewaySpec, ServerTls } from "../../gen/schema-types.ts";
import type { Rules } from "../rule.ts";
import { isHttp, isProtocol, isTls } from "../shared/protocols.ts";
import { checkCiphers, checkServerCertificates, checkUnusedCertificates, checkVersions } from "../shared/server-tls.ts";
import { isGiven } from "../shared/values.ts";

/** Rules about TLS of a Gateway's servers. */
export const serverTlsRules: Rules<GatewaySpec> = [
  {
    name: "gateway-tls",
    holds: "HTTPS and TLS ports have TLS settings; plaintext ports have none but httpsRedirect.",
    severity: "error",
    check: ({ servers = [] }, report) => {
      for (const [index, { port, tls }] of servers.entries()) {
        const { protocol, number } = port;
        if (isTls(protocol) && tls === undefined)
          report(
            ["servers", index],
            `port ${number} has protocol ${protocol}, but no tls`,
            "Add tls with mode and credentialName.",
          );
        if (tls === undefined || isTls(protocol) || !isProtocol(protocol)) continue;
        if (!isHttp(protocol) || !isRedirectAlone(tls))
          report(
            ["servers", index, "tls"],
            `protocol ${protocol} is plaintext: of tls only httpsRedirect has a meaning, and only for HTTP`,
            "Use protocol HTTPS or TLS.",
          );
      }
    },
  },
  {
    name: "gateway-tls-certificates",
    holds: "The certificates fit the TLS mode.",
    severity: "error",
    check: (spec, report) =>
      eachTls(spec, (tls, path, protocol) => {
        if (isTls(protocol)) checkServerCertificates(tls, path, report);
      }),
  },
  {
    name: "gateway-tls-unused",
    holds: "Certificates are only given where TLS ends.",
    severity: "warning",
    check: (spec, report) => eachTls(spec, (tls, path) => checkUnusedCertificates(tls, path, report)),
  },
  {
    name: "gateway-tls-ciphers",
    holds: "Cipher suites are known, each once; old versions of TLS have some.",
    severity: "warning",
    check: (spec, report) => eachTls(spec, (tls, path) => checkCiphers(tls, path, report)),
  },
  {
    name: "gateway-tls-versions",
    holds: "The highest version of TLS is not below the lowest.",
    severity: "warning",
    check: (spec, report) => eachTls(spec, (tls, path) => checkVersions(tls, path, report)),
  },
  {
    name: "gateway-https-redirect",
    holds: "httpsRedirect is for plaintext HTTP.",
    severity: "warning",
    check: (spec, report) =>
      eachTls(spec, (tls, path, protocol) => {
        if (tls.httpsRedirect === true && !isHttp(protocol))
          report([...path, "httpsRedirect"], "httpsRedirect is for plaintext HTTP ports", "Put it on the HTTP port.");
      }),
  },
];

function eachTls(spec: GatewaySpec, visit: (tls: ServerTls, path: FieldPath, protocol: string) => void): void {
  for (const [index, { tls, port }] of (spec.servers ?? []).entries())
    if (tls !== undefined) visit(tls, ["servers", index, "tls"], port.protocol);
}

function isRedirectAlone(tls: ServerTls): boolean {
  const isForwarding = tls.mode === undefined || tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH";
  const files = [tls.caCertificates, tls.privateKey, tls.serverCertificate, tls.credentialName];
  return isForwarding && !files.some(isGiven);
}
