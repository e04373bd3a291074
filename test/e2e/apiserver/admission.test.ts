import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubeObject } from "../../../src/resources/object.ts";
import { type Installed, install } from "../../support/controlplane/installed.ts";
import { createRestClient, type RestAnswer, type RestClient } from "../../support/kube/rest-client.ts";
import { waitFor } from "../../support/wait.ts";

// The validating webhook of meshd as a real kube-apiserver asks it: refusals in our words and with the field, warnings in the
// header that kubectl prints, dry runs without a trace, and the failure policy before and after meshd could be reached.

const CONFIGS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const SERVICES = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices";

let mesh: Installed;
let client: RestClient;

beforeAll(async () => {
  mesh = await install();
  client = createRestClient({ url: mesh.server.url, ca: mesh.server.caPem, token: mesh.server.adminToken });
});

afterAll(async () => {
  client?.close();
  await mesh?.stop();
});

const service = (name: string, http: object): KubeObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name, namespace: "shop" },
  spec: { hosts: ["reviews"], http: [http] },
});
const route = [{ destination: { host: "reviews" } }];
/** What the schema of the CRD lets pass, and only the webhook refuses. */
const bad = (name: string): KubeObject => service(name, { route, match: [{ uri: { regex: "(?!a)" } }] });

/** What the tests look at in an answer: an object, or the Status of a refusal. */
interface Body extends KubeObject {
  readonly message: string;
  readonly details: { readonly causes: readonly unknown[] };
  readonly webhooks: readonly Hook[];
}

const bodyOf = (answer: RestAnswer): Body => answer.body as Body;

interface Hook {
  readonly name: string;
  readonly failurePolicy: string;
  readonly clientConfig: { readonly caBundle?: string };
}

async function installedHooks(): Promise<readonly Hook[]> {
  return bodyOf(await client.get(`${CONFIGS}/istio-validator-istio-system`)).webhooks;
}

/** Of what validates; who deletes is only written down, and never waited for. */
async function policies(): Promise<readonly string[]> {
  const hooks = await installedHooks();
  const [audits, validations] = [true, false].map((is) => hooks.filter(({ name }) => name.includes("audit") === is));
  expect(audits?.map(({ failurePolicy }) => failurePolicy)).toEqual(["Ignore", "Ignore"]);
  return validations?.map(({ failurePolicy }) => failurePolicy) ?? [];
}

test("before meshd runs, its absence is in nobody's way", async () => {
  expect(await policies()).toEqual(["Ignore", "Ignore"]);
  const { status } = await client.post(SERVICES, bad("early"));
  expect(status).toBe(201);
});

test("meshd puts its CA in, and asks for Fail only once a refusal of its own came back", async () => {
  await mesh.startPlane();
  const roots = await mesh.roots();
  const caBundle = Buffer.from(roots).toString("base64");
  await waitFor(async () => (await installedHooks()).every((hook) => hook.clientConfig.caBundle === caBundle), {
    what: "our CA in the webhook",
  });
  // nothing routes service addresses here: meshd has not been reached, and the policy stays
  expect(await policies()).toEqual(["Ignore", "Ignore"]);
  // the same webhook once more, by URL: now refusals come back
  const byUrl = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "by-url" },
    webhooks: (await installedHooks()).map((hook) => ({
      ...hook,
      clientConfig: { url: `https://localhost:${mesh.ports.https}/validate`, caBundle },
    })),
  };
  expect((await client.post(CONFIGS, byUrl)).status).toBe(201);
  await waitFor(async () => (await policies()).every((policy) => policy === "Fail"), {
    timeoutMs: 20_000,
    what: "failurePolicy Fail",
  });
  // what follows asks the reachable one alone
  await client.del(`${CONFIGS}/istio-validator-istio-system`);
  await waitFor(async () => (await client.post(SERVICES, bad("late"))).status === 400, { what: "the refusal" });
});

test("a refusal has code, field path, problem and hint, in words and for programs", async () => {
  const answer = await client.post(SERVICES, bad("refused"));
  const [{ status }, body] = [answer, bodyOf(answer)];
  expect(status).toBe(400);
  expect(body.message).toMatch(/^admission webhook "(?:rev\.)?validation\.istio\.io" denied the request: \[IST0106\] /);
  expect(body.message).toContain('spec.http[0].match[0].uri.regex: "(?!a)" is no regular expression');
  expect(body.message).toContain("Use RE2 syntax");
  expect(body.details.causes).toMatchObject([
    { field: "spec.http[0].match[0].uri.regex", reason: "FieldValueInvalid" },
  ]);
  expect((await client.get(`${SERVICES}/refused`)).status).toBe(404);
});

