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
let former = current;
const keys = () => JSON.stringify({ keys: [current.jwk] });
/** How often each of the addresses below was asked. */
const asked = new Map();
const large = "x".repeat(2 << 20);
/** Addresses of issuers that are not as they should be. */
const odd = {
  "/slow": (response) => void setTimeout(() => response.end(keys()), 300),
  "/large": (response) => response.end(`{"padding":"${large}",${keys().slice(1)}`),
  "/metadata": (response) => response.writeHead(302, { location: "http://169.254.169.254/keys" }).end(),
  "/never": (response) => response.writeHead(500).end(),
  // answers from the third time on
  "/flaky": (response, times) => (times < 3 ? response.writeHead(500).end() : response.end(keys())),
  // answers the first time only
  "/once": (response, times) => (times > 1 ? response.writeHead(500).end() : response.end(keys())),
};
const server = createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  const answer = odd[request.url.split("?")[0]];
  if (answer !== undefined) {
    asked.set(request.url, (asked.get(request.url) ?? 0) + 1);
    answer(response, asked.get(request.url));
    return;
  }
  if (request.url === "/keys") response.end(keys());
  else if (request.url === "/.well-known/openid-configuration")
    response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }));
  else response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;

const answers = {
  token: async ({ key, ...claims }) => {
    const now = Math.floor(Date.now() / 1_000);
    const { privateKey, kid } = key === "former" ? former : current;
    return new SignJWT({ iss: url, exp: now + 3_600, ...claims })
      .setProtectedHeader({ alg: ALGORITHM, kid })
      .sign(privateKey);
  },
  rotate: async () => {
    former = current;
    current = await makeKey();
    return keys();
  },
};

process.on("message", ({ id, op, claims }) => {
  void answers[op](claims).then((answer) => process.send({ id, answer }));
});
process.on("disconnect", () => process.exit());
process.send({ url, keys: keys() });
