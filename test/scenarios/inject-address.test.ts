import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createRoot, issueServing } from "../../src/pki/ca.ts";

const folder = mkdtempSync(join(tmpdir(), "meshctl-address-"));
afterAll(() => rmSync(folder, { recursive: true }));

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: app, image: x }] } } }
`;

test("an address with TLS: a server that is not trusted is told, one that is trusted is read", async () => {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const root = await createRoot("cluster.local", validity);
  const { certificate, key } = await issueServing(root, { dns: ["localhost"] }, validity);
  const server = createServer({ cert: certificate, key: key.pem() }, (request, answer) => {
    if (request.url !== "/app.yaml") answer.statusCode = 404;
    answer.end(deployment);
  }).listen(0, "localhost");
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, root.certificate);
  const meshctl = (path: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; out: string; err: string }> =>
    new Promise((resolve) => {
      const args = [join(import.meta.dirname, "../../bin/meshctl.js"), "inject", "-f", `${url}${path}`];
      const child = execFile(process.execPath, args, { env }, (_, out, err) =>
        resolve({ code: child.exitCode, out, err }),
      );
    });
  const [read, unknown, missing] = await Promise.all([
    meshctl("/app.yaml", { NODE_EXTRA_CA_CERTS: ca }),
    meshctl("/app.yaml", {}),
    meshctl("/none.yaml", { NODE_EXTRA_CA_CERTS: ca }),
  ]);
  server.close();
  expect(read.out).toContain("istio-proxy");
  expect(read.code).toBe(0);
  expect(unknown).toMatchObject({
    code: 2,
    out: "",
    err: expect.stringContaining(`${url}/app.yaml cannot be read: `) as string,
  });
  expect(unknown.err).toContain("certificate");
  expect(missing).toMatchObject({
    code: 2,
    out: "",
    err: expect.stringContaining("the server answered 404 Not Found") as string,
  });
});
