import type { GatewayChain } from "../ir/listener.ts";
import { certificateSecret, rootsSecret, secretObjects, type TlsSecret } from "../ir/secret.ts";
import { byText } from "../model/order.ts";
import type { Secret } from "../resources/core.ts";
import type { CompileContext } from "./context.ts";
import type { GatewayPlan } from "./gateways.ts";

/** Certificates of a gateway's servers, from Secrets of its own namespace. */
export interface GatewaySecrets {
  /** What its servers name, sorted, whether there or not. */
  names(scope: string): readonly string[];
  /** Undefined: no such Secret, or none of the known formats. */
  secret(scope: string, name: string): TlsSecret | undefined;
}

export function createGatewaySecrets({ derivations, model, scope }: CompileContext, plan: GatewayPlan): GatewaySecrets {
  return {
    names: derivations.keyed("gateway secret names", (key: string): readonly string[] => {
      const chains = plan.listeners(key).flatMap((listener) => listener.chains);
      return [...new Set(chains.flatMap(secretsOf))].toSorted(byText);
    }),
    secret: derivations.keyed("gateway secret", (key: string, name: string): TlsSecret | undefined => {
      const { kind, objects } = secretObjects(name);
      for (const object of objects) {
        const found = readSecret(kind, model.world.get("Secret", scope(key).namespace, object));
        if (found !== undefined) return found;
      }
      return undefined;
    }),
  };
}

function secretsOf({ tls }: GatewayChain): readonly string[] {
  const { mode, credentialName } = tls ?? {};
  if (credentialName === undefined) return [];
  if (mode === "SIMPLE") return [certificateSecret(credentialName)];
  if (mode === "MUTUAL" || mode === "OPTIONAL_MUTUAL")
    return [certificateSecret(credentialName), rootsSecret(credentialName)];
  return [];
}

/** Both formats that Istio knows: that of type kubernetes.io/tls, and the older one with `cert`, `key` and `cacert`. */
function readSecret(kind: TlsSecret["kind"], secret: Secret | undefined): TlsSecret | undefined {
  const pem = (field: string): string | undefined => {
    const text = Buffer.from(secret?.data?.[field] ?? "", "base64").toString();
    return text.includes("-----BEGIN ") ? text : undefined;
  };
  if (kind === "roots") {
    const roots = pem("ca.crt") ?? pem("cacert");
    return roots === undefined ? undefined : { kind, roots };
  }
  for (const [chainField, keyField] of FORMATS) {
    const chain = pem(chainField);
    const key = pem(keyField);
    if (chain !== undefined && key !== undefined) return { kind, chain, key };
  }
  return undefined;
}

const FORMATS = [
  ["tls.crt", "tls.key"],
  ["cert", "key"],
] as const;
