import { readFileSync, statSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { errorText } from "../base/errors.ts";
import { type FileSecret, readFileSecret, SYSTEM_ROOTS } from "../base/file-secrets.ts";
import type { Logger } from "../base/logger.ts";
import type { SdsSecret, SdsServer } from "../grpc/sds-server.ts";
import type { Runner } from "./runner.ts";

/** What stands in files, apart from this machine in tests. */
export interface Files {
  /** Text of a file; throws when it cannot be read. */
  read(path: string): string;
  /** Changes when the file does; undefined: it is not there. */
  stamp(path: string): string | undefined;
}

export interface FileSecretsDeps {
  readonly sds: Pick<SdsServer, "publish">;
  readonly log: Logger;
  /** Default: this machine's, paths as they are (relative to the agent's folder). */
  readonly files?: Files;
  /** How often files are looked at, in milliseconds. Mounts change by swapping links, which file events miss. */
  readonly interval?: number;
}

/** A runner that is told which names proxies ask for. */
export interface FileSecrets extends Runner {
  wanted(names: readonly string[]): void;
}

const INTERVAL = 2_000;

/**
 * Consumes certificates, keys, roots and revocation lists in files; offers them by SDS under the names of base/file-secrets.ts,
 * and again when they change. A file that is missing or cannot be read holds up only the connections that need it: Envoy stops
 * waiting, and they fail. It is offered when it comes.
 */
export function createFileSecrets({ sds, log, files = MACHINE, interval = INTERVAL }: FileSecretsDeps): FileSecrets {
  const known = new Map<string, { readonly secret: FileSecret; stamp: string }>();
  let timer: NodeJS.Timeout | undefined;
  const look = (name: string): void => {
    const entry = known.get(name);
    if (entry === undefined) return;
    const stamp = stampOf(files, entry.secret);
    if (stamp === entry.stamp) return;
    entry.stamp = stamp;
    try {
      sds.publish(name, read(files, entry.secret));
    } catch (error) {
      log.warn({ name }, `no secret from files: ${errorText(error)}`);
    }
  };
  return {
    name: "file-secrets",
    start: () => {
      timer = setInterval(() => {
        for (const name of known.keys()) look(name);
      }, interval).unref();
      return Promise.resolve();
    },
    wanted(names) {
      for (const name of names) {
        const secret = readFileSecret(name);
        if (secret === undefined || known.has(name)) continue;
        known.set(name, { secret, stamp: "never" });
        look(name);
      }
    },
    close: () => {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}

function stampOf(files: Files, secret: FileSecret): string {
  const paths = secret.kind === "certificate" ? [secret.certificate, secret.key] : [secret.file, secret.crl ?? ""];
  return paths.map((path) => files.stamp(path) ?? "none").join(" ");
}

function read(files: Files, secret: FileSecret): SdsSecret {
  if (secret.kind === "certificate") {
    const key = files.read(secret.key);
    return { kind: "certificate", chain: files.read(secret.certificate), key: { pem: () => key } };
  }
  const pem = secret.file === SYSTEM_ROOTS ? systemRoots(files) : files.read(secret.file);
  return secret.crl === undefined
    ? { kind: "roots", pem }
    : { kind: "roots", pem, revocations: files.read(secret.crl) };
}

/** Where systems keep the authorities they trust. */
const SYSTEM_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** The system's, or where it has none (a small image) those that Node brings along. */
function systemRoots(files: Files): string {
  const file = SYSTEM_FILES.find((path) => files.stamp(path) !== undefined);
  return file === undefined ? rootCertificates.map((pem) => `${pem}\n`).join("") : files.read(file);
}

const MACHINE: Files = {
  read: (path) => readFileSync(path, "utf8"),
  stamp(path) {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? undefined : `${stat.ino}.${stat.mtimeMs}.${stat.size}`;
  },
};
