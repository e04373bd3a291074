import { X509Certificate } from "node:crypto";
import type { Files } from "../../../src/agent/file-secrets.ts";
import { createRoot } from "../../../src/pki/ca.ts";
import { revoke } from "../../../src/pki/revocation.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import type { Plane } from "./plane.ts";

/** Texts by path. */
export type FileTexts = Readonly<Record<string, string>>;

/**
 * Files beside every proxy. `/test/roots` fits the applications' TLS, `/test/other-roots` does not; `/test/crl` revokes nobody,
 * `/test/crl-revoked` the applications. What a case's certificates come to stands below `/secrets/` by the names of their
 * Secrets: `/secrets/$NS-web/tls.crt`.
 */
export async function testFiles(
  { ca, validity }: Pick<Plane, "ca" | "validity">,
  applications: string,
  secrets: readonly KubeObject[],
): Promise<FileTexts> {
  const other = await createRoot("other", validity);
  const { serialNumber } = new X509Certificate(applications);
  const now = validity.notBefore;
  return {
    "/test/roots": ca.certificate,
    "/test/other-roots": other.certificate,
    "/test/crl": await revoke(ca, "", [], now),
    "/test/crl-revoked": await revoke(ca, "", [serialNumber], now),
    ...Object.fromEntries(secrets.flatMap(filesOf)),
  };
}

function filesOf({ metadata, data }: KubeObject & { readonly data?: unknown }): readonly (readonly [string, string])[] {
  return Object.entries((data ?? {}) as Readonly<Record<string, string>>).map(
    ([key, text]) => [`/secrets/${metadata.name}/${key}`, Buffer.from(text, "base64").toString()] as const,
  );
}

/** As an agent sees them. */
export function asFiles(texts: FileTexts): Files {
  return {
    read(path) {
      const text = texts[path];
      if (text === undefined) throw new Error(`no file ${path}`);
      return text;
    },
    stamp: (path) => texts[path],
  };
}
