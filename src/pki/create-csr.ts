import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { generateKey, type PrivateKey } from "./private-key.ts";
import { type Identity, spiffeId } from "./spiffe.ts";

/**
 * A new key and a request for it. The subject is empty, the identity the one name: our CA takes identity from the caller, never
 * from here; external issuers sign what stands here, after comparing it with the caller.
 *
 * Such a request is a handful of bytes around the public key, so it is put together here: the X.509 library takes 12 MB, in
 * every pod, for them (docs/internals/agent-memory.md). A test has the library read it.
 */
export async function createCsr(identity?: Identity): Promise<{ readonly csr: string; readonly key: PrivateKey }> {
  const { key } = await generateKey();
  const secret = createPrivateKey(key.pem());
  const publicKey = createPublicKey(secret).export({ type: "spki", format: "der" });
  const attributes = identity === undefined ? NO_ATTRIBUTES : nameRequest(spiffeId(identity));
  const info = der(SEQUENCE, VERSION_0, EMPTY_NAME, publicKey, attributes);
  const signature = sign("sha256", info, secret);
  const request = der(SEQUENCE, info, ECDSA_SHA256, der(BIT_STRING, Buffer.of(0), signature));
  const body = request.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return { csr: `-----BEGIN CERTIFICATE REQUEST-----\n${body}\n-----END CERTIFICATE REQUEST-----\n`, key };
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const VERSION_0 = Buffer.of(0x02, 0x01, 0x00);
const EMPTY_NAME = Buffer.of(SEQUENCE, 0x00);
/** Context tag 0, empty. */
const NO_ATTRIBUTES = Buffer.of(0xa0, 0x00);
/** AlgorithmIdentifier of ecdsa-with-SHA256, 1.2.840.10045.4.3.2. */
const ECDSA_SHA256 = Buffer.of(SEQUENCE, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);

const OBJECT_ID = 0x06;
const OCTETS = 0x04;
const SET = 0x31;
const ATTRIBUTES = 0xa0;
/** uniformResourceIdentifier of a GeneralName. */
const URI = 0x86;
const TRUE = Buffer.of(0x01, 0x01, 0xff);
/** 1.2.840.113549.1.9.14 */
const EXTENSION_REQUEST = der(OBJECT_ID, Buffer.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e));
/** 2.5.29.17 */
const ALTERNATIVE_NAME = der(OBJECT_ID, Buffer.of(0x55, 0x1d, 0x11));

/** The attribute that asks for one critical alternative name, a URI. */
function nameRequest(uri: string): Buffer {
  const names = der(OCTETS, der(SEQUENCE, der(URI, Buffer.from(uri, "ascii"))));
  const extensions = der(SEQUENCE, der(SEQUENCE, ALTERNATIVE_NAME, TRUE, names));
  return der(ATTRIBUTES, der(SEQUENCE, EXTENSION_REQUEST, der(SET, extensions)));
}

/** One DER element: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
