import { admissionChecks } from "./admission/index.ts";
import { capacityChecks } from "./capacity/index.ts";
import { certificateChecks } from "./certificates/index.ts";
import type { Check, Phase } from "./check.ts";
import { clusterChecks } from "./cluster/index.ts";
import { configurationChecks } from "./configuration/index.ts";
import { controlPlaneChecks } from "./control-plane/index.ts";
import { crdChecks } from "./crds/index.ts";
import { gatewayApiChecks } from "./gateway-api/index.ts";
import { gatewayChecks } from "./gateways/index.ts";
import { imageChecks } from "./images/index.ts";
import { injectionChecks } from "./injection/index.ts";
import { leftoverChecks } from "./leftovers/index.ts";
import { meshConfigChecks } from "./mesh-config/index.ts";
import { metricChecks } from "./metrics/index.ts";
import { nodeChecks } from "./nodes/index.ts";
import { permissionChecks } from "./permissions/index.ts";
import { proxyChecks } from "./proxies/index.ts";
import { severalClusterChecks } from "./clusters/index.ts";
import { versionChecks } from "./versions/index.ts";
import { webhookChecks } from "./webhooks/index.ts";

/** Every check, by category, in the order in which a person would look. */
export const allChecks: readonly Check[] = [
  ...clusterChecks,
  ...permissionChecks,
  ...nodeChecks,
  ...imageChecks,
  ...capacityChecks,
  ...admissionChecks,
  ...webhookChecks,
  ...crdChecks,
  ...gatewayApiChecks,
  ...leftoverChecks,
  ...controlPlaneChecks,
  ...meshConfigChecks,
  ...certificateChecks,
  ...versionChecks,
  ...injectionChecks,
  ...proxyChecks,
  ...gatewayChecks,
  ...severalClusterChecks,
  ...metricChecks,
  ...configurationChecks,
];

/** Those that are run before an installation or upgrade, or after it. */
export function checksOf(phase: Phase): readonly Check[] {
  return allChecks.filter((check) => check.phase === undefined || check.phase === phase);
}
