import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApi } from "../../../../src/local/api/api.ts";
import type { Api } from "../../../../src/local/api/types.ts";
import { type RealApiServer, startApiServer } from "../../../support/kube/apiserver.ts";
import { waitFor } from "../../../support/wait.ts";
import { createRestClient, type RestClient, type RestTarget } from "../../../support/kube/rest-client.ts";

/** The two servers every case of the contract runs against. Neither has controllers. */
export const backendNames = ["embedded", "real"] as const;
export type BackendName = (typeof backendNames)[number];

/** A running server under test. */
export interface Backend {
  readonly rest: RestClient;
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** The embedded endpoint itself; undefined for the real one. */
  readonly api: Api | undefined;
  /** Makes the server forget the history of things.example.test. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

/** A CRD `things.example.test` for tests that need a kind of their own. */
export const thingCrd = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "things.example.test" },
  spec: {
    group: "example.test",
    scope: "Namespaced",
    names: { plural: "things", kind: "Thing" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", properties: { n: { type: "integer" } } } },
          },
        },
      },
    ],
  },
};
const things = { group: "example.test", version: "v1", resource: "things" };

/** More changes of one kind than the embedded endpoint keeps. */
async function fillLog(api: Api): Promise<void> {
  const metadata = { name: "filler", namespace: "shop" };
  await api.client.create(things, { apiVersion: "example.test/v1", kind: "Thing", metadata });
  for (let n = 1; n <= 4100; n++) await api.client.mergePatch(things, "shop", "filler", { spec: { n } });
}

/** etcd forgets, and the API server builds a new watch cache for the kind, as it does when its CRD changes. */
async function compactReal(server: RealApiServer, rest: RestClient): Promise<void> {
  await server.compact();
  const crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.test";
  const column = { name: "N", type: "integer", jsonPath: ".spec.n" };
  await rest.patch(crd, "json", [{ op: "add", path: "/spec/versions/0/additionalPrinterColumns", value: [column] }]);
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  await waitFor(
    async () => {
      const { body } = await rest.get("/apis/example.test/v1/namespaces/shop/things", { headers: { accept } });
      return JSON.stringify(body.columnDefinitions ?? []).includes('"N"') ? true : undefined;
    },
    { timeoutMs: 30_000, what: "the changed CRD is served" },
  );
}

function embeddedTarget(api: Api, kubeconfig: string): RestTarget {
  const config = JSON.parse(kubeconfig) as {
    users: { user: Record<string, string> }[];
    clusters: { cluster: { server: string } }[];
  };
  const user = config.users[0]?.user ?? {};
  const text = (key: string): string => Buffer.from(user[key] ?? "", "base64").toString("utf8");
  return {
    url: config.clusters[0]?.cluster.server ?? "",
    ca: api.caPem,
    cert: text("client-certificate-data"),
    key: text("client-key-data"),
  };
}

async function startEmbedded(): Promise<Backend> {
  const dir = await mkdtemp(join(tmpdir(), "meshctl-contract-"));
  const listen = [{ host: "127.0.0.1", port: 0 }];
  const logged: string[] = [];
  const api = await createApi({ listen, serviceCidr: "10.96.0.0/16", log: (message) => logged.push(message) });
  const kubeconfig = join(dir, "kubeconfig");
  await writeFile(kubeconfig, api.kubeconfig("contract"));
  const rest = createRestClient(embeddedTarget(api, api.kubeconfig("contract")));
  return {
    rest,
    kubeconfig,
    api,
    compact: async () => {
      await fillLog(api);
    },
    async stop() {
      rest.close();
      await api.close();
      await rm(dir, { recursive: true });
      // The endpoint logs only what it did not expect of itself.
      if (logged.length > 0) throw new Error(`the endpoint logged: ${logged.join("\n")}`);
    },
  };
}

async function startReal(): Promise<Backend> {
  const server = await startApiServer();
  const rest = createRestClient({ url: server.url, ca: server.caPem, token: server.adminToken });
  return {
    rest,
    kubeconfig: server.kubeconfig,
    api: undefined,
    compact: async () => {
      await compactReal(server, rest);
    },
    async stop() {
      rest.close();
      await server.stop();
    },
  };
}

/** Starts one of the two, with the namespace `shop` and a service account `default` in it. */
export async function startBackend(name: BackendName): Promise<Backend> {
  const backend = name === "embedded" ? await startEmbedded() : await startReal();
  await backend.rest.post("/api/v1/namespaces", { metadata: { name: "shop" } });
  await backend.rest.post("/api/v1/namespaces/shop/serviceaccounts", { metadata: { name: "default" } });
  return backend;
}
