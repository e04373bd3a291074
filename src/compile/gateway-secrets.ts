import { compact } from "../base/compact.ts";
import type { ClusterTls } from "../ir/cluster.ts";
import type { GatewayChain } from "../ir/listener.ts";
import { certificateSecret, isClusterSecret, rootsSecret, secretObjects, type TlsSecret } from "../ir/secret.ts";
import type { Member } from "../model/members.ts";
import { byText } from "../model/order.ts";
import type { Secret } from "../resources/core.ts";
import type { CompileContext } from "./context.ts";
import { apiSecrets } from "./gateway-api/servers.ts";
import type { GatewayPlan } from "./gateways.ts";
import { areUsableLists, areUsableRoots, isUsablePair } from "./usable-pem.ts";

/** Certificates of a gateway's servers and of its own connections to servers outside, from Secrets of its own namespace. */
export interface GatewaySecrets {
  /** What its servers and clusters name, sorted, whether there or not. */
  names(scope: string): readonly string[];
  /** The same of a sidecar: of rules that select it. */
  ofSidecar(scope: string): readonly string[];
  /** Undefined: no such Secret, none of the known formats, or what Envoy could not load. */
  secret(scope: string, name: string): TlsSecret | undefined;
}

/** What a gateway has, as far as it names secrets. */
export interface SecretUsers {
  readonly plan: GatewayPlan;
  /** How its clusters secure connections. */
  readonly clusterTls: (scope: string) => readonly (ClusterTls | undefined)[];
}

export function createGatewaySecrets(
  { derivations, model, scope }: CompileContext,
  { plan, clusterTls }: SecretUsers,
): GatewaySecrets {
  return {
    names: derivations.keyed("gateway secret names", (key: string): readonly string[] => {
      const chains = plan.listeners(key).flatMap((listener) => listener.chains);
      const named = [
        ...chains.flatMap(secretsOf),
        ...clusterTls(key).flatMap(secretsOfCluster),
        ...apiSecrets(model, scope(key)),
      ];
      return [...new Set(named)].toSorted(byText);
    }),
    ofSidecar: derivations.keyed("sidecar secret names", (key: string): readonly string[] => {
      const named = model.destinationRules
        .credentials(scope(key))
        .flatMap(({ mode, credentialName = "" }) =>
          mode === "SIMPLE" || mode === "MUTUAL" ? connectionSecrets(credentialName, mode === "MUTUAL") : [],
        );
      return [...new Set(named)].toSorted(byText);
    }),
    secret: derivations.keyed("gateway secret", (key: string, name: string): TlsSecret | undefined => {
      const { kind, objects } = secretObjects(name);
      for (const object of objects) {
        const { namespace, cluster = model.clusterId } = scope(key);
        const found = readSecret(kind, objectOf(model.members.of(cluster), namespace, object));
        if (found !== undefined) return found;
      }
      return undefined;
    }),
  };
}

/** `name`, `namespace/name`, or `ConfigMap/namespace/name`, of the proxy's own cluster; a ConfigMap as a Secret would be. */
function objectOf({ world }: Member, own: string, written: string): Secret | undefined {
  const [name = "", namespace = own, kind] = written.split("/").toReversed();
  if (kind !== "ConfigMap") return world.get("Secret", namespace, name);
  const { data = {}, metadata } = world.get("ConfigMap", namespace, name) ?? {};
  if (metadata === undefined) return undefined;
  const encoded = Object.entries(data).map(([field, text]) => [field, Buffer.from(text).toString("base64")]);
  return { apiVersion: "v1", kind: "Secret", metadata, data: Object.fromEntries(encoded) as Record<string, string> };
}

function secretsOf({ tls }: GatewayChain): readonly string[] {
  const { certificates = [], roots } = tls ?? {};
  return [...certificates, ...(roots === undefined ? [] : [roots])].filter(isClusterSecret);
}

/** What connections to servers outside the mesh are made with: roots, and a certificate of our own where the server asks for one. */
function secretsOfCluster(tls: ClusterTls | undefined): readonly string[] {
  const { mode, credentialName = "" } = tls ?? {};
  if (credentialName === "" || (mode !== "simple" && mode !== "mutual")) return [];
  return connectionSecrets(credentialName, mode === "mutual");
}

function connectionSecrets(credentialName: string, isMutual: boolean): readonly string[] {
  const roots = rootsSecret(credentialName);
  return isMutual ? [certificateSecret(credentialName), roots] : [roots];
}

/** Both formats that Istio knows: that of type kubernetes.io/tls, and the older one with `cert`, `key` and `cacert`. */
function readSecret(kind: TlsSecret["kind"], secret: Secret | undefined): TlsSecret | undefined {
  const pem = (field: string): string | undefined => {
    const text = Buffer.from(secret?.data?.[field] ?? "", "base64").toString();
    return text.includes("-----BEGIN ") ? text : undefined;
  };
  if (kind === "roots") {
    const roots = pem("ca.crt") ?? pem("cacert");
    const crl = pem("ca.crl") ?? pem("crl");
    // without its lists, who is revoked would be let in
    if (roots === undefined || !areUsableRoots(roots) || (crl !== undefined && !areUsableLists(crl))) return undefined;
    return compact({ kind, roots, crl });
  }
  for (const [chainField, keyField] of FORMATS) {
    const chain = pem(chainField);
    const key = pem(keyField);
    if (chain !== undefined && key !== undefined && isUsablePair(chain, key))
      return compact({ kind, chain, key, ocspStaple: staple(secret) });
  }
  return undefined;
}

function staple(secret: Secret | undefined): string | undefined {
  const text = secret?.data?.["tls.ocsp-staple"] ?? "";
  return text === "" ? undefined : text;
}

const FORMATS = [
  ["tls.crt", "tls.key"],
  ["cert", "key"],
] as const;
