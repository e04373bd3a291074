import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { VERSION } from "../../src/gen/version.ts";

const samples = join(dirname(fileURLToPath(import.meta.url)), "../../samples");
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

test("web asks catalog and cart, cart asks the ledger; each answer names version and pod", async () => {
  const { env, web } = await startShop();
  expect(await run(env, "--url", `http://127.0.0.1:${web}/`, "--requests", "20", "--concurrency", "4")).toMatchObject({
    requests: 20,
    status: { 200: 20 },
    version: { v2: 20 },
    error: {},
  });
  const bought = await fetch(`http://127.0.0.1:${web}/buy/kettle`, { method: "POST" });
  expect(await bought.json()).toMatchObject({ service: "web", cart: { service: "cart", total: 30, bought: 1 } });
  const page: unknown = await (await fetch(`http://127.0.0.1:${web}/`)).json();
  expect(page).toMatchObject({
    catalog: { version: "v2", pod: "catalog-1", items: [{ id: "kettle", price: 30 }, {}, {}] },
  });
});

test("the client role sends from where it runs and answers with the tally alone", async () => {
  const { env } = await startShop();
  const client = await start(env, "server.mjs", "--role", "client");
  const ask = async (path: string): Promise<unknown> => (await fetch(`http://127.0.0.1:${client}${path}`)).json();
  expect(await ask("/run?url=http://catalog:8000/items&requests=6&concurrency=3&header=x-user:a")).toEqual({
    requests: 6,
    status: { 200: 6 },
    version: { v2: 6 },
    pod: { "catalog-1": 6 },
    error: {},
    latency: expect.any(Object) as object,
  });
  expect(await ask("/tcp?to=ledger:9000&line=PING&requests=2")).toMatchObject({ requests: 2, status: { PONG: 2 } });
  expect(await ask("/run")).toMatchObject({ service: "client", error: "give url" });
});

test("raw TCP to the ledger is counted by the first word of the answer", async () => {
  const { env } = await startShop();
  expect(await run(env, "--tcp", "ledger:9000", "--requests", "5")).toMatchObject({
    requests: 5,
    status: { PONG: 5 },
    pod: { "ledger-1": 5 },
  });
  expect(await run(env, "--tcp", "ledger:9000", "--line", "nonsense")).toMatchObject({ status: { ERROR: 1 } });
});

test("with http_proxy the request goes there in absolute form, trace headers included", async () => {
  const seen: IncomingMessage[] = [];
  const proxy = createServer((request, response) => {
    seen.push(request);
    response.end(JSON.stringify({ service: "stand-in", version: "v9" }));
  });
  await new Promise<void>((resolve) => void proxy.listen({ port: 0, host: "127.0.0.1" }, resolve));
  const { port } = proxy.address() as AddressInfo;
  const web = await start({ http_proxy: `http://127.0.0.1:${port}`, PORT: "0" }, "server.mjs", "--role", "web");
  const answer = await fetch(`http://127.0.0.1:${web}/`, { headers: { "x-request-id": "r1", "x-other": "no" } });
  const env = { http_proxy: `http://127.0.0.1:${port}`, no_proxy: "localhost,127.0.0.0/8" };
  expect(await run(env, "--url", `http://127.1.2.3:${web}/healthz`)).toMatchObject({ version: { v1: 1 } });
  expect(await run(env, "--url", "http://other/")).toMatchObject({ version: { v9: 1 } });
  proxy.close();
  expect(await answer.json()).toMatchObject({ catalog: { version: "v9" } });
  const asked = new Map(seen.map((request) => [request.url, request.headers.host]));
  expect(asked.get("http://cart:8000/cart")).toBe("cart:8000");
  expect(asked.get("http://catalog:8000/items")).toBe("catalog:8000");
  expect(seen[0]?.headers).toMatchObject({ "x-request-id": "r1" });
  expect(seen[0]?.headers["x-other"]).toBeUndefined();
});

