import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { join } from "node:path";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { readConfig } from "../agent/config.ts";
import { createIdentity } from "../agent/identity.ts";
import type { AgentMetrics } from "../agent/metrics.ts";
import type { PeerIdentity } from "../grpc/rate-limit-client.ts";
import type { SdsServer } from "../grpc/sds-server.ts";
import { readCertificate } from "../pki/certificate.ts";
import { spiffeId } from "../pki/spiffe.ts";

export interface IdentitySource {
  start(): Promise<void>;
  close(): Promise<void>;
}

type Env = Readonly<Record<string, string | undefined>>;

export interface IdentityInput {
  /** Folder with `cert-chain.pem`, `key.pem` and `root-cert.pem`, which are read anew when they change; undefined: the mesh's CA is asked. */
  readonly folder: string | undefined;
  readonly env: Env;
  readonly version: string;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
  /** Each certificate, with the roots. */
  readonly onIdentity: (identity: PeerIdentity) => void;
}

/** The service's own certificate: from files, or from the mesh's CA as an agent gets its workload's. */
export function createIdentitySource(input: IdentityInput): IdentitySource {
  return input.folder === undefined ? fromCa(input) : fromFiles(input.folder, input);
}

function fromCa({ env, version, metrics, log, onIdentity }: IdentityInput): IdentitySource {
  const config = readConfig({ args: ["sidecar"], env, version, readFile: maybeFile });
  let roots = "";
  let own: Pick<PeerIdentity, "chain" | "key"> | undefined;
  const told: Pick<SdsServer, "publish"> = {
    publish(_, secret) {
      if (secret.kind === "roots") roots = secret.pem;
      else own = { chain: secret.chain, key: secret.key };
      if (own !== undefined && roots !== "") onIdentity(identityOf({ ...own, roots }));
    },
  };
  return createIdentity({ config, sds: told as SdsServer, metrics, log });
}

function fromFiles(folder: string, { log, onIdentity }: IdentityInput): IdentitySource {
  const path = join(folder, "cert-chain.pem");
  const read = (): void => {
    const [chain, key, roots] = ["cert-chain.pem", "key.pem", "root-cert.pem"].map((name) =>
      readFileSync(join(folder, name), "utf8"),
    ) as [string, string, string];
    onIdentity(identityOf({ chain, key: { pem: () => key }, roots }));
  };
  const again = (): void => {
    try {
      read();
    } catch (error) {
      log.warn({ folder }, `the certificate is kept: ${errorText(error)}`);
    }
  };
  return {
    start: () => {
      read();
      watchFile(path, { interval: 2_000, persistent: false }, again);
      return Promise.resolve();
    },
    close: () => {
      unwatchFile(path, again);
      return Promise.resolve();
    },
  };
}

function identityOf(given: Omit<PeerIdentity, "uri">): PeerIdentity {
  const { identity } = readCertificate(given.chain);
  if (identity !== undefined) return { ...given, uri: spiffeId(identity) };
  throw new EnvironmentError(
    "bad-certificate",
    "the certificate of the rate limit service names no workload of the mesh",
    {
      hint: "Give one that the mesh's CA issued.",
    },
  );
}

function maybeFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
