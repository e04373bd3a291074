/** What a TLS server is given: its certificate chain and key, or the roots that its clients are verified by. All PEM. */
export type TlsSecret =
  | {
      readonly kind: "certificate";
      readonly chain: string;
      readonly key: string;
      /** What the authority says about its revocation: an OCSP answer, base64 of DER. */
      readonly ocspStaple?: string;
    }
  | {
      readonly kind: "roots";
      readonly roots: string;
      /** Revocation lists. */
      readonly crl?: string;
    };

/** What names of Secrets of the cluster begin with; others are files beside the proxy (base/file-secrets.ts). */
const SCHEME = "kubernetes://";
/** What those begin with that say their namespace. */
const GATEWAY_SCHEME = "kubernetes-gateway://";
const ROOTS = "-cacert";

/** Name under which a gateway asks for the certificate of a `credentialName`. */
export function certificateSecret(credentialName: string): string {
  return `${SCHEME}${credentialName}`;
}

/** Name under which a gateway asks for the roots that verify clients of a `credentialName`. */
export function rootsSecret(credentialName: string): string {
  return `${SCHEME}${credentialName}${ROOTS}`;
}

/**
 * The Secrets of Kubernetes that a name stands for, the first that is right counts; roots may be in the certificate's own.
 * `name` alone is of the proxy's namespace; `namespace/name` and `ConfigMap/namespace/name` say where they are.
 */
export function secretObjects(name: string): { readonly kind: TlsSecret["kind"]; readonly objects: readonly string[] } {
  if (name.startsWith(GATEWAY_SCHEME)) {
    const placed = name.slice(GATEWAY_SCHEME.length);
    return placed.endsWith(ROOTS)
      ? { kind: "roots", objects: [placed.slice(0, -ROOTS.length).replace(/^Secret\//, "")] }
      : { kind: "certificate", objects: [placed] };
  }
  const object = name.slice(SCHEME.length);
  return object.endsWith(ROOTS)
    ? { kind: "roots", objects: [object, object.slice(0, -ROOTS.length)] }
    : { kind: "certificate", objects: [object] };
}

/** Whether a secret of this name is one of the cluster, which the control plane serves. */
export function isClusterSecret(name: string): boolean {
  return name.startsWith(SCHEME) || name.startsWith(GATEWAY_SCHEME);
}

/** Whether it was named by a listener of Gateway API: then its namespace has granted it, and the gateway's account needs no permission. */
export function isGrantedSecret(name: string): boolean {
  return name.startsWith(GATEWAY_SCHEME);
}

/** A Secret or ConfigMap anywhere, for listeners of Gateway API: grants have been asked for where it was named. */
interface PlacedObject {
  readonly namespace: string;
  readonly name: string;
}

/** Name under which a gateway asks for a certificate of a listener of Gateway API. */
export function gatewayCertificateSecret({ namespace, name }: PlacedObject): string {
  return `${GATEWAY_SCHEME}${namespace}/${name}`;
}

/** Name under which a gateway asks for the roots that verify clients of such a listener, from a Secret or ConfigMap. */
export function gatewayRootsSecret({ kind, namespace, name }: PlacedObject & { readonly kind: string }): string {
  return `${GATEWAY_SCHEME}${kind}/${namespace}/${name}${ROOTS}`;
}
