import { X509Certificate } from "node:crypto";
import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { SdsServer } from "../grpc/sds-server.ts";
import { isSignedBy, mergePem, splitPem } from "../pki/trust-path.ts";
import { BUNDLES_FILE, publishRoots, type TrustBundles, trustBundlesIn } from "./trust-bundles.ts";
import type { AgentConfig } from "./config.ts";

export interface TrustDeps {
  readonly config: Pick<AgentConfig, "rootCert" | "moreRoots">;
  readonly sds: Pick<SdsServer, "publish">;
  /** The file names another authority than the one that signed what is held. */
  readonly onSuperseded: () => void;
  readonly log: Logger;
}

/** What the workload trusts: mounted roots, those that the CA told of, revocation lists. Offers both secrets of roots. */
export interface Trust {
  start(): void;
  close(): void;
  /** PEM of the mounted roots, read anew. Throws EnvironmentError. */
  roots(): Promise<string>;
  /** Takes what came with a certificate; offers the roots from then on. Resolves with all that are trusted. */
  issued(answer: { readonly chain: string; readonly root: string }): Promise<string>;
  /** Takes what the control plane tells where nothing is mounted (TOLD_TRUST): it counts in place of the files from then on. */
  told(text: string): void;
  /** Whether the mounted file names an authority that has not signed this chain's first certificate. */
  isStray(chain: string): boolean;
}

/** How often mounted files are looked at. A mount changes by swapping links, which file events miss. */
export const MOUNT_INTERVAL_MS = 2_000;

const CRL = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/;

interface Mounted {
  readonly roots: string;
  /** PEM of the certificate that signs now, as the control plane writes it beside the roots; empty: nobody says. */
  readonly signing: string;
  readonly revocations: string;
  /** Only a workload's own certificate is looked up in the lists, not those above it. */
  readonly leafOnly: boolean;
  readonly bundles: TrustBundles | undefined;
}

/** Reads the files when they change; nothing is offered before the first certificate has come. */
export function createTrust({ config, sds, onSuperseded, log }: TrustDeps): Trust {
  const folder = dirname(config.rootCert);
  const files = {
    roots: config.rootCert,
    signing: join(folder, "signing-cert.pem"),
    revocations: join(folder, "crl/ca-crl.pem"),
    scope: join(folder, "crl/scope"),
    bundles: join(folder, BUNDLES_FILE),
  };
  let mounted: Mounted = { roots: "", signing: "", revocations: "", leafOnly: false, bundles: undefined };
  let held: { readonly chain: string; readonly root: string } | undefined;

  const all = (): string => mergePem(mounted.roots, held?.root ?? "", config.moreRoots);
  const publish = (): void => publishRoots(sds, { ...mounted, roots: all() });
  let heard: Mounted | undefined;
  const read = (): Promise<Mounted> => (heard === undefined ? readFiles(files, log) : Promise.resolve(heard));
  const isStray = (chain: string): boolean => {
    const [leaf] = splitPem(chain);
    const [signing] = splitPem(mounted.signing);
    return leaf !== undefined && signing !== undefined && !signed(leaf, signing);
  };
  const take = (next: Mounted): void => {
    const wasStray = held !== undefined && isStray(held.chain);
    mounted = next;
    if (held === undefined) return;
    // The mount has caught up with what the CA told: it alone says what is trusted, so that roots can go too.
    if (leadsTo(held.chain, next.roots)) held = { ...held, root: "" };
    publish();
    if (!wasStray && isStray(held.chain)) onSuperseded();
  };
  const onChange = (): void => {
    read().then(take, (error: unknown) => log.warn({}, `roots kept: ${errorText(error)}`));
  };
  return {
    start() {
      for (const file of Object.values(files))
        watchFile(file, { interval: MOUNT_INTERVAL_MS, persistent: false }, onChange);
    },
    close() {
      for (const file of Object.values(files)) unwatchFile(file, onChange);
    },
    told(text) {
      const next = toldFiles(text, log);
      if (next === undefined) return;
      heard = next;
      take(next);
    },
    async roots() {
      mounted = await read();
      return mounted.roots;
    },
    async issued(answer) {
      mounted = await read();
      held = answer;
      publish();
      return all();
    },
    isStray,
  };
}

interface Files {
  readonly roots: string;
  readonly signing: string;
  readonly revocations: string;
  readonly scope: string;
  readonly bundles: string;
}

/** Throws EnvironmentError without the roots; the rest need not be there. */
async function readFiles(files: Files, log: Logger): Promise<Mounted> {
  const optional = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");
  const [roots, signing, lists, scope, bundles] = await Promise.all([
    readMounted(files.roots, "Wait for the ConfigMap istio-ca-root-cert in this namespace; istiod writes it."),
    optional(files.signing),
    optional(files.revocations),
    optional(files.scope),
    optional(files.bundles),
  ]);
  return mountedOf({ roots, signing, revocations: lists, scope, bundles }, log);
}

/** What texts of the files say. */
function mountedOf({ roots, signing, revocations: lists, scope, bundles }: Files, log: Logger): Mounted {
  const revocations = CRL.test(lists) ? lists : "";
  if (lists.trim() !== "" && revocations === "") log.warn({}, "the file holds no revocation list; none is checked");
  return { roots, signing, revocations, leafOnly: scope.trim() === "leaf", bundles: trustBundlesIn(bundles) };
}

/** The same as the control plane tells it: texts by the names of ConfigMaps' files. A text of another form counts as none. */
function toldFiles(text: string, log: Logger): Mounted | undefined {
  try {
    const files = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const of = (name: string): string => (typeof files[name] === "string" ? files[name] : "");
    if (splitPem(of("root-cert.pem")).length === 0) return undefined;
    const [roots, signing, bundles] = [of("root-cert.pem"), of("signing-cert.pem"), of(BUNDLES_FILE)];
    return mountedOf({ roots, signing, bundles, revocations: of("ca-crl.pem"), scope: of("scope") }, log);
  } catch {
    return undefined;
  }
}

/** A mounted file's text. Throws EnvironmentError with the hint. */
export async function readMounted(path: string, hint: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new EnvironmentError("agent-file", `${path}: ${errorText(cause)}. ${hint}`, { hint, cause });
  }
}

function leadsTo(chain: string, roots: string): boolean {
  const last = splitPem(chain).at(-1);
  return last !== undefined && splitPem(roots).some((root) => root === last || signed(last, root));
}

function signed(pem: string, by: string): boolean {
  try {
    return isSignedBy(new X509Certificate(pem), new X509Certificate(by));
  } catch {
    return false;
  }
}
