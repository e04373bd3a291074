import type { KindTypes } from "../resources/kinds.ts";
import type { World } from "../resources/world.ts";
import { parseYaml } from "../resources/yaml-plain.ts";

/**
 * DNS suffix of the cluster's services, as the control plane was told: its `--domain` argument, else `global.proxy.clusterDomain`
 * of the injection values (ConfigMap `istio-sidecar-injector`). Undefined where neither says anything.
 */
export function clusterDomainOf(world: World, rootNamespace: string): string | undefined {
  for (const deployment of world.list("Deployment", rootNamespace)) {
    const domain = argumentOf(deployment, "--domain");
    if (domain !== undefined) return domain;
  }
  for (const { metadata, data } of world.list("ConfigMap", rootNamespace)) {
    if (!/^istio-sidecar-injector(?:-|$)/.test(metadata.name)) continue;
    const domain = valueOf(data?.["values"] ?? "");
    if (domain !== undefined) return domain;
  }
  return undefined;
}

/** The value of an argument of istiod, as one word (`--domain=x`) or two. */
function argumentOf({ spec }: KindTypes["Deployment"], name: string): string | undefined {
  const istiod = spec?.template?.spec?.containers.find((container) => container.name === "discovery");
  const args = istiod?.args ?? [];
  for (const [index, argument] of args.entries()) {
    if (argument === name) return plain(args[index + 1]);
    if (argument.startsWith(`${name}=`)) return plain(argument.slice(name.length + 1));
  }
  return undefined;
}

function valueOf(text: string): string | undefined {
  try {
    const values = parseYaml(text) as { global?: { proxy?: { clusterDomain?: unknown } } } | null | undefined;
    const domain = values?.global?.proxy?.clusterDomain;
    return typeof domain === "string" ? plain(domain) : undefined;
  } catch {
    return undefined;
  }
}

/** A name, not a template or a variable that is filled in later. */
function plain(text: string | undefined): string | undefined {
  return text !== undefined && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text) ? text : undefined;
}
