// An issuer of tokens as a program of its own. Forked: tells its address and keys, then answers { id, op, claims } in turn.
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

const ALGORITHM = "RS256";
let serial = 0;

async function makeKey() {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const kid = `key-${++serial}`;
  return { privateKey, kid, jwk: { ...(await exportJWK(publicKey)), kid, alg: ALGORITHM, use: "sig" } };
}

let current = await makeKey();
const keys = () => JSON.stringify({ keys: [current.jwk] });
const server = createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  if (request.url === "/keys") response.end(keys());
  else if (request.url === "/.well-known/openid-configuration")
    response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }));
  else response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;

const answers = {
  token: async (claims) => {
    const now = Math.floor(Date.now() / 1_000);
    const { privateKey, kid } = current;
    return new SignJWT({ iss: url, exp: now + 3_600, ...claims })
      .setProtectedHeader({ alg: ALGORITHM, kid })
      .sign(privateKey);
  },
  rotate: async () => {
    current = await makeKey();
    return keys();
  },
};

process.on("message", ({ id, op, claims }) => {
  void answers[op](claims).then((answer) => process.send({ id, answer }));
});
process.on("disconnect", () => process.exit());
process.send({ url, keys: keys() });
