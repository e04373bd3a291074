import { experimental, type ServerCredentials } from "@grpc/grpc-js";

/** What a server shows (PEM) and whose client certificates it takes. */
export interface ServerIdentity {
  /** Leaf, then intermediates. */
  readonly certificate: string;
  readonly key: { pem(): string };
  /** Roots of client certificates. */
  readonly clientRoots: string;
}

/**
 * Server credentials under which a client may show a certificate and need not. A certificate that is expired or that another
 * CA signed counts as none: the connection stands, `peerOf` says nothing of it. `createSsl` of grpc-js cannot do this (it
 * either asks for none or insists), its certificate-provider credentials can; test/grpc/mixed-credentials.test.ts pins it.
 */
export interface MixedCredentials {
  readonly credentials: ServerCredentials;
  /** Takes effect for new connections. */
  readonly update: (identity: ServerIdentity) => void;
}

/** Builds the credentials; connections are dropped until the first `update`. */
export function createMixedCredentials(first: ServerIdentity): MixedCredentials {
  const provider = createProvider(first);
  return {
    credentials: experimental.createCertificateProviderServerCredentials(provider, provider, false),
    update: provider.update,
  };
}

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

function createProvider(first: ServerIdentity): experimental.CertificateProvider & {
  readonly update: (identity: ServerIdentity) => void;
} {
  let current = first;
  const caListeners = new Set<CaListener>();
  const identityListeners = new Set<IdentityListener>();
  const ca = (): experimental.CaCertificateUpdate => ({ caCertificate: Buffer.from(current.clientRoots) });
  const identity = (): experimental.IdentityCertificateUpdate => ({
    certificate: Buffer.from(current.certificate),
    privateKey: Buffer.from(current.key.pem()),
  });
  return {
    update(next) {
      current = next;
      for (const listener of caListeners) listener(ca());
      for (const listener of identityListeners) listener(identity());
    },
    addCaCertificateListener(listener) {
      caListeners.add(listener);
      // Told at once, grpc-js would lose the first update: it adds its own watcher only after this returns.
      process.nextTick(() => listener(ca()));
    },
    removeCaCertificateListener: (listener) => void caListeners.delete(listener),
    addIdentityCertificateListener(listener) {
      identityListeners.add(listener);
      process.nextTick(() => listener(identity()));
    },
    removeIdentityCertificateListener: (listener) => void identityListeners.delete(listener),
  };
}
