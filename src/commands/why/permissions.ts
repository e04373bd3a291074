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
  const isAsked =
    symptom.flags.includes("UAEX") ||
    /rbac_access_denied/.test(`${symptom.details ?? ""}${symptom.terminationDetails ?? ""}`);
  if (!isAsked) return [];
  const { model } = mesh;
  const remote = placeOf(symptom.remoteAddress)?.address ?? "";
  const destination = placeOf(symptom.localAddress) ?? { address: proxy.addresses[0] ?? "", port: 0 };
  const caller = model.pods.byIp(remote);
  const pod = caller === undefined ? undefined : model.world.get("Pod", caller.namespace, caller.name);
  const isMesh = pod !== undefined && model.workloads.proxy(pod) === "yes";
  const peer = symptom.peerPrincipal ?? (isMesh ? `spiffe://${principalOf(model, podProxy(pod, model))}` : undefined);
  const { method, path = "/", authority = "" } = symptom;
  const request =
    method === undefined ? undefined : ({ method, scheme: "http", authority, path, headers: [] } as const);
  const call = { peer, source: remote, remote, destination, serverName: symptom.serverName, request };
  return explainRules(rulesOf(mesh.proxyConfig(proxy)), call, positionOf);
}