test("the caller's SPIFFE id is shown; what cannot be reached is an error in words", async () => {
  const env = { PORT: "0", LEDGER_SERVICE_HOST: "127.0.0.1", LEDGER_SERVICE_PORT: "1" };
  const cart = await start(env, "server.mjs", "--role", "cart");
  const xfcc = "By=spiffe://cluster.local/ns/shop/sa/cart;Hash=1;URI=spiffe://cluster.local/ns/shop/sa/web";
  const answer = await fetch(`http://127.0.0.1:${cart}/cart`, { headers: { "x-forwarded-client-cert": xfcc } });
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({
    caller: "spiffe://cluster.local/ns/shop/sa/web",
    error: expect.stringContaining("ECONNREFUSED") as string,
  });
});

test("echo takes the flags of hashicorp/http-echo and binds where it is told", async () => {
  const port = await start(
    { BIND_ADDRESS: "127.0.0.3" },
    "echo.mjs",
    "-text=hello there",
    "-listen=:0",
    "-status-code",
    "201",
  );
  const answer = await fetch(`http://127.0.0.3:${port}/any`);
  expect([answer.status, await answer.text()]).toEqual([201, "hello there\n"]);
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow("fetch failed");
});

test("a client that gets no answer exits 1 and counts the errors; wrong flags exit 2", async () => {
  const failed = await promisify(execFile)("node", [
    join(samples, "app/client.mjs"),
    "--url",
    "http://127.0.0.1:1/",
  ]).catch((error: { code: number; stdout: string }) => error);
  expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining('"error":{"ECONNREFUSED":1}') as string });
  const wrong = await promisify(execFile)("node", [join(samples, "app/client.mjs"), "--ulr", "x"]).catch(
    (error: unknown) => error,
  );
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown flag --ulr") as string });
});

test("every sample file is YAML with kinds and names, and images carry this version", () => {
  const files = readdirSync(samples, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
  expect(files.length).toBeGreaterThan(12);
  for (const file of files) {
    const text = readFileSync(join(samples, file), "utf8");
    for (const document of parseAllDocuments(text)) {
      expect(document.errors, file).toEqual([]);
      expect(document.toJS(), file).toMatchObject({
        kind: expect.any(String) as string,
        metadata: { name: expect.any(String) as string },
      });
    }
    for (const [, tag] of text.matchAll(/image: docker\.io\/meshctl\/samples:(\S+)/g)) expect(tag, file).toBe(VERSION);
  }
});

async function startShop(): Promise<{ env: Record<string, string>; web: number }> {
  const at = (name: string, port: number): Record<string, string> => ({
    [`${name}_SERVICE_HOST`]: "127.0.0.1",
    [`${name}_SERVICE_PORT`]: String(port),
  });
  const common = { PORT: "0" };
  const ledger = at("LEDGER", await start({ ...common, POD_NAME: "ledger-1" }, "server.mjs", "--role", "ledger"));
  const catalogEnv = { ...common, POD_NAME: "catalog-1", VERSION: "v2" };
  const catalog = at("CATALOG", await start(catalogEnv, "server.mjs", "--role", "catalog"));
  const cart = at("CART", await start({ ...common, ...ledger }, "server.mjs", "--role", "cart"));
  const env = { ...common, ...ledger, ...catalog, ...cart };
  return { env, web: await start(env, "server.mjs", "--role", "web") };
}

/** Starts one sample program and resolves with the port that it says it listens on. */
async function start(env: Record<string, string>, program: string, ...args: string[]): Promise<number> {
  const child = spawn("node", [join(samples, "app", program), ...args], { env: { PATH: process.env["PATH"], ...env } });
  running.push(child);
  return new Promise((resolve, reject) => {
    let text = "";
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      const port = /listens on .*:(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", (code) => reject(new Error(`${program} ended with ${code}: ${text}`)));
  });
}

async function run(env: Record<string, string>, ...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)("node", [join(samples, "app/client.mjs"), ...args], {
    env: { PATH: process.env["PATH"], ...env },
  });
  return JSON.parse(stdout);
}
