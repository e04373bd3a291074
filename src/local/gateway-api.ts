import { gatewayApiCrds } from "../gen/gateway-api-crds.ts";
import type { KubeObject } from "../resources/object.ts";
import { parseYaml } from "../resources/yaml-plain.ts";
import type { LocalClient } from "./api/types.ts";
import { ids } from "./ids.ts";

/**
 * Gives the cluster the kinds of Gateway API, as many clusters have them from the start: to the mesh, as to any other that is
 * installed here, they are a part of the cluster and none of its own.
 */
export async function installGatewayApi(client: LocalClient): Promise<void> {
  for (const text of Object.values(gatewayApiCrds)) await client.create(ids.crds, parseYaml(text) as KubeObject);
}
