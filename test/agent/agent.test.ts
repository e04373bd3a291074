import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { main } from "../../src/agent.ts";
import { VERSION } from "../../src/gen/version.ts";

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item.close();
});

async function run(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const code = await main(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    env: {},
    onTerminate: () => undefined,
  });
  return { code, out, err };
}

/** Answers with the statuses in turn, the last one for ever. */
async function proxy(...statuses: number[]): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead((statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200).end("body\n");
  });
  await new Promise<void>((resolve) => void server.listen({ port: 0, host: "127.0.0.1" }, resolve));
  open.push(server);
  return { port: (server.address() as AddressInfo).port, asked };
}

test("version and help", async () => {
  expect(await run("version")).toEqual({ code: 0, out: `${VERSION}\n`, err: "" });
  expect((await run("--help")).out).toContain("mesh-agent proxy sidecar|router");
});

test("wait ends as soon as the proxy is ready", async () => {
  const { port, asked } = await proxy(503, 503, 200);
  const url = `http://127.0.0.1:${port}/healthz/ready`;
  expect(await run("wait", "--url", url, "--periodMillis", "5")).toMatchObject({ code: 0 });
  expect(asked).toEqual(Array.from({ length: 3 }, () => "GET /healthz/ready"));
});

test("wait that is in vain exits 1 and says what it saw", async () => {
  const { port } = await proxy(503);
  const url = `http://127.0.0.1:${port}/healthz/ready`;
  const result = await run("wait", "--url", url, "--timeoutSeconds", "0.05", "--periodMillis", "5");
  expect(result).toMatchObject({ code: 1, out: "not ready after 0.05 s: status 503: body\n" });
});

test("request sends one request and prints the body", async () => {
  const { port, asked } = await proxy(200, 404);
  expect(await run("request", `--debug-port=${port}`, "POST", "drain")).toEqual({ code: 0, out: "body\n", err: "" });
  expect((await run("request", `--debug-port=${port}`, "get", "/none")).code).toBe(1);
  expect(asked).toEqual(["POST /drain", "GET /none"]);
});

test.each([
  [[], "no command given"],
  [["pilot"], "unknown command pilot"],
  [["proxy", "sidecar"], "POD_NAMESPACE is not set"],
  [["request", "GET"], "request: expected METHOD PATH"],
  [["wait", "--timeoutSeconds", "-1"], "--timeoutSeconds"],
  [["wait", "--url", "nowhere"], "Invalid URL"],
  // Dry: should the check ever be lost, the rules of this machine itself must not change.
  [["istio-iptables", "--dry-run", "-m", "MIRROR"], "expected REDIRECT or TPROXY, got MIRROR"],
])("%j cannot run: exit 2 and %s", async (argv, message) => {
  const result = await run(...argv);
  expect(result.code).toBe(2);
  expect(result.err).toContain(message);
});
