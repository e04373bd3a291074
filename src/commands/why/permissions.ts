import type { Mesh } from "../../compile/mesh.ts";
import type { Model } from "../../model/model.ts";
import type { SimulatedCall } from "../../simulate/rbac.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { PolicyVerdict, Symptom } from "../../why/types.ts";
import { placeOf } from "../../why/words.ts";
import { explainRules } from "../authz/explain.ts";
import { rulesOf } from "../authz/rules.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { principalOf } from "../offline/proxies.ts";
import { podProxy } from "../../model/pod-proxy.ts";

/** What every rule that the proxy asks says to a request of its access log, where it was refused for want of permission. */
export function verdictsOf(
  { mesh, positionOf }: OfflineMesh,
  symptom: Symptom,
  proxy: Proxy,
): readonly PolicyVerdict[] {
  const refused = `${symptom.details ?? ""}${symptom.terminationDetails ?? ""}`.includes("rbac_access_denied");
  // an external authorizer that is asked about a body may be what it is too large for
  const isTooLarge = symptom.details === "request_payload_too_large";
  if (!refused && !isTooLarge && !symptom.flags.includes("UAEX")) return [];
  const call = callOf(mesh, symptom, proxy);
  return explainRules(rulesOf(mesh.proxyConfig(proxy)), call, positionOf);
}

function callOf({ model }: Mesh, symptom: Symptom, proxy: Proxy): SimulatedCall {
  const remote = placeOf(symptom.remoteAddress)?.address ?? "";
  const destination = placeOf(symptom.localAddress) ?? { address: proxy.addresses[0] ?? "", port: 0 };
  const peer = symptom.peerPrincipal ?? identityAt(model, remote);
  return { peer, source: remote, remote, destination, serverName: symptom.serverName, request: requestIn(symptom) };
}

function requestIn({ method, path = "/", authority = "" }: Symptom): SimulatedCall["request"] {
  return method === undefined ? undefined : { method, scheme: "http", authority, path, headers: [] };
}

/** Who calls from an address, where that is a pod with a proxy. */
function identityAt(model: Model, address: string): string | undefined {
  const caller = model.pods.byIp(address);
  const pod = caller === undefined ? undefined : model.world.get("Pod", caller.namespace, caller.name);
  if (pod === undefined || model.workloads.proxy(pod) !== "yes") return undefined;
  return `spiffe://${principalOf(model, podProxy(pod, model))}`;
}
