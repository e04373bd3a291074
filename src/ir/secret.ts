/** What a TLS server is given: its certificate chain and key, or the roots that its clients are verified by. All PEM. */
export type TlsSecret =
  | { readonly kind: "certificate"; readonly chain: string; readonly key: string }
  | { readonly kind: "roots"; readonly roots: string };

const SCHEME = "kubernetes://";
const ROOTS = "-cacert";

/** Name under which a gateway asks for the certificate of a `credentialName`. */
export function certificateSecret(credentialName: string): string {
  return `${SCHEME}${credentialName}`;
}

/** Name under which a gateway asks for the roots that verify clients of a `credentialName`. */
export function rootsSecret(credentialName: string): string {
  return `${SCHEME}${credentialName}${ROOTS}`;
}

/** The Secrets of Kubernetes that a name stands for, the first that is right counts; roots may be in the certificate's own. */
export function secretObjects(name: string): { readonly kind: TlsSecret["kind"]; readonly objects: readonly string[] } {
  const object = name.slice(SCHEME.length);
  return object.endsWith(ROOTS)
    ? { kind: "roots", objects: [object, object.slice(0, -ROOTS.length)] }
    : { kind: "certificate", objects: [object] };
}