test("warnings come in the header that kubectl prints, and the object is taken", async () => {
  const old = service("warned", { route, mirror: { host: "shadow" }, mirrorPercent: 5 });
  const { status, headers } = await client.post(SERVICES, old);
  expect(status).toBe(201);
  expect(String(headers["warning"])).toContain("[IST0002] Deprecated field in VirtualService: mirrorPercent");
  expect(String(headers["warning"])).toContain("Use mirrorPercentage.");
});

test("many mistakes are counted, not listed: the answer stays short", async () => {
  const hosts = Array.from({ length: 500 }, (_, index) => `bad_${index}`);
  const many = { ...service("many", { route }), spec: { hosts, http: [{ route }] } };
  const answer = await client.post(SERVICES, many);
  const [{ status }, body] = [answer, bodyOf(answer)];
  expect(status).toBe(400);
  expect(body.message).toContain("and 490 more: run meshctl validate");
  expect(body.message.length).toBeLessThan(4000);
});

test("a dry run gets the same answer and leaves nothing", async () => {
  const dry = `${SERVICES}?dryRun=All`;
  expect((await client.post(dry, bad("dry"))).status).toBe(400);
  expect((await client.post(dry, service("dry", { route }))).status).toBe(201);
  expect((await client.get(`${SERVICES}/dry`)).status).toBe(404);
});

test("updates are checked, deletions are not: what slipped in can be mended or removed", async () => {
  const early = bodyOf(await client.get(`${SERVICES}/early`));
  expect(
    (await client.put(`${SERVICES}/early`, { ...early, metadata: { ...early.metadata, labels: { a: "b" } } })).status,
  ).toBe(400);
  const mended = { ...early, spec: service("early", { route }).spec };
  expect((await client.put(`${SERVICES}/early`, mended)).status).toBe(200);
  expect((await client.del(`${SERVICES}/early`)).status).toBe(200);
});

test("names that the API server makes are no obstacle", async () => {
  const { status } = await client.post(SERVICES, {
    ...service("x", { route }),
    metadata: { generateName: "made-", namespace: "shop" },
  });
  expect(status).toBe(201);
});

test("who wrote what is in the audit: refused, tried out, made, changed, deleted; no values", async () => {
  mesh.log.clear();
  const object = service("audited", { route });
  expect((await client.post(SERVICES, bad("audited"))).status).toBe(400);
  expect((await client.post(`${SERVICES}?dryRun=All`, object)).status).toBe(201);
  const made = bodyOf(await client.post(SERVICES, object));
  const hidden = { ...made, spec: service("audited", { route, timeout: "47s" }).spec };
  expect((await client.put(`${SERVICES}/audited`, hidden)).status).toBe(200);
  expect((await client.del(`${SERVICES}/audited`)).status).toBe(200);
  // what other tests deleted is told now and then
  const events = () =>
    mesh.log.lines
      .map(({ fields }) => fields)
      .filter(({ audit, name }) => audit !== undefined && (audit !== "deletion" || name === "audited"));
  await waitFor(() => events().some(({ audit }) => audit === "deletion"), { what: "the deletion" });
  // the API server may ask again when it tries again
  const told = new Set(
    events().map(({ audit, outcome, operation, user, dryRun, changed }) =>
      JSON.stringify([audit, outcome, operation, user, dryRun, changed]),
    ),
  );
  expect([...told].map((line) => JSON.parse(line) as unknown)).toEqual([
    ["policy", "refused", "CREATE", "test-admin", false, ["spec.hosts", "spec.http"]],
    ["policy", "allowed", "CREATE", "test-admin", true, ["spec.hosts", "spec.http"]],
    ["policy", "allowed", "CREATE", "test-admin", false, ["spec.hosts", "spec.http"]],
    ["policy", "allowed", "UPDATE", "test-admin", false, ["spec.http"]],
    ["policy", "allowed", "DELETE", "test-admin", false, ["spec.hosts", "spec.http"]],
    ["deletion", null, null, null, null, null],
  ]);
  for (const event of events())
    expect(event).toMatchObject({
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      namespace: "shop",
      name: "audited",
    });
  expect(JSON.stringify(events())).not.toContain("47s");
});
