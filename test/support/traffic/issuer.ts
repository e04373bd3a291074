import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** An issuer of tokens with a real address: OpenID configuration, keys, and keys that can be changed. */
export interface Issuer {
  /** `http://127.0.0.1:PORT`; its keys are at `/keys`. */
  readonly url: string;
  /** The keys as they are now. */
  keys(): string;
  /** A token with these claims; `iss` is the issuer and `exp` an hour away unless they are said. */
  token(claims: Readonly<Record<string, unknown>>): Promise<string>;
  /** From now on signs with a new key, and serves only that one. */
  rotate(): Promise<void>;
  close(): void;
}

const ALGORITHM = "RS256";

/** Starts an issuer. */
export async function startIssuer(): Promise<Issuer> {
  let serial = 0;
  const make = async () => {
    const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
    const kid = `key-${++serial}`;
    const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: ALGORITHM, use: "sig" };
    return { privateKey, jwk, kid };
  };
  let current = await make();
  const keys = (): string => JSON.stringify({ keys: [current.jwk] });
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.url === "/keys") response.end(keys());
    else if (request.url === "/.well-known/openid-configuration")
      response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    keys,
    async token(claims) {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT({ iss: url, exp: now + 3_600, ...claims })
        .setProtectedHeader({ alg: ALGORITHM, kid: current.kid })
        .sign(current.privateKey);
    },
    async rotate() {
      current = await make();
    },
    close: () => server.close(),
  };
}
