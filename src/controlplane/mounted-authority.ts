import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { delay } from "../base/delay.ts";
import type { Derivations } from "../base/derive.ts";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { mergePem } from "../pki/trust-path.ts";
import type { AuthorityRunner } from "./authority-runner.ts";

/** Paths of PEM files: what the control plane shows, and the roots that all trust. */
export interface ServingFiles {
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
}

/** Where Istio's own chart mounts what cert-manager issues for the control plane. */
const MOUNTED = "/var/run/secrets/istiod";

/**
 * Who signs workloads: meshd itself, unless ENABLE_CA_SERVER=false. Then the certificate that meshd shows may be somebody else's too:
 * the files that the flags name, else those of Istio's place when they are there; undefined: meshd signs its own. Throws
 * EnvironmentError for flags that name some files and not all, or that would not be used.
 */
export function servingFiles(
  flags: Readonly<Partial<Record<"tlsCertFile" | "tlsKeyFile" | "caCertFile", string>>>,
  of: { readonly signs: boolean; readonly folder?: string },
): ServingFiles | undefined {
  const { tlsCertFile: certificate, tlsKeyFile: key, caCertFile: roots } = flags;
  const given = [certificate, key, roots].filter((path) => path !== undefined);
  if (given.length > 0 && (given.length < 3 || of.signs))
    throw new EnvironmentError(
      "serving-files",
      "--tlsCertFile, --tlsKeyFile and --caCertFile go together, and with ENABLE_CA_SERVER=false",
      { hint: "Give all three and the variable, or none of them: then meshd signs its own certificate." },
    );
  if (certificate !== undefined && key !== undefined && roots !== undefined) return { certificate, key, roots };
  const { folder = MOUNTED } = of;
  const found = {
    certificate: `${folder}/tls/tls.crt`,
    key: `${folder}/tls/tls.key`,
    roots: [`${folder}/ca/root-cert.pem`, `${folder}/tls/ca.crt`].find((path) => existsSync(path)) ?? "",
  };
  return !of.signs && Object.values(found).every((path) => existsSync(path)) ? found : undefined;
}

export interface MountedAuthorityDeps {
  readonly files: ServingFiles;
  readonly derivations: Derivations;
  /** PEM of roots that are trusted beside those of the file; tracked. */
  readonly moreRoots: () => string;
  readonly log: Logger;
  /** How often files are looked at, in milliseconds. */
  readonly interval?: number;
}

interface Held {
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
}

const INTERVAL_MS = 2_000;

/**
 * Consumes certificate, key and roots that an external issuer keeps in files; offers them as what the control plane shows and
 * trusts. Signs nothing. Files that do not belong together, as in the middle of a change, are waited out.
 */
export function createMountedAuthority(deps: MountedAuthorityDeps): AuthorityRunner {
  const { files, derivations, log, interval = INTERVAL_MS } = deps;
  const paths = [files.certificate, files.key, files.roots];
  const version = derivations.source("");
  const abort = new AbortController();
  let held: Held | undefined;
  const read = async (): Promise<void> => {
    held = await readFiles(files);
    version.set(held.certificate + held.key + held.roots);
  };
  const onChange = (): void => {
    read().catch((error: unknown) => log.warn({ ...files }, `the certificate is kept: ${errorText(error)}`));
  };
  const current = (): Held => {
    version.get();
    if (held === undefined) throw new Error("the control plane's certificate is not read");
    return held;
  };
  const bundle = (): string => {
    version.get();
    return held === undefined ? "" : mergePem(held.roots, deps.moreRoots());
  };
  return {
    name: "mounted-authority",
    async start() {
      while (held === undefined && !abort.signal.aborted) {
        try {
          await read();
        } catch (error) {
          log.error({ ...files }, `no certificate for the control plane: ${errorText(error)}; trying again`);
          await delay(interval, abort.signal);
        }
      }
      for (const path of paths) watchFile(path, { interval, persistent: false }, onChange);
    },
    close() {
      abort.abort();
      for (const path of paths) unwatchFile(path, onChange);
      return Promise.resolve();
    },
    ca() {
      throw new Error("the control plane signs nothing: ENABLE_CA_SERVER is false");
    },
    async serving() {
      const { certificate, key } = current();
      return { certificate, key: { pem: () => key }, clientRoots: bundle() };
    },
    bundle,
    revocations: () => undefined,
    isRevoked: () => false,
  };
}

/** Throws EnvironmentError. */
async function readFiles(files: ServingFiles): Promise<Held> {
  const [certificate, key, roots] = await Promise.all([
    readFile(files.certificate, "utf8"),
    readFile(files.key, "utf8"),
    readFile(files.roots, "utf8"),
  ]);
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new EnvironmentError("serving-files", `${files.certificate} and ${files.key} do not belong together`);
  return { certificate, key, roots: mergePem(roots) };
}
