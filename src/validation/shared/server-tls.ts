import { CIPHER_SUITES } from "../../base/cipher-suites.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import type { ServerTls } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { isGiven } from "./values.ts";

/** Modes in which the proxy ends TLS with a certificate of the user's. */
const TERMINATING: ReadonlySet<string> = new Set(["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"]);

const modeOf = (tls: ServerTls): string => tls.mode ?? "PASSTHROUGH";

/** The fields with certificates that are set. */
function certificatesOf(tls: ServerTls): readonly string[] {
  const texts = ["serverCertificate", "privateKey", "caCertificates", "caCrl", "credentialName"] as const;
  const lists = ["credentialNames", "tlsCertificates"] as const;
  return [...texts.filter((name) => isGiven(tls[name])), ...lists.filter((name) => (tls[name]?.length ?? 0) > 0)];
}

/** Reports certificates that do not fit the mode: missing ones, and ones with two sources. */
export function checkServerCertificates(tls: ServerTls, path: FieldPath, report: Report): void {
  const mode = modeOf(tls);
  if (mode === "ISTIO_MUTUAL") {
    const own = certificatesOf(tls).filter((name) => name !== "caCrl");
    if (own.length > 0)
      report(path, `mode ISTIO_MUTUAL uses the mesh's certificates: ${own.join(", ")} has no place`, "Remove it.");
    return;
  }
  checkSources(tls, path, report);
  if (!TERMINATING.has(mode)) return;
  checkRevocation(tls, path, report);
  if (isGiven(tls.credentialName) || (tls.credentialNames?.length ?? 0) > 0) return;
  if (mode !== "SIMPLE" && !isGiven(tls.caCertificates))
    report(path, `mode ${mode} needs caCertificates to check client certificates`, "Add caCertificates.");
  checkFiles(tls, path, report);
}

function checkSources(tls: ServerTls, path: FieldPath, report: Report): void {
  const sources = certificatesOf(tls).filter((name) => !["privateKey", "caCertificates", "caCrl"].includes(name));
  const counted = sources.filter((name) => name !== "serverCertificate" || isGiven(tls.privateKey));
  if (counted.length > 1) report(path, `${counted.join(" and ")} exclude each other`, "Keep one of them.");
}

function checkFiles(tls: ServerTls, path: FieldPath, report: Report): void {
  const list = tls.tlsCertificates ?? [];
  const pairs = list.length > 0 ? list : [tls];
  for (const [index, pair] of pairs.entries()) {
    const missing = (["serverCertificate", "privateKey"] as const).filter((name) => !isGiven(pair[name]));
    if (missing.length > 0)
      report(
        list.length > 0 ? [...path, "tlsCertificates", index] : path,
        `mode ${modeOf(tls)} needs a certificate: ${missing.join(" and ")} is missing`,
        "Add credentialName, or serverCertificate and privateKey.",
      );
  }
}

function checkRevocation(tls: ServerTls, path: FieldPath, report: Report): void {
  if (!isGiven(tls.caCrl)) return;
  if (isGiven(tls.credentialName))
    report(
      [...path, "caCrl"],
      "with credentialName the revocation list comes from the Secret",
      "Put it there as ca.crl.",
    );
  if (modeOf(tls) === "SIMPLE")
    report([...path, "caCrl"], "mode SIMPLE asks for no client certificates: nothing is checked", "Use mode MUTUAL.");
}

/** Reports certificates that mode PASSTHROUGH does not use. */
export function checkUnusedCertificates(tls: ServerTls, path: FieldPath, report: Report): void {
  const mode = modeOf(tls);
  const given = certificatesOf(tls);
  if (mode.endsWith("PASSTHROUGH") && given.length > 0)
    report([...path, given[0] ?? ""], `mode ${mode} does not end TLS: ${given.join(", ")} is not used`, "Remove it.");
}

/** Reports cipher suites that are unknown or given twice, and old TLS versions without suites. */
export function checkCiphers(tls: ServerTls, path: FieldPath, report: Report): void {
  const suites = tls.cipherSuites ?? [];
  const seen = new Set<string>();
  for (const [index, suite] of suites.entries()) {
    const at = [...path, "cipherSuites", index];
    // what starts with another sign, or is ALL, is an expression
    const isName = /^[0-9A-Za-z]/.test(suite) && suite !== "ALL";
    if (isName && !CIPHER_SUITES.has(suite))
      report(at, `"${suite}" is no cipher suite; it is left out`, "Use one that Envoy knows.");
    else if (seen.has(suite)) report(at, `${suite} is given twice`, "Remove one of them.");
    seen.add(suite);
  }
  const { minProtocolVersion: oldest } = tls;
  if ((oldest === "TLSV1_0" || oldest === "TLSV1_1") && suites.length === 0)
    report(
      [...path, "minProtocolVersion"],
      `${oldest} has no cipher suite among the defaults: no client can use it`,
      "Add cipherSuites, or use TLSV1_2.",
    );
}

/** Reports a highest version below the lowest: nobody can connect. */
export function checkVersions(tls: ServerTls, path: FieldPath, report: Report): void {
  const order = ["TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"];
  const [low, high] = [order.indexOf(tls.minProtocolVersion ?? ""), order.indexOf(tls.maxProtocolVersion ?? "")];
  if (low > -1 && high > -1 && low > high)
    report(
      [...path, "maxProtocolVersion"],
      `${tls.maxProtocolVersion} is older than minProtocolVersion ${tls.minProtocolVersion}: no client can connect`,
      "Swap them.",
    );
}
