import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fetchModule, type FetchRequest } from "../../../src/agent/extensions/module-fetch.ts";
import { openRegistry } from "../../../src/images/registry.ts";
import { TAR_END, tarHeader, tarPadding } from "../../../src/images/tar.ts";
import { type FakeRegistry, startFakeRegistry } from "../../support/images/fake-registry.ts";
import { sha256 } from "../../support/wasm/module.ts";

/** Enough of a module for what looks at its first bytes. */
const MODULE = Buffer.concat([Buffer.from("\0asm", "latin1"), Buffer.from([1, 0, 0, 0])]);
const tar = (name: string): Buffer =>
  Buffer.concat([tarHeader(name, MODULE.length), MODULE, tarPadding(MODULE.length), TAR_END]);

const FILES: Readonly<Record<string, Buffer>> = {
  "/module.wasm": MODULE,
  "/module.tar": tar("filters/module.wasm"),
  "/module.tar.gz": gzipSync(tar("plugin.wasm")),
  "/module.wasm.gz": gzipSync(MODULE),
  "/page.html": Buffer.from("<html></html>"),
};

let server: Server;
let url = "";
let registry: FakeRegistry;
let user: string | undefined;
let manifestDigest = "";

beforeAll(async () => {
  server = createServer((request, response) => {
    const found = FILES[request.url ?? ""];
    response.writeHead(found === undefined ? 404 : 200).end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  registry = await startFakeRegistry({
    first(request, response) {
      user = request.headers.authorization;
      if (request.method !== "GET" || !request.url?.includes("/private/") || user === `Basic ${SECRET}`) return false;
      response.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end();
      return true;
    },
  });
  manifestDigest = await push("filters/plain", "application/vnd.module.wasm.content.layer.v1+wasm", MODULE);
  await push("filters/image", "application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(tar("./plugin.wasm")));
  await push("private/plain", "application/wasm", MODULE);
});
afterAll(() => {
  server.close();
  registry.stop();
});

const SECRET = Buffer.from("robot:word").toString("base64");

/** Pushes an artifact of one layer as `:1.0`; the digest of its manifest. */
async function push(repository: string, mediaType: string, layer: Buffer): Promise<string> {
  const open = openRegistry(registry.host, { isPlain: true, signal: new AbortController().signal });
  const blob = async (bytes: Buffer, type: string): Promise<object> => {
    const descriptor = { mediaType: type, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
    async function* parts(): AsyncIterable<Uint8Array> {
      yield bytes;
    }
    await open.putBlob({ repository, descriptor, open: parts });
    return descriptor;
  };
  const config = await blob(Buffer.from("{}"), "application/vnd.module.wasm.config.v1+json");
  const layers = [await blob(layer, mediaType)];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers }));
  const digest = `sha256:${sha256(bytes)}`;
  const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: bytes.length };
  await open.putManifest(repository, "1.0", { descriptor, bytes });
  open.close();
  return digest.slice("sha256:".length);
}

function ask(of: string, more: Partial<FetchRequest> = {}): ReturnType<typeof fetchModule> {
  const request = { url: of, sha256: "", timeout: 5_000, signal: new AbortController().signal, ...more };
  return fetchModule(request, { insecure: [registry.host] });
}

describe("from a server", () => {
  test.each(["/module.wasm", "/module.tar", "/module.tar.gz", "/module.wasm.gz"])(
    "%s; its checksum is that of what is there",
    async (path) => {
      const { bytes, checksum } = await ask(url + path);
      expect(Buffer.from(bytes)).toEqual(MODULE);
      expect(checksum).toBe(sha256(FILES[path]!));
    },
  );

  test("with the right checksum", async () => {
    expect((await ask(`${url}/module.wasm`, { sha256: sha256(MODULE) })).checksum).toBe(sha256(MODULE));
  });

  test("with another checksum it is refused, both named", async () => {
    const wanted = "0".repeat(64);
    await expect(ask(`${url}/module.wasm`, { sha256: wanted })).rejects.toThrow(
      `${url}/module.wasm: expected a module with checksum ${wanted}, got ${sha256(MODULE)}`,
    );
  });

  test.each([
    ["/page.html", "no WebAssembly module"],
    ["/absent", "404"],
  ])("%s is refused: %s", async (path, words) => {
    await expect(ask(url + path)).rejects.toThrow(words);
  });

  test("a server that does not answer in time", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    await expect(ask(`http://127.0.0.1:${port}/`, { timeout: 50 })).rejects.toThrow("timeout");
    silent.closeAllConnections();
    silent.close();
  });
});

describe("from a registry", () => {
  test.each(["plain", "image"])("%s, by tag", async (name) => {
    expect(Buffer.from((await ask(`oci://${registry.host}/filters/${name}:1.0`)).bytes)).toEqual(MODULE);
  });

  test("the checksum is the manifest's", async () => {
    expect((await ask(`oci://${registry.host}/filters/plain:1.0`)).checksum).toBe(manifestDigest);
    await expect(ask(`oci://${registry.host}/filters/plain:1.0`, { sha256: sha256(MODULE) })).rejects.toThrow(
      manifestDigest,
    );
  });

  test("by digest", async () => {
    const { bytes } = await ask(`oci://${registry.host}/filters/plain@sha256:${manifestDigest}`);
    expect(Buffer.from(bytes)).toEqual(MODULE);
  });

  test("with the Secret's credentials for that registry, and only those", async () => {
    const pullSecret = JSON.stringify({ auths: { [registry.host]: { auth: SECRET } } });
    const { bytes } = await ask(`oci://${registry.host}/private/plain:1.0`, { pullSecret });
    expect(Buffer.from(bytes)).toEqual(MODULE);
    expect(user).toBe(`Basic ${SECRET}`);
    const other = JSON.stringify({ auths: { "other.example.com": { auth: SECRET } } });
    await expect(ask(`oci://${registry.host}/private/plain:1.0`, { pullSecret: other })).rejects.toThrow("401");
  });

  test("a Secret that is not there: nothing is asked", async () => {
    const before = registry.requests.length;
    await expect(ask(`oci://${registry.host}/filters/plain:1.0`, { pullSecret: "" })).rejects.toThrow(
      "imagePullSecret is not there",
    );
    expect(registry.requests.length).toBe(before);
  });

  test("helpers that a Secret names are not run", async () => {
    const pullSecret = JSON.stringify({ credsStore: "meshctl-must-not-run", auths: {} });
    expect((await ask(`oci://${registry.host}/filters/plain:1.0`, { pullSecret })).checksum).toBe(manifestDigest);
  });

  test("no such tag", async () => {
    await expect(ask(`oci://${registry.host}/filters/plain:2.0`)).rejects.toThrow("2.0");
  });
});
