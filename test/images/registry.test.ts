import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLayout } from "../../src/images/layout.ts";
import type { Image } from "../../src/images/oci.ts";
import { pushImages } from "../../src/images/push.ts";
import { openRegistry, readRegistryImage } from "../../src/images/registry.ts";
import { challengeOf } from "../../src/images/registry-auth.ts";
import type { RegistryOptions } from "../../src/images/registry-transport.ts";
import { verifyImage } from "../../src/images/verify.ts";
import { type FakeRegistry, type Manners, startFakeRegistry } from "../support/images/fake-registry.ts";
import { makeImage } from "../support/images/make-image.ts";

// How registries differ from the reference one that test/e2e/apiserver/image-registry.test.ts talks to.

let dir = "";
let images: readonly Image[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshctl-images-"));
  ({ images } = await openLayout(await makeImage(dir, { name: "docker.io/meshctl/meshd:1", content: "meshd" })));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Pushes to a registry with these manners and reads the image back. */
async function throughRegistry(manners: Manners, options: Partial<RegistryOptions> = {}): Promise<FakeRegistry> {
  const server = await startFakeRegistry(manners);
  const registry = openRegistry(server.host, { isPlain: true, signal: new AbortController().signal, ...options });
  try {
    const [pushed] = await pushImages(images, { registry, folder: "mesh" }, () => undefined);
    const back = await readRegistryImage(registry, pushed?.name ?? "");
    expect(await verifyImage(back)).toMatchObject({
      digest: images[0]?.descriptor.digest,
      problems: [],
      sbom: { components: 1 },
    });
    return server;
  } finally {
    registry.close();
    server.stop();
  }
}

test("the tag is put last, when everything that it needs is there", async () => {
  const { requests } = await throughRegistry({});
  const puts = requests.filter((line) => line.startsWith("PUT") && line.includes("/manifests/"));
  expect(puts.at(-1)).toMatch(/\/v2\/mesh\/meshd\/manifests\/1$/);
  expect(puts[0]).toContain(images[0]?.descriptor.digest);
});

test("a registry that lists referrers gets no tag in place of the list; another does", async () => {
  const tag = images[0]?.descriptor.digest.replace(":", "-") ?? "";
  const listing = await throughRegistry({ hasReferrers: true });
  expect([...listing.manifests.keys()].filter((name) => name.endsWith(tag))).toEqual([]);
  const older = await throughRegistry({});
  expect([...older.manifests.keys()].filter((name) => name.endsWith(tag))).toHaveLength(1);
});

test("a busy registry and a connection that breaks in the middle of an upload: tried again, from the blob's start", async () => {
  const seen = new Set<string>();
  const isFirst = (key: string): boolean => !seen.has(key) && Boolean(seen.add(key));
  const { requests } = await throughRegistry({
    first: (request, response) => {
      const isUpload = request.method === "PUT" && request.url?.includes("uploads") === true;
      if (isUpload && isFirst("upload")) {
        request.once("data", () => request.socket.destroy());
        return true;
      }
      if (request.method !== "POST" || !isFirst("busy")) return false;
      response.writeHead(503).end();
      return true;
    },
  });
  const uploads = requests.filter((line) => line.startsWith("PUT") && line.includes("uploads"));
  expect(uploads[0]).toBe(uploads[1]);
});

test("a refusal is not tried again, and is told in the registry's words", async () => {
  const server = await startFakeRegistry({
    first: (request, response) => {
      if (request.method !== "POST") return false;
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"quota is used up"}]}');
      return true;
    },
  });
  const registry = openRegistry(server.host, { isPlain: true, signal: new AbortController().signal });
  const target = { registry, folder: "" };
  await expect(pushImages(images, target, () => undefined)).rejects.toThrow("answered 403: DENIED quota is used up");
  expect(server.requests.filter((line) => line.startsWith("POST"))).toHaveLength(1);
  registry.close();
  server.stop();
});

test("bytes that lie elsewhere are fetched from there, without the registry's password", async () => {
  const asked: (string | undefined)[] = [];
  let store: FakeRegistry | undefined;
  const elsewhere = createServer((request, response) => {
    asked.push(request.headers.authorization);
    const found = store?.blobs.get(request.url?.slice(1) ?? "");
    response.writeHead(found === undefined ? 404 : 200).end(found);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const address = elsewhere.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const credentials = { type: "basic", username: "ann", password: "s3cret" } as const;
  store = await startFakeRegistry({
    first: (request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
        return true;
      }
      const digest = /\/blobs\/(sha256:.*)$/.exec(request.url ?? "")?.[1];
      if (request.method !== "GET" || digest === undefined) return false;
      response.writeHead(307, { location: `http://127.0.0.1:${port}/${digest}` }).end();
      return true;
    },
  });
  const registry = openRegistry(store.host, { isPlain: true, credentials, signal: new AbortController().signal });
  const [pushed] = await pushImages(images, { registry, folder: "" }, () => undefined);
  const back = await verifyImage(await readRegistryImage(registry, pushed?.name ?? ""));
  expect(back.problems).toEqual([]);
  expect(asked.length).toBeGreaterThan(2);
  expect(asked.every((header) => header === undefined)).toBe(true);
  registry.close();
  elsewhere.close();
  store.stop();
});

test("what a registry says when it wants to know who asks", () => {
  expect(challengeOf('Bearer realm="https://t.example/token",service="r",scope="repository:a:pull"')).toEqual({
    scheme: "bearer",
    parameters: { realm: "https://t.example/token", service: "r", scope: "repository:a:pull" },
  });
  expect(challengeOf('Basic realm="Registry Realm"')).toEqual({
    scheme: "basic",
    parameters: { realm: "Registry Realm" },
  });
  expect(challengeOf('Basic realm="x", Bearer realm="https://t.example", service="r"')?.scheme).toBe("bearer");
  expect(challengeOf(undefined)).toBeUndefined();
});
