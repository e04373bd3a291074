import { nearest } from "../../base/nearest.ts";
import { parseServiceHost, serviceHost } from "../../model/host.ts";
import type { AnalyzerInput } from "../analyzer.ts";

/** What the questions about hosts read. */
export const HOST_KINDS = ["Service", "ServiceEntry", "ConfigMap"] as const;

type Input = AnalyzerInput<(typeof HOST_KINDS)[number], never>;

/** Whether the World can tell that a host is missing: a cluster always can, files when they hold services of its namespace. */
export function canTellHost({ world, model, complete }: Input, namespace: string, host: string): boolean {
  if (complete) return true;
  const parsed = parseServiceHost(host, model.domain);
  const there = (parsed ?? writtenShort(host))?.namespace;
  if (there !== undefined && world.list("Service", there).length > 0) return true;
  return parsed === undefined && world.list("ServiceEntry", namespace).length > 0;
}

/** What was probably meant by a host (full) that is not there. */
export function hostHint(input: Input, namespace: string, host: string): string {
  const { model } = input;
  const parsed = parseServiceHost(host, model.domain);
  if (host.startsWith("*")) return "Correct the host: no service is below it.";
  if (parsed === undefined) return externalHint(input, host);
  if (model.services.kubernetes(parsed.namespace, parsed.name) !== undefined)
    return `The Service is there, but not exported to namespace ${namespace}: see its annotation networking.istio.io/exportTo.`;
  return serviceHint(input, namespace, parsed);
}

function serviceHint(
  { world, model }: Input,
  namespace: string,
  { namespace: there, name }: { readonly namespace: string; readonly name: string },
): string {
  const close = nearest(
    name,
    world.list("Service", there).map(({ metadata }) => metadata.name),
  );
  if (close !== undefined)
    return `Did you mean ${there === namespace ? close : serviceHost(close, there, model.domain)}?`;
  const elsewhere = world.list("Service").find(({ metadata }) => metadata.name === name);
  return elsewhere === undefined
    ? `Create Service ${there}/${name}, or correct the host.`
    : `Did you mean ${serviceHost(name, elsewhere.metadata.namespace ?? "", model.domain)}?`;
}

function externalHint({ world, model }: Input, host: string): string {
  const short = writtenShort(host);
  if (short !== undefined && world.get("Service", short.namespace, short.name) !== undefined)
    return `Write the whole name: ${serviceHost(short.name, short.namespace, model.domain)}.`;
  const close = nearest(
    host,
    world.list("ServiceEntry").flatMap(({ spec }) => spec?.hosts ?? []),
  );
  return close === undefined ? `Add a ServiceEntry for ${host}, or correct the host.` : `Did you mean ${close}?`;
}

/** `reviews.shop` and `reviews.shop.svc`: names that DNS knows and the mesh does not. */
function writtenShort(host: string): { readonly name: string; readonly namespace: string } | undefined {
  const [name = "", namespace = "", svc = "svc", ...more] = host.split(".");
  return namespace !== "" && svc === "svc" && more.length === 0 && name !== "*" ? { name, namespace } : undefined;
}
