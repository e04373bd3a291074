import { CIPHER_SUITES } from "../base/cipher-suites.ts";
import { compact } from "../base/compact.ts";
import { certificateFiles, rootsFile } from "../base/file-secrets.ts";
import type { GatewayTls, TlsVersion } from "../ir/listener.ts";
import { certificateSecret, rootsSecret } from "../ir/secret.ts";
import type { Gateway } from "../model/gateways.ts";
import type { MeshConfig } from "../model/mesh-config.ts";

type ServerTls = NonNullable<NonNullable<NonNullable<Gateway["spec"]>["servers"]>[number]["tls"]>;

type Terminating = Exclude<GatewayTls["mode"], "PASSTHROUGH">;

/** Whether the gateway itself ends TLS in this mode (absent means PASSTHROUGH, as in Istio). */
export function terminates(mode: string | undefined): mode is Terminating {
  return mode === "SIMPLE" || mode === "MUTUAL" || mode === "OPTIONAL_MUTUAL" || mode === "ISTIO_MUTUAL";
}

/**
 * How a server ends TLS; undefined when it names no certificate that can be served, or checks that Envoy would refuse: the
 * whole port would wait for it.
 */
export function terminatedTls(tls: ServerTls, mesh: Pick<MeshConfig, "raw">): GatewayTls | undefined {
  const { mode } = tls;
  if (!terminates(mode)) return undefined;
  if (!areHashes(tls)) return undefined;
  if (mode === "ISTIO_MUTUAL") return compact({ mode, subjectAltNames: given(tls.subjectAltNames) });
  const certificates = certificatesOf(tls);
  const verifies = mode === "MUTUAL" || mode === "OPTIONAL_MUTUAL";
  const roots = verifies ? rootsOf(tls) : undefined;
  if (certificates === undefined || (verifies && roots === undefined)) return undefined;
  return compact({ mode, certificates, roots, ...(verifies ? clientNames(tls) : {}), ...limits(tls, mesh) });
}

/** A name that a Secret can have. */
const SECRET_NAME = /^[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?$/;

function secretName(written: string | undefined): string | undefined {
  const name = (written ?? "").replace(/^kubernetes:\/\//, "");
  return SECRET_NAME.test(name) ? name : undefined;
}

/** Names of Secrets that the certificates come from. */
function credentials({ credentialName = "", credentialNames = [] }: ServerTls): readonly (string | undefined)[] {
  if (credentialNames.length > 0) return credentialNames.map(secretName);
  return credentialName === "" ? [] : [secretName(credentialName)];
}

function certificatesOf(tls: ServerTls): readonly string[] | undefined {
  const names = credentials(tls);
  if (names.length > 0) return complete(names.map((name) => name && certificateSecret(name)));
  const pairs = (tls.tlsCertificates ?? []).length > 0 ? (tls.tlsCertificates ?? []) : [tls];
  return complete(
    pairs.map(({ serverCertificate = "", privateKey = "" }) =>
      serverCertificate === "" || privateKey === "" ? undefined : certificateFiles(serverCertificate, privateKey),
    ),
  );
}

function complete(names: readonly (string | undefined)[]): readonly string[] | undefined {
  const known = names.filter((name) => name !== undefined);
  return known.length === names.length ? known : undefined;
}

/** Of several certificates the first one's roots hold for all, as in Istio. */
function rootsOf(tls: ServerTls): string | undefined {
  const { caCertCredentialName = "", caCertificates = "", caCrl } = tls;
  if (caCertCredentialName !== "") {
    const own = secretName(caCertCredentialName);
    return own && rootsSecret(own.replace(/-cacert$/, ""));
  }
  const [first] = credentials(tls);
  if (first !== undefined) return rootsSecret(first);
  return caCertificates === "" ? undefined : rootsFile(caCertificates, caCrl);
}

/** What Envoy takes for hashes; it refuses a whole port for one of another form. */
const HASH = /^(?:[0-9a-f]{64}|(?:[0-9a-f]{2}:){31}[0-9a-f]{2})$/i;
const SPKI = /^[A-Za-z0-9+/]{43}=$/;

function areHashes({ verifyCertificateHash = [], verifyCertificateSpki = [] }: ServerTls): boolean {
  return verifyCertificateHash.every((hash) => HASH.test(hash)) && verifyCertificateSpki.every((key) => SPKI.test(key));
}

function clientNames(tls: ServerTls): Partial<GatewayTls> {
  return compact({
    subjectAltNames: given(tls.subjectAltNames),
    spki: given(tls.verifyCertificateSpki),
    hashes: given(tls.verifyCertificateHash),
    acceptUntrusted: tls.insecureSkipVerify === true ? (true as const) : undefined,
  });
}

/** Versions and suites: the server's, else the mesh's (`meshConfig.tlsDefaults`). Names that Envoy does not know are left out. */
function limits(tls: ServerTls, { raw }: Pick<MeshConfig, "raw">): Partial<GatewayTls> {
  const defaults = (raw["tlsDefaults"] ?? {}) as Readonly<Record<string, unknown>>;
  const texts = (value: unknown): readonly string[] | undefined =>
    Array.isArray(value) ? given(value.filter((item) => typeof item === "string")) : undefined;
  const suites = given(tls.cipherSuites) ?? texts(defaults["cipherSuites"]);
  return compact({
    minVersion: versionOf(tls.minProtocolVersion) ?? versionOf(defaults["minProtocolVersion"]),
    maxVersion: versionOf(tls.maxProtocolVersion),
    cipherSuites: given(suites?.filter((suite) => !/^[0-9A-Za-z]/.test(suite) || CIPHER_SUITES.has(suite))),
    curves: texts(defaults["ecdhCurves"]),
  });
}

const VERSIONS: Readonly<Record<string, TlsVersion>> = {
  TLSV1_0: "TLSv1_0",
  TLSV1_1: "TLSv1_1",
  TLSV1_2: "TLSv1_2",
  TLSV1_3: "TLSv1_3",
};

function versionOf(written: unknown): TlsVersion | undefined {
  return typeof written === "string" ? VERSIONS[written] : undefined;
}

function given(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : [...new Set(list)];
}
