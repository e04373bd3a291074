import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { createDiscoveryService, type DiscoveryResource, type DiscoveryService } from "./discovery-service.ts";

/** What a proxy asks for by name: its own certificate with the key, or the roots it trusts. */
export type SdsSecret =
  | { readonly kind: "certificate"; readonly chain: string; readonly key: { pem(): string } }
  | {
      readonly kind: "roots";
      readonly pem: string;
      /** PEM of revocation lists: peers that are on one are refused, and so are those of an authority without a list. */
      readonly revocations?: string;
      /** Whether certificates above the peer's own are left out of that. */
      readonly leafOnly?: boolean;
      /**
       * PEM of roots by the trust domain whose SPIFFE identities they vouch for, in place of `pem`: other trust domains are
       * refused. Lists of revocations stand among their roots.
       */
      readonly byTrustDomain?: Readonly<Record<string, string>>;
    };

/** Secret discovery on a unix socket, state of the world and delta. */
export interface SdsServer {
  /** Makes the secret current and pushes it to every stream that asked for its name. Equal content pushes nothing. */
  publish(name: string, secret: SdsSecret): void;
  /** Listens. Throws EnvironmentError when the socket cannot be made. */
  start(): Promise<void>;
  /** Ends all streams and removes the socket. */
  close(): Promise<void>;
}

const SECRET = "envoy.extensions.transport_sockets.tls.v3.Secret";
type Secret = Messages[typeof SECRET];
const SPIFFE = "envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig";
const SPIFFE_NAME = "envoy.tls.cert_validator.spiffe";

/**
 * A name asked for before it is published is answered when it is: Envoy then waits, which is what keeps its listeners
 * and its connection to meshd warming until there is an identity. `socketPath` may be relative to the working directory.
 * `others` are served on the same socket; `onWanted` hears which names are asked for.
 */
export function createSdsServer(
  socketPath: string,
  log: Logger,
  others: readonly Pick<DiscoveryService, "methods" | "handlers">[] = [],
  onWanted: (names: readonly string[]) => void = () => undefined,
): SdsServer {
  const secrets = createDiscoveryService({
    service: "envoy.service.secret.v3.SecretDiscoveryService",
    noun: "Secrets",
    typeUrl: `type.googleapis.com/${SECRET}`,
    onWanted,
    onRefused: (reason) => log.warn({ reason }, "Envoy refused a secret"),
  });
  const server = new Server();
  for (const { methods, handlers } of [secrets, ...others]) server.addService(methods, handlers);
  return {
    publish: (name, secret) => secrets.publish(name, resourceOf(name, secret)),
    start: () => listen(server, socketPath),
    close: () => {
      server.forceShutdown();
      rmSync(socketPath, { force: true });
      return Promise.resolve();
    },
  };
}

function resourceOf(name: string, secret: SdsSecret): DiscoveryResource {
  const content = secret.kind === "certificate" ? certificateOf(secret) : { validation_context: rootsOf(secret) };
  // a key goes with its chain
  const text = secret.kind === "certificate" ? secret.chain : JSON.stringify(content);
  const version = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { version, resource: typed(SECRET, { name, ...content }) };
}

function certificateOf(secret: Extract<SdsSecret, { kind: "certificate" }>): Pick<Secret, "tls_certificate"> {
  return { tls_certificate: { certificate_chain: source(secret.chain), private_key: source(secret.key.pem()) } };
}

function rootsOf(secret: Extract<SdsSecret, { kind: "roots" }>): NonNullable<Secret["validation_context"]> {
  const { pem, revocations, leafOnly = false, byTrustDomain } = secret;
  if (byTrustDomain !== undefined) {
    const trust_domains = Object.entries(byTrustDomain).map(([name, text]) => ({
      name,
      trust_bundle: source(text),
    }));
    return { custom_validator_config: { name: SPIFFE_NAME, typed_config: typed(SPIFFE, { trust_domains }) } };
  }
  const lists = revocations === undefined ? {} : { crl: source(revocations), only_verify_leaf_cert_crl: leafOnly };
  return { trusted_ca: source(pem), ...lists };
}

/** As bytes, though it is text: istioctl and Istio's tools look for certificates there alone. */
function source(pem: string): { readonly inline_bytes: string } {
  return { inline_bytes: Buffer.from(pem).toString("base64") };
}

/** A longer path is cut by the system without a word. */
const MAX_SOCKET_PATH = 107;

function listen(server: Server, socketPath: string): Promise<void> {
  const hint = `Use a path of at most ${MAX_SOCKET_PATH} bytes in a directory that can be written.`;
  const refuse = (words: string, cause?: unknown): EnvironmentError =>
    new EnvironmentError("agent-sds", `cannot listen on ${socketPath}: ${words}`, { hint, cause });
  const length = Buffer.byteLength(socketPath);
  if (length > MAX_SOCKET_PATH) return Promise.reject(refuse(`the path has ${length} bytes`));
  return new Promise((resolve, reject) => {
    try {
      mkdirSync(dirname(socketPath), { recursive: true });
      // Left by an agent that was killed; a living one would hold the pod's other ports too.
      rmSync(socketPath, { force: true });
    } catch (cause) {
      reject(refuse(errorText(cause), cause));
      return;
    }
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) => {
      if (error !== null) {
        reject(refuse(error.message, error));
        return;
      }
      chmodSync(socketPath, 0o600);
      resolve();
    });
  });
}
