import { X509Certificate } from "node:crypto";
import type { ConfigMap, Secret } from "../resources/core.ts";
import type { FieldPath } from "../diagnostics/finding.ts";
import type { ModelContext } from "./context.ts";
import type { Referrer, ReferenceGrants } from "./gateway-api-grants.ts";
import type { ApiRef, Problem } from "./gateway-api-types.ts";

/** A reference to a Secret or ConfigMap, as written. */
interface WrittenRef {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** Questions about what certificates and authorities Gateway API objects name. */
export interface ApiSecrets {
  /** Why a server certificate cannot be used; undefined when it can. */
  certificateProblem(from: Referrer, ref: WrittenRef, path: FieldPath): Problem | undefined;
  /** Why an authority cannot be used: words, and what must be known for them to be true. */
  authorityProblem(from: Referrer, ref: WrittenRef): AuthorityProblem | undefined;
}

export interface AuthorityProblem {
  readonly what: string;
  readonly problem: string;
  readonly needs?: { readonly kind: "Secret" | "ConfigMap"; readonly namespace: string };
  /** The reference leads to another namespace, which has not granted it. */
  readonly refused?: boolean;
  /** The reference is to a kind that holds no authorities. */
  readonly wrongKind?: boolean;
}

export function createApiSecrets({ world }: ModelContext, grants: ReferenceGrants): ApiSecrets {
  return {
    certificateProblem: (from, written, path) => {
      const ref = fill(written, from.namespace);
      const what = `${ref.namespace}/${ref.name}`;
      if (ref.group !== "" || ref.kind !== "Secret")
        return { code: "MSH0714", path, args: { what, problem: `kind ${ref.kind} is no Secret` } };
      if (grants.allows(from, ref) === false)
        return {
          code: "MSH0719",
          path,
          args: { what: `Secret ${ref.name}`, from: `${from.kind} of ${from.namespace}`, namespace: ref.namespace },
        };
      const secret = world.get("Secret", ref.namespace, ref.name);
      if (secret === undefined)
        return {
          code: "MSH0714",
          path,
          args: { what, problem: "there is no such Secret" },
          needs: { kind: "Secret", namespace: ref.namespace },
        };
      const problem = unusable(secret);
      return problem === undefined ? undefined : { code: "MSH0715", path, args: { secret: what, problem } };
    },
    authorityProblem: (from, written) => {
      const ref = fill({ kind: "ConfigMap", ...written }, from.namespace);
      const what = `${ref.kind} ${ref.namespace}/${ref.name}`;
      if (ref.group !== "" || (ref.kind !== "ConfigMap" && ref.kind !== "Secret"))
        return { what, problem: "only ConfigMaps and Secrets can hold an authority", wrongKind: true };
      if (grants.allows(from, ref) === false)
        return { what, problem: "its namespace has not granted it", refused: true };
      const holder = world.get(ref.kind, ref.namespace, ref.name);
      if (holder === undefined)
        return { what, problem: "it does not exist", needs: { kind: ref.kind, namespace: ref.namespace } };
      const pem = textOf(holder, "ca.crt") ?? textOf(holder, "cacert");
      if (pem === undefined) return { what, problem: "it has no ca.crt" };
      return isCertificate(pem) ? undefined : { what, problem: "its ca.crt is no PEM certificate" };
    },
  };
}

function fill({ group = "", kind = "Secret", name, namespace }: WrittenRef, own: string): ApiRef {
  return { group, kind, name, namespace: namespace ?? own };
}

function unusable(secret: Secret): string | undefined {
  const certificate = textOf(secret, "tls.crt");
  if (certificate === undefined) return "it has no tls.crt";
  if (textOf(secret, "tls.key") === undefined) return "it has no tls.key";
  return isCertificate(certificate) ? undefined : "its tls.crt is no PEM certificate";
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).serialNumber !== "";
  } catch {
    return false;
  }
}

/** A value as text: plain in ConfigMaps and `stringData`, base64 in a Secret's `data`. */
function textOf(holder: Secret | ConfigMap, key: string): string | undefined {
  const plain = (holder["stringData"] as Readonly<Record<string, string>> | undefined)?.[key];
  const data = holder.data?.[key];
  const text =
    plain ?? (holder.kind === "Secret" && data !== undefined ? Buffer.from(data, "base64").toString("utf8") : data);
  return text === "" ? undefined : text;
}
