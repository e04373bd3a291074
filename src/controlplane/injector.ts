import type { Derivations } from "../base/derive.ts";
import { compileExpression } from "../base/expressions.ts";
import type { InjectContext, InjectorConfig, InjectorMeshConfig, InjectorValues, PodLike } from "../inject/config.ts";
import { inject } from "../inject/inject.ts";
import { kubeletVersions, usesNativeSidecars } from "../model/native-sidecars.ts";
import { revisionSuffix } from "../base/revision.ts";
import type { World } from "../resources/world.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import type { AdmissionAnswer, AdmissionRequest } from "./webhook.ts";

export interface InjectorDeps {
  readonly world: World;
  /** Objects of another cluster, by its name; undefined where it is not known. Tracked. Default: there are no others. */
  readonly worldOf?: (clusterId: string) => World | undefined;
  readonly derivations: Derivations;
  readonly rootNamespace: string;
  readonly revision: string;
  readonly meshConfig: () => InjectorMeshConfig;
  /** ENABLE_NATIVE_SIDECARS: `true`, `false`, else what the nodes can. */
  readonly nativeSidecars?: string | undefined;
}

const CONFIG_MAP = "istio-sidecar-injector";

/**
 * What pods of a namespace, of our own cluster or of another, are injected with, out of our ConfigMap istio-sidecar-injector of
 * the revision; tracked. Throws while it cannot be read.
 */
export function injectContexts(deps: InjectorDeps): (namespace: string, clusterId?: string) => InjectContext {
  const settings = deps.derivations.keyed("injector", () => readSettings(deps.world, deps));
  const worldOf = (clusterId: string): World => deps.worldOf?.(clusterId) ?? deps.world;
  const isNative = deps.derivations.keyed("native-sidecars", (clusterId: string) =>
    nativeSidecars(deps, worldOf(clusterId)),
  );
  return (namespace, clusterId = "") => ({
    ...settings(),
    meshConfig: deps.meshConfig(),
    revision: deps.revision,
    namespace,
    namespaceAnnotations: worldOf(clusterId).get("Namespace", "", namespace)?.metadata.annotations ?? {},
    proxyConfigs: [deps.rootNamespace, namespace].flatMap((name) => deps.world.list("ProxyConfig", name)),
    nativeSidecars: isNative(clusterId),
    expressions: compileExpression,
  });
}

/** Answers /inject. What it throws is why the pod cannot be injected. */
export function createInjector(deps: InjectorDeps): (request: AdmissionRequest, path: string) => AdmissionAnswer {
  const contextOf = injectContexts(deps);
  return (request, path) => {
    const pod = request.object as PodLike | undefined;
    if (pod?.spec === undefined) throw new Error("expected a pod in the review");
    const namespace = request.namespace ?? pod.metadata?.namespace ?? "";
    const extraEnv = environmentOf(path);
    const context = contextOf(namespace, extraEnv[CLUSTER_ID]);
    const { decision, patch } = inject(pod, { ...context, extraEnv });
    return { allowed: true, patch, warnings: decision.warnings, skipped: !decision.inject };
  };
}

function nativeSidecars({ nativeSidecars: setting }: InjectorDeps, world: World): boolean {
  return usesNativeSidecars({ setting, kubeletVersions: kubeletVersions(world.list("Node")) });
}

function readSettings(
  world: World,
  { rootNamespace: namespace, revision }: Pick<InjectorDeps, "rootNamespace" | "revision">,
): { config: InjectorConfig; values: InjectorValues } {
  const name = `${CONFIG_MAP}${revisionSuffix(revision)}`;
  const data = world.get("ConfigMap", namespace, name)?.data;
  const read = (key: string): unknown => {
    const text = data?.[key];
    if (text === undefined) throw new Error(`ConfigMap ${namespace}/${name} has no key ${key}`);
    return parseYaml(text);
  };
  return { config: read("config") as InjectorConfig, values: read("values") as InjectorValues };
}

const CLUSTER_ID = "ISTIO_META_CLUSTER_ID";
const NAMES: Readonly<Record<string, string>> = { cluster: CLUSTER_ID, net: "ISTIO_META_NETWORK" };

/** `/cluster/c1/net/n1/KEY/value` as environment variables; a slash in a value is written `--slash--`. */
export function environmentOf(path: string): Readonly<Record<string, string>> {
  const parts = path.split("/").filter((part) => part !== "");
  const out: Record<string, string> = {};
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const key = parts[index] ?? "";
    out[NAMES[key] ?? key] = decodeURIComponent(parts[index + 1] ?? "").replaceAll("--slash--", "/");
  }
  return out;
}
