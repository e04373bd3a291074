import type { FieldPath } from "../../diagnostics/finding.ts";
import type { ClientTls } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { isGiven } from "../shared/values.ts";
import { type DestinationRuleRules, eachSettings } from "./parts.ts";

/** Rules about TLS towards the service. */
export const clientTlsRules: DestinationRuleRules = [
  {
    name: "destination-rule-tls",
    holds: "Certificates fit the TLS mode.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ tls }, path) => {
        if (tls !== undefined) checkTls(tls, [...path, "tls"], report);
      }),
  },
  {
    name: "destination-rule-tls-unused",
    holds: "Mode ISTIO_MUTUAL, which uses the mesh's certificates, comes without others.",
    severity: "warning",
    check: (spec, report) =>
      eachSettings(spec, ({ tls }, path) => {
        const own = tls?.mode === "ISTIO_MUTUAL" ? givenOf(tls, [...FILES, "credentialName"]) : [];
        if (own.length > 0)
          report(
            [...path, "tls", own[0] ?? ""],
            `mode ISTIO_MUTUAL uses the mesh's certificates: ${own.join(", ")} is not used`,
            "Remove it, or use mode MUTUAL.",
          );
      }),
  },
  {
    name: "destination-rule-tls-unchecked",
    holds: "insecureSkipVerify is not set together with what the server's certificate is checked against.",
    severity: "error",
    check: (spec, report) =>
      eachSettings(spec, ({ tls }, path) => {
        if (tls?.insecureSkipVerify !== true) return;
        // the Secret of mode MUTUAL carries the client's certificate too
        const checks = [
          ...(isGiven(tls.caCertificates) ? ["caCertificates"] : []),
          ...(tls.mode === "SIMPLE" && isGiven(tls.credentialName) ? ["credentialName"] : []),
          ...(tls.subjectAltNames === undefined ? [] : ["subjectAltNames"]),
        ];
        if ((tls.mode === "SIMPLE" || tls.mode === "MUTUAL") && checks.length > 0)
          report(
            [...path, "tls", checks[0] ?? ""],
            `insecureSkipVerify turns checking off: ${checks.join(", ")} has no effect`,
            "Remove insecureSkipVerify.",
          );
      }),
  },
  {
    name: "destination-rule-tls-config-map",
    holds: "A credentialName that names a ConfigMap names one of the same namespace.",
    severity: "error",
    check: (spec, report, { namespace }) =>
      eachSettings(spec, ({ tls }, path) => {
        const name = tls?.credentialName ?? "";
        if (!name.startsWith(CONFIG_MAP)) return;
        const [of, map = "", ...more] = name.slice(CONFIG_MAP.length).split("/");
        if (map === "" || more.length > 0 || of !== namespace)
          report(
            [...path, "tls", "credentialName"],
            `expected a ConfigMap of namespace ${namespace}, got "${name}"`,
            `Write ${CONFIG_MAP}${namespace}/NAME.`,
          );
      }),
  },
];

const CONFIG_MAP = "configmap://";

const FILES = ["clientCertificate", "privateKey", "caCertificates", "caCrl"] as const;

type Field = (typeof FILES)[number] | "credentialName";

function givenOf(tls: ClientTls, fields: readonly Field[]): readonly Field[] {
  return fields.filter((field) => isGiven(tls[field]));
}

function checkTls(tls: ClientTls, path: FieldPath, report: Report): void {
  if (tls.mode !== "SIMPLE" && tls.mode !== "MUTUAL") return;
  if (isGiven(tls.credentialName)) {
    const files = givenOf(tls, FILES);
    if (files.length > 0)
      report(
        [...path, "credentialName"],
        `credentialName and ${files.join(", ")} exclude each other`,
        "Keep one of them.",
      );
  } else if (tls.mode === "MUTUAL" && givenOf(tls, ["clientCertificate", "privateKey"]).length < 2)
    report(
      path,
      "mode MUTUAL needs clientCertificate and privateKey, or credentialName",
      "Add the client's certificate.",
    );
}
