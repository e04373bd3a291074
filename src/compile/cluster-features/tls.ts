import { compact } from "../../base/compact.ts";
import type { Cluster, ClusterTls } from "../../ir/cluster.ts";
import type { MeshService } from "../../ir/service.ts";
import type { Model } from "../../model/model.ts";
import { backendTls } from "../gateway-api/backend-tls.ts";
import { meshServerName } from "../names.ts";
import type { ClusterFeature, ClusterSource } from "./types.ts";

/** How connections are secured: `tls`, or what fits the endpoints. */
export const tls: ClusterFeature = { of: (model, source) => ({ tls: tlsOf(model, source) }) };

/** TLS as the rule asks, else mutual TLS wherever the other side can. */
function tlsOf(model: Model, source: ClusterSource): ClusterTls | undefined {
  const { service, port, subset, discovery, policy } = source;
  const asked = policy.tls;
  const sni = meshServerName({ port: port.number, subset, host: service.hostname });
  switch (asked?.mode) {
    case undefined:
      return backendTls(model, service, port) ?? automaticTls(model, service, { port: port.number, sni, discovery });
    case "DISABLE":
      return { mode: "disable", sni: "", subjectAltNames: [] };
    case "ISTIO_MUTUAL":
      return {
        mode: "istio-mutual",
        sni: nonEmpty(asked.sni) ?? sni,
        subjectAltNames: nonEmptyList(asked.subjectAltNames) ?? identities(model, service),
      };
    case "SIMPLE":
    case "MUTUAL":
      return originated(asked, {
        subjectAltNames: nonEmptyList(asked.subjectAltNames) ?? declaredNames(model, service),
        selective: source.selective === true,
      });
  }
}

type Asked = NonNullable<ClusterSource["policy"]["tls"]>;

/** TLS towards a server that is no workload of the mesh. */
function originated(
  asked: Asked,
  { subjectAltNames, selective }: { readonly subjectAltNames: readonly string[]; readonly selective: boolean },
): ClusterTls {
  const credentialName = nonEmpty(asked.credentialName);
  return compact({
    mode: asked.mode === "SIMPLE" ? ("simple" as const) : ("mutual" as const),
    sni: asked.sni ?? "",
    subjectAltNames,
    credentialName,
    forSelected: selective && credentialName !== undefined ? (true as const) : undefined,
    caCertificates: nonEmpty(asked.caCertificates),
    caCrl: nonEmpty(asked.caCrl),
    clientCertificate: nonEmpty(asked.clientCertificate),
    privateKey: nonEmpty(asked.privateKey),
    insecureSkipVerify: asked.insecureSkipVerify === true ? true : undefined,
  });
}

/** Mutual TLS nobody asked for: with endpoints that say they can; where nothing tells them apart, when all can. */
function automaticTls(
  model: Model,
  service: MeshService,
  { port, sni, discovery }: { readonly port: number; readonly sni: string; readonly discovery: Cluster["discovery"] },
): ClusterTls | undefined {
  if (service.meshExternal || !model.meshConfig().enableAutoMtls) return undefined;
  if (discovery !== "original-dst") return { mode: "auto", sni, subjectAltNames: identities(model, service) };
  const endpoints = model.endpoints.of(service, port);
  const all = endpoints.length > 0 && endpoints.every(({ tlsMode }) => tlsMode === "istio");
  return all ? { mode: "istio-mutual", sni, subjectAltNames: identities(model, service) } : undefined;
}

/** Names that a ServiceEntry says its servers have. */
function declaredNames({ world }: Model, { from }: MeshService): readonly string[] {
  if (from.kind !== "ServiceEntry") return [];
  return world.get("ServiceEntry", from.namespace, from.name)?.spec?.subjectAltNames ?? [];
}

/** SPIFFE identities the servers of a mesh service may have, in every trust domain we accept. */
function identities(model: Model, service: MeshService): readonly string[] {
  const declared = declaredNames(model, service);
  if (declared.length > 0) return declared;
  const { trustDomain, trustDomainAliases } = model.meshConfig();
  const accounts = model.endpoints.accounts(service).map((account) => account.split("/"));
  return [...new Set([trustDomain, ...trustDomainAliases])].flatMap((domain) =>
    accounts.map(([namespace, account]) => `spiffe://${domain}/ns/${namespace}/sa/${account}`),
  );
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function nonEmptyList(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}
