import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { createKeyKeeper, fetchLimits } from "../../src/controlplane/jwks.ts";
import { fetchKeys } from "../../src/controlplane/jwks-fetch.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import { waitFor } from "../support/wait.ts";

// Keys are fetched from where users say, from inside of the cluster: what that may reach and cost has limits.
const OPEN = { allowed: ["127.0.0.0/8"], blocked: [] };
const KEYS = '{"keys":[{"kty":"RSA","n":"AQ","e":"AQAB"}]}';
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const at = (uri: string, timeoutMs = 5_000) => ({ issuer: "https://issuer.example", uri, timeoutMs });

test("keys come from an address, or from where the issuer's configuration says", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/keys") response.end(KEYS);
    else response.end(JSON.stringify({ jwks_uri: `http://${request.headers.host}/keys` }));
  });
  expect(await fetchKeys(at(`${url}/keys`), OPEN)).toBe(KEYS);
  expect(await fetchKeys({ issuer: `${url}/`, uri: "", timeoutMs: 5_000 }, OPEN)).toBe(KEYS);
});

test.each([
  "http://127.0.0.1:1/",
  "http://[::1]:1/",
  "http://169.254.169.254/latest",
  "http://localhost:1/",
  "http://0.0.0.0/",
  "http://2852039166/latest",
  "http://0x7f.1/",
  "http://[::ffff:169.254.169.254]/latest",
  "http://[64:ff9b::169.254.169.254]/latest",
  "http://[fd00:ec2::254]/latest",
  "http://100.100.100.200/latest",
  "http://168.63.129.16/",
])("%s is not asked", async (uri) => {
  await expect(fetchKeys(at(uri), { allowed: [], blocked: [] })).rejects.toThrow("is not asked for keys");
});

test("a redirect to a refused address is not followed, and not endlessly to others", async () => {
  const metadata = await serve((_, response) =>
    response.writeHead(302, { location: "http://169.254.169.254/k" }).end(),
  );
  await expect(fetchKeys(at(metadata), OPEN)).rejects.toThrow("169.254.169.254 is not asked for keys");
  const round = await serve((_, response) => response.writeHead(302, { location: "/again" }).end());
  await expect(fetchKeys(at(round), OPEN)).rejects.toThrow("more than 3 redirects");
});

test("too much, too slow, and what are no keys", async () => {
  const large = await serve((_, response) => response.end("x".repeat(2 << 20)));
  await expect(fetchKeys(at(large), OPEN)).rejects.toThrow("more than 1048576 bytes");
  const silent = await serve(() => undefined);
  await expect(fetchKeys(at(silent, 50), OPEN)).rejects.toThrow();
  const dripping = await serve((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(" "), 10);
    response.on("close", () => clearInterval(timer));
  });
  await expect(fetchKeys(at(dripping, 100), OPEN)).rejects.toThrow(/abort|timeout/i);
  const other = await serve((_, response) => response.end('{"keys":[]}'));
  await expect(fetchKeys(at(other), OPEN)).rejects.toThrow("no JSON Web Key Set");
  const missing = await serve((_, response) => response.writeHead(404).end());
  await expect(fetchKeys(at(missing), OPEN)).rejects.toThrow("status 404, expected 200");
  await expect(fetchKeys(at("file:///etc/passwd"), OPEN)).rejects.toThrow("starts with http");
});

test("ranges of the environment are checked", () => {
  expect(fetchLimits({ MESHD_JWKS_ALLOWED_CIDRS: "127.0.0.0/8, ::1/128" }).allowed).toEqual(["127.0.0.0/8", "::1/128"]);
  expect(() => fetchLimits({ BLOCKED_CIDRS_IN_JWKS_URIS: "10.0.0.0" })).toThrow("10.0.0.0 is no range");
});

test("keys are kept while an issuer fails, and fetched while somebody names it", async () => {
  let answers = 0;
  const url = await serve((_, response) => {
    answers += 1;
    if (answers === 1) response.end(KEYS);
    else response.writeHead(500).end();
  });
  const derivations = createDerivations();
  const world = createWorldStore(derivations);
  const failures: string[] = [];
  const keeper = createKeyKeeper({
    derivations,
    limits: OPEN,
    onFailure: (_, error) => failures.push(String(error)),
    refreshMs: 20,
  });
  const stop = keeper.follow(world);
  const seen: (string | undefined)[] = [];
  const unfollow = derivations.effect(() => void seen.push(keeper.keySets(at(url))));
  const object = {
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name: "a", namespace: "b" },
    spec: { jwtRules: [{ issuer: "https://issuer.example", jwksUri: url }] },
  } as Parameters<typeof world.apply>[0][number] extends { readonly object: infer O } ? O : never;
  world.apply([{ type: "set", object }]);
  await waitFor(() => failures.length > 1, { what: "failures after the first answer" });
  expect(seen).toEqual([undefined, KEYS]);
  stop();
  unfollow();
});
