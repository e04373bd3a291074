import { afterAll, beforeAll, expect, test } from "vitest";
import type { Loose } from "../../../support/kube/rest-client.ts";
import { waitFor } from "../../../support/wait.ts";
import { type Backend, startBackend } from "./backends.ts";
import { apps, OBJECTS, selector, shop, template } from "./table-objects.ts";

// The same requests to the embedded endpoint and to a real kube-apiserver, and their answers letter by letter, but for what no
// two servers have in common: times, versions, identities, addresses that they give.

let embedded: Backend;
let real: Backend;

beforeAll(async () => {
  [embedded, real] = await Promise.all([startBackend("embedded"), startBackend("real")]);
  for (const backend of [embedded, real])
    for (const [path, object] of OBJECTS) {
      const made = await backend.rest.post(path, object);
      expect(made.status, `${path} ${JSON.stringify(made.body).slice(0, 300)}`).toBe(201);
    }
});
afterAll(() => Promise.all([embedded?.stop(), real?.stop()]));

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";

/** Without what no two servers have in common. */
function common(text: string): string {
  return text
    .replace(/^\d+(ms|s)$/, "<a moment>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "<uid>");
}

/** Columns and cells; what is seconds ago is the same as what was a moment before. */
async function table({ rest }: Backend, path: string): Promise<unknown> {
  const { status, body } = await rest.get(path, { headers: { accept: TABLE } });
  if (status !== 200) return { status, reason: body.reason };
  const columns = body.columnDefinitions.map(({ description: _words, ...column }: Loose) => column);
  const rows = body.rows.map(({ cells, object }: Loose) => ({
    name: object.metadata.name,
    kind: object.kind,
    cells: cells.map((cell: unknown) => (typeof cell === "string" ? common(cell) : cell)),
  }));
  return { columns, rows };
}

const objects = OBJECTS.map(([path, object]) => `${path}/${(object as Loose).metadata.name as string}`);

test.each([...objects, shop])("%s: the same table", async (path) => {
  expect(await table(embedded, path)).toEqual(await table(real, path));
});

test("columns that a CRD names, of each type, with paths that find one, several or nothing", async () => {
  const column = (name: string, type: string, jsonPath: string, priority = 0) => ({ name, type, jsonPath, priority });
  const crd = {
    metadata: { name: "wheels.example.test" },
    spec: {
      group: "example.test",
      scope: "Namespaced",
      names: { plural: "wheels", kind: "Wheel" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
          additionalPrinterColumns: [
            column("Size", "integer", ".spec.size"),
            column("Hosts", "string", ".spec.hosts"),
            column("Names", "string", ".spec.items[*].name"),
            column("Ready", "string", '.status.conditions[?(@.type=="Ready")].status'),
            column("Round", "boolean", ".spec.round", 1),
            column("Map", "string", ".spec.map"),
            column("Weight", "number", ".spec.weight"),
            column("Label", "string", ".metadata.labels.a\\.b/c"),
            column("Since", "date", ".spec.since"),
            column("Age", "date", ".metadata.creationTimestamp"),
          ],
        },
      ],
    },
  };
  const full = {
    apiVersion: "example.test/v1",
    kind: "Wheel",
    metadata: { name: "full", labels: { "a.b/c": "x" } },
    spec: {
      size: 3,
      hosts: ["a", "b"],
      items: [{ name: "p" }, { name: "q" }],
      round: true,
      map: { k: "v" },
      weight: 1.5,
      since: "2020-01-01T00:00:00Z",
    },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  };
  const empty = { apiVersion: "example.test/v1", kind: "Wheel", metadata: { name: "empty" } };
  const wheels = "/apis/example.test/v1/namespaces/shop/wheels";
  const tables = await Promise.all(
    [embedded, real].map(async (backend) => {
      await backend.rest.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
      const isServed = async () => (await backend.rest.post(wheels, full)).status === 201;
      await waitFor(isServed, { timeoutMs: 30_000, what: "the CRD to be served" });
      await backend.rest.post(wheels, empty);
      return table(backend, wheels);
    }),
  );
  expect(tables[0]).toEqual(tables[1]);
});

/** The pages of a list: names, what is said to remain, and whether there is more. */
async function pages({ rest }: Backend, query: string, limit: number): Promise<readonly unknown[]> {
  const out: unknown[] = [];
  let next = "";
  do {
    const more = next === "" ? "" : `&continue=${encodeURIComponent(next)}`;
    const { body } = await rest.get(`${shop}/configmaps?limit=${limit}${query}${more}`);
    next = body.metadata.continue ?? "";
    out.push([
      body.items.map((item: Loose) => item.metadata.name),
      body.metadata.remainingItemCount ?? null,
      next !== "",
    ]);
  } while (next !== "");
  return out;
}

test.each([
  ["", 1],
  ["", 3],
  ["", 100],
  ["&labelSelector=even%3Dyes", 2],
  ["&labelSelector=even%3Dnobody", 2],
  ["&fieldSelector=metadata.name%21%3Dpage-3", 4],
])("pages of a list %s by %i", async (query, limit) => {
  const found = await Promise.all([embedded, real].map((backend) => pages(backend, query, limit)));
  expect(found[0]).toEqual(found[1]);
});

test("wrong questions about pages", async () => {
  const queries = [
    "limit=-1",
    "limit=x",
    "limit=1&continue=x",
    "continue=x&resourceVersion=1",
    "resourceVersionMatch=Exact",
    "resourceVersionMatch=Exact&resourceVersion=0",
    "resourceVersionMatch=Some&resourceVersion=1",
    "resourceVersionMatch=NotOlderThan&resourceVersion=0",
  ];
  for (const query of queries) {
    const [ours, theirs] = await Promise.all(
      [embedded, real].map(async ({ rest }) => {
        const { status, body } = await rest.get(`${shop}/configmaps?${query}`);
        return { status, reason: body.reason };
      }),
    );
    expect(ours, query).toEqual(theirs);
  }
});

