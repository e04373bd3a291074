import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { SdsServer } from "../grpc/sds-server.ts";
import { privateKey } from "../pki/private-key.ts";
import { mergePem } from "../pki/trust-path.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentMetrics } from "./metrics.ts";
import type { Runner } from "./runner.ts";
import { MOUNT_INTERVAL_MS } from "./trust.ts";
import { BUNDLES_FILE, publishRoots, trustBundlesIn } from "./trust-bundles.ts";

/** Where somebody else mounts the workload's certificate, as in Istio's layout, relative to the agent's folder. */
export const MOUNTED_CREDENTIALS = "./var/run/secrets/workload-spiffe-credentials";

const FILES = { chain: "cert-chain.pem", key: "key.pem", roots: "root-cert.pem" } as const;

export interface MountedIdentityDeps {
  readonly config: Pick<AgentConfig, "rootCert" | "moreRoots">;
  readonly sds: Pick<SdsServer, "publish">;
  readonly metrics: Pick<AgentMetrics, "certificate">;
  readonly log: Logger;
  /** Default: MOUNTED_CREDENTIALS. */
  readonly folder?: string;
  /** How often files are looked at, in milliseconds. */
  readonly interval?: number;
}

/** Whether a certificate with its key is mounted there: then no CA is asked. */
export function hasMountedIdentity(folder = MOUNTED_CREDENTIALS): boolean {
  return existsSync(join(folder, FILES.chain)) && existsSync(join(folder, FILES.key));
}

/**
 * Consumes a certificate, its key and roots in files; offers them as `default` and `ROOTCA`, again when they change. The mesh's
 * own roots are trusted beside those of the folder. Files that do not belong together, as in the middle of a change, are waited out.
 */
export function createMountedIdentity(deps: MountedIdentityDeps): Runner {
  const { config, sds, metrics, log, folder = MOUNTED_CREDENTIALS, interval = MOUNT_INTERVAL_MS } = deps;
  const bundlesFile = join(dirname(config.rootCert), BUNDLES_FILE);
  const paths = [...Object.values(FILES).map((name) => join(folder, name)), config.rootCert, bundlesFile];
  const optional = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
  const offer = async (): Promise<void> => {
    const [chain, key, roots, mesh, bundles] = await Promise.all([
      readFile(join(folder, FILES.chain), "utf8"),
      readFile(join(folder, FILES.key), "utf8"),
      optional(join(folder, FILES.roots)),
      optional(config.rootCert),
      optional(bundlesFile),
    ]);
    const leaf = new X509Certificate(chain);
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      throw new EnvironmentError("agent-file", `${folder}: certificate and key do not belong together`);
    publishRoots(sds, { roots: mergePem(roots, mesh, config.moreRoots), bundles: trustBundlesIn(bundles) });
    sds.publish("default", { kind: "certificate", chain, key: privateKey(key) });
    metrics.certificate(new Date(leaf.validTo));
  };
  const onChange = (): void => {
    offer().catch((error: unknown) => log.warn({ folder }, `certificate kept: ${errorText(error)}`));
  };
  return {
    name: "mounted-identity",
    async start() {
      log.info({ folder }, "the certificate is mounted: no CA is asked");
      for (const path of paths) watchFile(path, { interval, persistent: false }, onChange);
      await offer().catch((error: unknown) => log.error({ folder }, `no certificate: ${errorText(error)}`));
    },
    close() {
      for (const path of paths) unwatchFile(path, onChange);
      return Promise.resolve();
    },
  };
}
