import { ServerCredentials } from "@grpc/grpc-js";

/** What a server shows (PEM) and whose client certificates it takes. */
export interface ServerIdentity {
  /** Leaf, then intermediates. */
  readonly certificate: string;
  readonly key: { pem(): string };
  /** Roots of client certificates. */
  readonly clientRoots: string;
  /** Default: 1.3 and later. */
  readonly tls?: ServingTls;
}

/** Versions of TLS that a server of ours may be told to take. */
type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** What a server of ours takes of TLS, by Node's names; what is absent is as usual. */
export interface ServingTls {
  /** The oldest. */
  readonly minVersion: TlsVersion;
  readonly maxVersion?: TlsVersion;
  /** OpenSSL's names with colons. */
  readonly ciphers?: string;
  readonly ecdhCurve?: string;
}

/** How long a client may take for its handshake, in milliseconds: whoever says nothing holds a socket no longer. */
export const HANDSHAKE_MS = 10_000;

/**
 * Server credentials under which a client may show a certificate and need not. A certificate that is expired or that another
 * CA signed counts as none: the connection stands, `peerOf` says nothing of it. `createSsl` of grpc-js either asks for none or
 * insists, and none of its credentials can set the TLS version: hence a kind of our own, which
 * test/grpc/mixed-credentials.test.ts pins. A class since grpc-js wants one.
 */
export class MixedCredentials extends ServerCredentials {
  constructor(first: ServerIdentity) {
    super({ requestCert: true, rejectUnauthorized: false, handshakeTimeout: HANDSHAKE_MS }, contextOf(first));
  }

  /** Takes effect for new connections. */
  update(identity: ServerIdentity): void {
    this.updateSecureContextOptions(contextOf(identity));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** What is taken of TLS stands here, not among the server's options: each update sets it anew. */
function contextOf({ certificate, key, clientRoots, tls = { minVersion: "TLSv1.3" } }: ServerIdentity): ServingTls & {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
} {
  const [ca, cert] = [Buffer.from(clientRoots), Buffer.from(certificate)];
  return { ca, cert, key: Buffer.from(key.pem()), ...tls };
}
