import { X509Certificate } from "node:crypto";
import type { Secret } from "../resources/core.ts";
import type { Gateway } from "./gateways.ts";

type ServerTls = NonNullable<NonNullable<NonNullable<Gateway["spec"]>["servers"]>[number]["tls"]>;

/** A Secret that a server's TLS settings name. */
export interface CredentialRef {
  readonly field: "credentialName" | "credentialNames" | "caCertCredentialName";
  /** The field, below the settings. */
  readonly path: readonly (string | number)[];
  /** Names under which it may be found, the written one first. */
  readonly names: readonly string[];
  /** What has to be in it. */
  readonly holds: "certificate" | "authority" | "certificate and authority";
}

const MUTUAL: readonly (string | undefined)[] = ["MUTUAL", "OPTIONAL_MUTUAL"];

/**
 * Secrets that are needed. A name with a scheme other than `kubernetes://` is no Secret of the cluster and left out. The
 * authority of MUTUAL may be in the Secret itself, or in one called `<name>-cacert`.
 */
export function credentialRefs(tls: ServerTls): readonly CredentialRef[] {
  const isMutual = MUTUAL.includes(tls.mode);
  const refs: CredentialRef[] = [];
  const several = tls.credentialNames ?? [];
  const authority = tls.caCertCredentialName ?? "";
  if (tls.credentialName !== undefined && several.length === 0) {
    const holds = isMutual && authority === "" ? "certificate and authority" : "certificate";
    refs.push({ field: "credentialName", path: ["credentialName"], names: [tls.credentialName], holds });
  }
  for (const [index, name] of several.entries())
    refs.push({ field: "credentialNames", path: ["credentialNames", index], names: [name], holds: "certificate" });
  if (authority !== "" && isMutual)
    refs.push({
      field: "caCertCredentialName",
      path: ["caCertCredentialName"],
      names: [authority, `${authority}-cacert`],
      holds: "authority",
    });
  return refs
    .map((ref) => ({ ...ref, names: ref.names.map((name) => name.replace(/^kubernetes:\/\//, "")) }))
    .filter(({ names: [name = ""] }) => name !== "" && !name.includes("://"));
}

/** Why a Secret will not do, or undefined. `authority` is the Secret `<name>-cacert`, where there is one. */
export function credentialProblem(
  secret: Secret,
  { holds }: CredentialRef,
  now: Date,
  authority?: Secret,
): string | undefined {
  const value = (...keys: readonly string[]): string | undefined =>
    keys.map((key) => textOf(secret, key)).find(Boolean);
  if (holds !== "authority") {
    const certificate = value("tls.crt", "cert");
    if (certificate === undefined) return "it has no tls.crt";
    if (value("tls.key", "key") === undefined) return "it has no tls.key";
    const problem = certificateProblem(certificate, now);
    if (problem !== undefined) return problem;
  }
  if (holds === "certificate") return undefined;
  const roots =
    value("ca.crt", "cacert") ??
    (authority === undefined ? undefined : (textOf(authority, "ca.crt") ?? textOf(authority, "cacert")));
  return roots === undefined ? "it has no ca.crt, which MUTUAL checks clients by" : undefined;
}

/** A value of a Secret as text: `stringData` is what people write, `data` (base64) what the API server keeps. */
function textOf(secret: Secret, key: string): string | undefined {
  const plain = (secret["stringData"] as Readonly<Record<string, string>> | undefined)?.[key];
  const encoded = secret.data?.[key];
  const text = plain ?? (encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8"));
  return text === "" ? undefined : text;
}

/** Why the first certificate of a PEM text cannot be served now. */
function certificateProblem(pem: string, now: Date): string | undefined {
  try {
    const { validFrom, validTo } = new X509Certificate(pem);
    if (now.getTime() > Date.parse(validTo)) return `its certificate ended ${day(validTo)}`;
    return now.getTime() < Date.parse(validFrom) ? `its certificate begins only ${day(validFrom)}` : undefined;
  } catch {
    return "tls.crt is no PEM certificate";
  }
}

function day(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
