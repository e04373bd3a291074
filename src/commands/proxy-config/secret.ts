import { X509Certificate } from "node:crypto";
import { CONTROL_PLANE_ROOTS, MESH_ROOTS } from "../../base/agent-sds.ts";
import { type Data, list, record, sections, sorted, text, type View } from "./view.ts";

/** `proxy-config secret`: the certificates a proxy holds. Private keys never leave Envoy: its dump has them redacted. */
export const secret: View = {
  path: "/config_dump",
  columns: ["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"],
  items: secretsOf,
  rows: (items, now) => sorted(items.map((held) => secretRow(held, now))),
  data: (items) => items.map((held) => record(held, "secret")),
  counted: (held) => [text(held, "status"), typeOf(held)],
};

/** `proxy-config secret --chain`: every certificate of every chain and bundle, the leaf first. */
export const chains: Pick<View, "columns" | "rows"> = {
  columns: ["RESOURCE NAME", "DEPTH", "SUBJECT", "ISSUER", "SAN", "SERIAL NUMBER", "NOT AFTER"],
  rows: (items) =>
    items.flatMap((held) =>
      certificatesOf(held).map((certificate, depth) => [
        text(held, "name"),
        String(depth),
        oneLine(certificate.subject),
        oneLine(certificate.issuer),
        certificate.subjectAltName ?? "",
        certificate.serialNumber.toLowerCase(),
        timeText(certificate.validTo),
      ]),
    ),
};

/** The chain of the secret of this name in a dump, the leaf first; empty when there is none. */
export function chainIn(dump: unknown, name: string): readonly X509Certificate[] {
  const held = secretsOf(dump).find((each) => text(each, "name") === name);
  return held === undefined ? [] : certificatesOf(held);
}

/** Roots that a dump's proxy verifies mesh peers by. */
export function rootsIn(dump: unknown): readonly X509Certificate[] {
  const held = heldRoots(secretsOf(dump));
  return held === undefined ? [] : certificatesOf(held);
}

/** The secrets of a dump as it has them, `name` and `secret`, and whether each is in use. */
function secretsOf(dump: unknown): Data[] {
  const held = (section: Data, key: string, status: string): Data[] =>
    list(section, key).map((entry) => ({ name: text(entry, "name"), status, secret: record(entry, "secret") }));
  return sections(dump, "SecretsConfigDump").flatMap((section) => [
    ...held(section, "static_secrets", "ACTIVE"),
    ...held(section, "dynamic_active_secrets", "ACTIVE"),
    ...held(section, "dynamic_warming_secrets", "WARMING"),
  ]);
}

function chainOf(held: Data): Data {
  return record(held, "secret", "tls_certificate", "certificate_chain");
}

function typeOf(held: Data): string {
  return Object.keys(chainOf(held)).length > 0 ? "Cert Chain" : "CA";
}

function secretRow(held: Data, date: Date): string[] {
  const start = [text(held, "name"), typeOf(held), text(held, "status")];
  const [certificate] = certificatesOf(held);
  if (certificate === undefined) return [...start, "false", "", "", ""];
  const now = date.getTime();
  const isValid = Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
  const serial = certificate.serialNumber.toLowerCase();
  return [...start, String(isValid), serial, timeText(certificate.validTo), timeText(certificate.validFrom)];
}

function timeText(words: string): string {
  return new Date(words).toISOString().replace(".000Z", "Z");
}

function oneLine(name: string | undefined): string {
  return (name ?? "").split("\n").join(", ");
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** PEM of an Envoy data source, which holds it as text or as base64. */
export function pemIn(source: unknown): string {
  return text(source, "inline_string") || Buffer.from(text(source, "inline_bytes"), "base64").toString("utf8");
}

/**
 * The entry of a dump with the roots that a proxy verifies mesh peers by. One that speaks to no peer (a gateway without such routes)
 * holds those for the control plane alone, which are the mesh's own.
 */
export function heldRoots<E>(entries: readonly E[]): E | undefined {
  const named = (name: string): E | undefined => entries.find((entry) => text(entry, "name") === name);
  return named(MESH_ROOTS) ?? named(CONTROL_PLANE_ROOTS);
}

/** PEM of roots by the trust domain that they vouch for; under "" those that vouch for anybody. `held`: an entry of a dump. */
export function rootsByDomain(held: unknown): Readonly<Record<string, string>> {
  const context = record(held, "secret", "validation_context");
  const domains = list(context, "custom_validator_config", "typed_config", "trust_domains");
  if (domains.length === 0) return { "": pemIn(record(context, "trusted_ca")) };
  return Object.fromEntries(domains.map((each) => [text(each, "name"), pemIn(record(each, "trust_bundle"))]));
}

/** The certificates of an entry, each once; what cannot be read is left out. */
function certificatesOf(held: Data): readonly X509Certificate[] {
  const chain = chainOf(held);
  const pem = Object.keys(chain).length > 0 ? pemIn(chain) : Object.values(rootsByDomain(held)).join("");
  return [...new Set(pem.match(CERTIFICATE) ?? [])].flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}
