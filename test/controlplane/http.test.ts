import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { MeshError } from "../../src/base/errors.ts";
import { createBodies } from "../../src/controlplane/bodies.ts";
import { answering, type Listening, listen, parseListenAddress } from "../../src/controlplane/http.ts";
import { environmentOf } from "../../src/controlplane/injector.ts";
import { answerWebhook, type WebhookDeps } from "../../src/controlplane/webhook.ts";
import { waitFor } from "../support/wait.ts";

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function serve(deps: Partial<WebhookDeps> = {}) {
  const results: string[] = [];
  const faults: unknown[] = [];
  const full: WebhookDeps = {
    bodies: createBodies(),
    inject: () => ({ allowed: true, patch: [{ op: "add", path: "/x", value: 1 }] }),
    validate: () => ({
      allowed: false,
      message: "no host",
      warnings: ["old field"],
      causes: [{ field: "spec.hosts", message: "no host" }],
    }),
    onResult: (webhook, result) => void results.push(`${webhook} ${result}`),
    ...deps,
  };
  const handler = answering(
    (request, url) => answerWebhook(full, request, url),
    (error) => faults.push(error),
  );
  const listening = await listen(createServer(handler), { host: "127.0.0.1", port: 0 });
  open.push(listening);
  const url = `http://127.0.0.1:${listening.port}`;
  const post = async (path: string, body: string) => {
    const answer = await fetch(url + path, { method: "POST", body });
    return { status: answer.status, text: await answer.text() };
  };
  return { url, port: listening.port, post, results, faults };
}

const POD = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } };
const review = (object: unknown = POD) => JSON.stringify({ kind: "AdmissionReview", request: { uid: "u", object } });

test("reviews are answered: a patch, a refusal with warnings", async () => {
  const { post, results } = await serve();
  const injected = JSON.parse((await post("/inject/cluster/c1", review())).text) as {
    response: Record<string, unknown>;
  };
  expect(injected.response).toMatchObject({ uid: "u", allowed: true, patchType: "JSONPatch" });
  expect(JSON.parse(Buffer.from(String(injected.response["patch"]), "base64").toString())).toEqual([
    { op: "add", path: "/x", value: 1 },
  ]);
  const validated = JSON.parse((await post("/validate", review())).text) as { response: unknown };
  expect(validated.response).toEqual({
    uid: "u",
    allowed: false,
    status: {
      message: "no host",
      code: 400,
      details: { causes: [{ reason: "FieldValueInvalid", field: "spec.hosts", message: "no host" }] },
    },
    warnings: ["old field"],
  });
  expect(results).toEqual(["inject allowed", "validate refused"]);
});

test("injection fails closed and validation open, each saying so", async () => {
  const fail = () => {
    throw new Error("a defect");
  };
  const { post, results } = await serve({ inject: fail, validate: fail });
  expect((await post("/inject", review())).text).toContain('"allowed":false,"status":{"message":"a defect"');
  expect((await post("/validate", review())).text).toContain("the object could not be checked: a defect");
  expect(results).toEqual(["inject failed", "validate failed"]);
});

test("what is no review is refused, and the server goes on", async () => {
  const { post, url, port, faults } = await serve();
  for (const body of ["", "null", "[]", "{", "5", '{"kind":"AdmissionReview"}', '{"kind":"Pod","request":{"uid":"u"}}'])
    for (const path of ["/inject", "/validate"]) expect((await post(path, body)).status).toBe(400);
  for (const object of [5, "x", [], {}, { apiVersion: "v1" }, { ...POD, metadata: null }, { ...POD, kind: 1 }])
    expect((await post("/validate", review(object))).status).toBe(400);
  expect((await post("/validate", review(null))).status).toBe(200);
  expect((await post("/other", review())).status).toBe(404);
  expect((await fetch(`${url}/inject`)).status).toBe(405);
  expect((await post("/inject", `"${"x".repeat(9 * 1024 * 1024)}"`).catch(() => ({ status: 413 }))).status).toBe(413);

  const junk = connect(port, "127.0.0.1", () => junk.write("nonsense\r\n\r\n"));
  junk.on("error", () => {});
  const half = httpRequest({
    port,
    host: "127.0.0.1",
    method: "POST",
    path: "/inject",
    headers: { "content-length": 100 },
  });
  half.on("error", () => {});
  half.write("{");
  half.destroy();
  await waitFor(() => junk.destroyed, { what: "the junk connection to be closed" });
  expect((await post("/validate", review())).status).toBe(200);
  expect(faults.every((fault) => String(fault).includes("aborted"))).toBe(true);
});

test("an address that cannot be read, and a client that waits for too much, are told so and are no defects", async () => {
  const faults: unknown[] = [];
  const busy = new MeshError("busy", "too many");
  const handler = answering(
    (_, url) => (url.pathname === "/busy" ? Promise.reject(busy) : { status: 200, body: "" }),
    (error) => faults.push(error),
  );
  const listening = await listen(createServer(handler), { host: "127.0.0.1", port: 0 });
  open.push(listening);
  const status = (path: string) =>
    new Promise((resolve) => {
      httpRequest({ port: listening.port, host: "127.0.0.1", path }, (answer) => resolve(answer.statusCode)).end();
    });
  expect([await status("http://["), await status("/busy"), await status("/fine")]).toEqual([400, 429, 200]);
  expect(faults).toEqual([]);
});

test("a port in use is said clearly", async () => {
  const { port } = await serve();
  await expect(listen(createServer(), { host: "127.0.0.1", port })).rejects.toMatchObject({ code: "port-in-use" });
});

test("listen addresses and paths of webhooks are read", () => {
  expect(parseListenAddress(":8080", "::")).toEqual({ host: "::", port: 8080 });
  expect(parseListenAddress("127.0.0.1:0", "::")).toEqual({ host: "127.0.0.1", port: 0 });
  expect(parseListenAddress("[::1]:15012", "::")).toEqual({ host: "::1", port: 15012 });
  for (const text of ["", "8080", ":x", ":99999", "::1:80"]) expect(parseListenAddress(text, "::")).toBeUndefined();
  expect(environmentOf("/cluster/c1/net/n1/KEY/a--slash--b/odd")).toEqual({
    ISTIO_META_CLUSTER_ID: "c1",
    ISTIO_META_NETWORK: "n1",
    KEY: "a/b",
  });
});
