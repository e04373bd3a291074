import type { TlsSecret } from "../ir/secret.ts";
import type { Messages } from "../wire/codec.ts";

/** A secret for Envoy. It holds a private key: it goes to the proxy it is for, and nowhere else. */
export function buildSecret(
  name: string,
  secret: TlsSecret,
): Messages["envoy.extensions.transport_sockets.tls.v3.Secret"] {
  if (secret.kind === "roots") {
    const { roots, crl } = secret;
    const lists = crl === undefined ? {} : { crl: { inline_string: crl } };
    return { name, validation_context: { trusted_ca: { inline_string: roots }, ...lists } };
  }
  const { chain, key, ocspStaple } = secret;
  const staple = ocspStaple === undefined ? {} : { ocsp_staple: { inline_bytes: ocspStaple } };
  return {
    name,
    tls_certificate: { certificate_chain: { inline_string: chain }, private_key: { inline_string: key }, ...staple },
  };
}
