import { X509Certificate } from "node:crypto";
import { type Data, list, record, sections, sorted, text, type View } from "./view.ts";

/** `proxy-config secret`: the certificates a proxy holds. Private keys never leave Envoy: its dump has them redacted. */
export const secret: View = {
  path: "/config_dump",
  columns: ["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"],
  rows: (dump, now) => sorted(secretsOf(dump).map((held) => secretRow(held, now))),
  data: (dump) => secretsOf(dump).map(({ message }) => message),
};

interface HeldSecret {
  readonly name: string;
  readonly status: string;
  readonly message: Data;
}

function secretsOf(dump: unknown): HeldSecret[] {
  const held = (section: Data, key: string, status: string): HeldSecret[] =>
    list(section, key).map((entry) => ({ name: text(entry, "name"), status, message: record(entry, "secret") }));
  return sections(dump, "SecretsConfigDump").flatMap((section) => [
    ...held(section, "static_secrets", "ACTIVE"),
    ...held(section, "dynamic_active_secrets", "ACTIVE"),
    ...held(section, "dynamic_warming_secrets", "WARMING"),
  ]);
}

function secretRow({ name, status, message }: HeldSecret, date: Date): string[] {
  const chain = record(message, "tls_certificate", "certificate_chain");
  const isChain = Object.keys(chain).length > 0;
  const type = isChain ? "Cert Chain" : "CA";
  const certificate = parse(isChain ? chain : record(message, "validation_context", "trusted_ca"));
  if (certificate === undefined) return [name, type, status, "false", "", "", ""];
  const now = date.getTime();
  const isValid = Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
  const time = (words: string): string => new Date(words).toISOString().replace(".000Z", "Z");
  const serial = certificate.serialNumber.toLowerCase();
  return [name, type, status, String(isValid), serial, time(certificate.validTo), time(certificate.validFrom)];
}

/** The first certificate of an Envoy data source, which holds PEM as text or as base64. */
function parse(source: Data): X509Certificate | undefined {
  const pem = text(source, "inline_string") || Buffer.from(text(source, "inline_bytes"), "base64").toString("utf8");
  try {
    return pem === "" ? undefined : new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