const authorization = "/apis/authorization.k8s.io/v1";

test.each([
  ["SelfSubjectAccessReview", "selfsubjectaccessreviews", { resourceAttributes: { verb: "get", resource: "pods" } }],
  ["SelfSubjectAccessReview", "selfsubjectaccessreviews", { nonResourceAttributes: { verb: "get", path: "/healthz" } }],
  ["SelfSubjectAccessReview", "selfsubjectaccessreviews", {}],
  ["SubjectAccessReview", "subjectaccessreviews", { resourceAttributes: { verb: "get", resource: "pods" } }],
  [
    "SubjectAccessReview",
    "subjectaccessreviews",
    {
      user: "system:serviceaccount:shop:web",
      resourceAttributes: { namespace: "shop", verb: "list", resource: "pods" },
    },
  ],
  [
    "SubjectAccessReview",
    "subjectaccessreviews",
    {
      user: "system:serviceaccount:shop:web",
      resourceAttributes: { namespace: "default", verb: "list", resource: "secrets" },
    },
  ],
  [
    "SubjectAccessReview",
    "subjectaccessreviews",
    { groups: ["staff"], resourceAttributes: { group: "apps", verb: "watch", resource: "deployments" } },
  ],
  [
    "LocalSubjectAccessReview",
    "namespaces/shop/localsubjectaccessreviews",
    { user: "ann", resourceAttributes: { namespace: "shop", verb: "list", resource: "pods" } },
  ],
  [
    "LocalSubjectAccessReview",
    "namespaces/shop/localsubjectaccessreviews",
    { user: "ann", resourceAttributes: { namespace: "default", verb: "list", resource: "pods" } },
  ],
])("%s (%s) %j", async (kind, path, spec) => {
  const [ours, theirs] = await Promise.all(
    [embedded, real].map(async ({ rest }) => {
      const body = { apiVersion: "authorization.k8s.io/v1", kind, spec };
      const answer = await rest.post(`${authorization}/${path}`, body);
      const { allowed = null } = answer.body.status ?? {};
      return answer.status < 300
        ? { status: answer.status, allowed }
        : { status: answer.status, reason: answer.body.reason };
    }),
  );
  expect(ours).toEqual(theirs);
});

test("SelfSubjectRulesReview: the rules of an account's own roles", async () => {
  const found = await Promise.all(
    [embedded, real].map(async ({ rest }) => {
      const token = await rest.post(`${shop}/serviceaccounts/web/token`, { spec: {} });
      const { body } = await rest.post(
        `${authorization}/selfsubjectrulesreviews`,
        { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace: "shop" } },
        { token: token.body.status.token },
      );
      const { resourceRules, incomplete } = body.status as {
        resourceRules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
        incomplete: boolean;
      };
      const grants = resourceRules.flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
        ),
      );
      return { incomplete, grants: new Set(grants) };
    }),
  );
  const [ours, theirs] = found;
  expect(ours).toEqual(theirs);
  expect(ours?.grants).toContain("watch apps/deployments");
});

/** Applies as a manager; the status, and what is said of conflicts. */
async function applied({ rest }: Backend, manager: string, object: Loose, force = false): Promise<unknown> {
  const path = `${apps}/deployments/${object.metadata.name as string}`;
  const { status, body } = await rest.patch(`${path}?fieldManager=${manager}&force=${force}`, "apply", object);
  if (status >= 300)
    return { status, reason: body.reason, message: common(body.message), causes: body.details?.causes };
  return {
    status,
    // in the order of their seconds, which may be the same or not
    fields: Object.fromEntries(
      body.metadata.managedFields.map((entry: Loose) => [`${entry.manager} ${entry.operation}`, entry.fieldsV1]),
    ),
  };
}

test("conflicts of appliers: what each may write, in the same words", async () => {
  const base = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "fought" } };
  const app = (image: string, more: object = {}) => ({ name: "app", image, ...more });
  const of = (spec: object, containers: readonly object[]) => ({
    ...base,
    spec: { selector, template: { metadata: template.metadata, spec: { containers } }, ...spec },
  });
  const steps: readonly ((backend: Backend) => Promise<unknown>)[] = [
    (backend) => applied(backend, "one", of({ replicas: 1 }, [app("i:1", { env: [{ name: "A", value: "1" }] })])),
    (backend) => applied(backend, "two", of({ replicas: 2 }, [app("i:2")])),
    (backend) =>
      applied(
        backend,
        "two",
        of({}, [
          app("i:1", {
            env: [
              { name: "A", value: "2" },
              { name: "B", value: "3" },
            ],
          }),
        ]),
      ),
    (backend) => applied(backend, "two", of({ replicas: 2 }, [app("i:2"), { name: "log", image: "j:1" }]), true),
    (backend) => applied(backend, "one", of({ replicas: 1 }, [app("i:1")])),
    async (backend) => {
      const { status } = await backend.rest.patch(`${apps}/deployments/fought?fieldManager=editor`, "merge", {
        spec: { replicas: 7 },
      });
      return status;
    },
    async (backend) => {
      const found = (await applied(
        backend,
        "two",
        of({ replicas: 2 }, [app("i:2"), { name: "log", image: "j:1" }]),
      )) as Loose;
      return found;
    },
    (backend) => applied(backend, "two", { ...base, spec: {} }),
    (backend) => applied(backend, "one", base),
  ];
  for (const [index, step] of steps.entries()) {
    const [ours, theirs] = [await step(embedded), await step(real)];
    expect(ours, `step ${index}`).toEqual(theirs);
  }
});
