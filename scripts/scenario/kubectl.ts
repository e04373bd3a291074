import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { loadAll } from "js-yaml";
import type { KubeObject } from "../../src/resources/object.ts";
import { root, type Scenario } from "./context.ts";

const run = promisify(execFile);

/**
 * What the scenario asks of kubectl. Each prints the line a user would type; where kubectl is on PATH that line is run, else the
 * same is done through the API.
 */
async function kubectl(scenario: Scenario, args: readonly string[], viaApi: () => Promise<void>): Promise<void> {
  scenario.say(`$ kubectl ${args.join(" ")}`);
  if (!scenario.kubectl) return viaApi();
  // its cache goes with the scenario, not to the user's home
  const env = { ...process.env, KUBECACHEDIR: join(scenario.work, "kubectl-cache") };
  const { stdout } = await run("kubectl", ["--kubeconfig", scenario.kubeconfig, ...args], { cwd: root, env });
  for (const line of stdout.trim().split("\n")) scenario.say(`  ${line}`);
}

/** `kubectl apply -n NAMESPACE -f FILE`; the file is relative to the repository's root. */
export async function applyFile(scenario: Scenario, namespace: string, file: string): Promise<void> {
  await kubectl(scenario, ["apply", "-n", namespace, "-f", file], async () => {
    for (const object of await readObjects(join(root, file))) {
      await scenario.cluster.apply(withNamespace(object, namespace), { fieldManager: "kubectl", force: true });
    }
  });
}

/** Applies objects written down here, through a file as a user would. */
export async function applyText(scenario: Scenario, namespace: string, name: string, text: string): Promise<void> {
  const file = join(scenario.work, name);
  await writeFile(file, text);
  await kubectl(scenario, ["apply", "-n", namespace, "-f", file], async () => {
    for (const object of await readObjects(file)) {
      await scenario.cluster.apply(withNamespace(object, namespace), { fieldManager: "kubectl", force: true });
    }
  });
}

/** `kubectl create namespace` and `kubectl label namespace`. */
export async function createNamespace(
  scenario: Scenario,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  await kubectl(scenario, ["create", "namespace", name], async () => {
    await scenario.cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  });
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (pairs.length === 0) return;
  await kubectl(scenario, ["label", "namespace", name, ...pairs], async () => {
    await scenario.cluster.mergePatch({ apiVersion: "v1", kind: "Namespace", name }, { metadata: { labels } });
  });
}

/** `kubectl delete namespace`, waiting until it is gone. */
export async function deleteNamespace(scenario: Scenario, name: string): Promise<void> {
  await kubectl(scenario, ["delete", "namespace", name], async () => {
    const target = { apiVersion: "v1", kind: "Namespace", name };
    await scenario.cluster.delete(target);
    await until(60_000, `namespace ${name} to be gone`, async () => (await scenario.cluster.get(target)) === undefined);
  });
}

/** `kubectl wait --for=condition=Available deployment --all`. */
export async function waitAvailable(scenario: Scenario, namespace: string, seconds = 120): Promise<void> {
  const args = ["wait", "-n", namespace, "--for=condition=Available", "deployment", "--all", `--timeout=${seconds}s`];
  await kubectl(scenario, args, async () => {
    await until(seconds * 1000, `the deployments of ${namespace} to be available`, async () => {
      const deployments = await scenario.cluster.list({ apiVersion: "apps/v1", kind: "Deployment" }, { namespace });
      return deployments.every(isAvailable);
    });
  });
}

/** `kubectl rollout restart deployment`, then `kubectl rollout status` of each. */
export async function restartDeployments(scenario: Scenario, namespace: string, seconds = 120): Promise<void> {
  const kind = { apiVersion: "apps/v1", kind: "Deployment" };
  const names = (await scenario.cluster.list(kind, { namespace })).map(({ metadata }) => metadata.name);
  await kubectl(scenario, ["rollout", "restart", "deployment", "-n", namespace], async () => {
    const annotations = { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() };
    for (const name of names)
      await scenario.cluster.mergePatch(
        { ...kind, namespace, name },
        { spec: { template: { metadata: { annotations } } } },
      );
  });
  await until(seconds * 1000, `the deployments of ${namespace} to be rolled out`, async () =>
    (await scenario.cluster.list(kind, { namespace })).every(isRolledOut),
  );
}

/** What `kubectl rollout status` waits for. */
function isRolledOut({ metadata, spec, status }: KubeObject): boolean {
  const wanted = (spec as { replicas?: number }).replicas ?? 1;
  const {
    observedGeneration = 0,
    updatedReplicas = 0,
    availableReplicas = 0,
    replicas = 0,
  } = (status ?? {}) as Readonly<Record<string, number | undefined>>;
  if (observedGeneration < (metadata.generation ?? 0)) return false;
  return updatedReplicas === wanted && availableReplicas === wanted && replicas === wanted;
}

function isAvailable(deployment: KubeObject): boolean {
  const status = deployment.status as { conditions?: readonly { type: string; status: string }[] } | undefined;
  return status?.conditions?.some(({ type, status: value }) => type === "Available" && value === "True") === true;
}

/** Polls until `condition` holds; the error names `what`. */
export async function until(milliseconds: number, what: string, condition: () => Promise<boolean>): Promise<number> {
  const start = performance.now();
  for (;;) {
    if (await condition()) return performance.now() - start;
    if (performance.now() - start > milliseconds) throw new Error(`waited ${milliseconds / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function readObjects(file: string): Promise<readonly KubeObject[]> {
  const documents = loadAll(await readFile(file, "utf8")) as (KubeObject | null | undefined)[];
  return documents.filter((document): document is KubeObject => document !== null && document !== undefined);
}

/** kubectl's -n: for objects that name no namespace. Cluster-scoped objects are not in these files. */
function withNamespace(object: KubeObject, namespace: string): KubeObject {
  if (object.metadata.namespace !== undefined || object.kind === "Namespace") return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}
