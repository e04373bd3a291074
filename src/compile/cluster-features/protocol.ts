import type { Protocol } from "../../ir/service.ts";
import { isHttp } from "../../model/protocol.ts";
import type { ClusterFeature } from "./types.ts";

/**
 * The port's protocol, changed by `http.useClientProtocol` (speak what the client spoke) or `http.h2UpgradePolicy` (HTTP/2 to
 * the service; the mesh's default holds for HTTP ports alone, a rule's also for ports whose protocol is found out).
 */
export const protocol: ClusterFeature = {
  of(model, { port, policy }) {
    const { useClientProtocol, h2UpgradePolicy } = policy.connectionPool?.http ?? {};
    return {
      protocol: chosen(port.protocol, useClientProtocol === true, wish(h2UpgradePolicy, model.meshConfig().raw)),
    };
  },
};

interface Wish {
  readonly upgrade: boolean;
  readonly byRule: boolean;
}

function wish(said: string | undefined, mesh: Readonly<Record<string, unknown>>): Wish {
  if (said === "UPGRADE" || said === "DO_NOT_UPGRADE") return { upgrade: said === "UPGRADE", byRule: true };
  return { upgrade: mesh["h2UpgradePolicy"] === "UPGRADE", byRule: false };
}

function chosen(own: Protocol, useClients: boolean, { upgrade, byRule }: Wish): Protocol {
  if (!isHttp(own) && own !== "auto") return own;
  if (useClients) return "auto";
  return upgrade && (own === "http" || (own === "auto" && byRule)) ? "http2" : own;
}
