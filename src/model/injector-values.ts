import type { World } from "../resources/world.ts";
import { parseYaml } from "../resources/yaml-plain.ts";

/** Name of the ConfigMap with the injector's settings; other revisions have it after a dash. */
const INJECTOR_CONFIG_MAP = "istio-sidecar-injector";

/** Values of an injector that others than itself read. */
interface Values {
  readonly sidecarInjectorWebhook?: { readonly enableNamespacesByDefault?: boolean };
  readonly global?: {
    readonly hub?: string;
    readonly tag?: string | number;
    readonly proxy?: { readonly image?: string };
  };
}

function valuesOf(world: Pick<World, "get">, rootNamespace: string, revision: string): Values | undefined {
  const name = revision === "default" ? INJECTOR_CONFIG_MAP : `${INJECTOR_CONFIG_MAP}-${revision}`;
  const text = world.get("ConfigMap", rootNamespace, name)?.data?.["values"];
  if (text === undefined) return undefined;
  try {
    const value: unknown = parseYaml(text);
    return typeof value === "object" && value !== null ? (value as Values) : {};
  } catch {
    return {};
  }
}

/** Whether the default revision injects namespaces that say nothing. */
export function enableNamespacesByDefault(world: Pick<World, "get">, rootNamespace: string): boolean {
  return valuesOf(world, rootNamespace, "default")?.sidecarInjectorWebhook?.enableNamespacesByDefault === true;
}

/** The image that a revision's injector gives to sidecars; undefined when its settings are not known. */
export function proxyImage(world: Pick<World, "get">, rootNamespace: string, revision: string): string | undefined {
  const global = valuesOf(world, rootNamespace, revision)?.global;
  const image = global?.proxy?.image;
  if (image === undefined || image === "") return undefined;
  if (image.includes("/")) return image;
  return global?.hub === undefined || global.tag === undefined
    ? undefined
    : `${global.hub}/${image}:${String(global.tag)}`;
}
