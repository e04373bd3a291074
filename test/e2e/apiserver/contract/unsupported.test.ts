import { afterAll, beforeAll, expect, test } from "vitest";
import { refusal, unsupported } from "../../../../src/local/api/unsupported.ts";
import { type Backend, startBackend } from "./backends.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend("embedded");
  await backend.rest.post("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  await backend.rest.post("/api/v1/namespaces/default/pods", {
    metadata: { name: "web" },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
});
afterAll(() => backend.stop());

test("the list has no entry twice", () => {
  const names = unsupported.map((entry) => entry.name);
  expect(new Set(names).size).toBe(names.length);
});

test.each(unsupported.map((entry) => [entry.name, entry] as const))(
  "%s is refused with 501 and words",
  async (name, entry) => {
    const { status, body } = await backend.rest.call(
      entry.method,
      entry.example,
      entry.method === "GET" ? undefined : {},
    );
    expect(status).toBe(501);
    expect(body).toMatchObject({ kind: "Status", status: "Failure", reason: "NotImplemented", code: 501 });
    expect(body.message).toBe(`the embedded cluster does not have ${name}: ${entry.reason}`);
  },
);

test("nothing a client needs is on the list", () => {
  const needed = [
    "/api",
    "/apis",
    "/version",
    "/openapi/v3",
    "/api/v1/pods",
    "/api/v1/namespaces/shop/pods/web/log",
    "/api/v1/namespaces/shop/pods/web/portforward",
    "/api/v1/namespaces/shop/services/proxy",
    "/apis/apps/v1/deployments",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/networking.istio.io/v1/virtualservices",
  ];
  expect(needed.filter((path) => refusal(path) !== undefined)).toEqual([]);
});
