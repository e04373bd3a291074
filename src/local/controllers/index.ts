import { kubernetesServiceController, loadBalancerController } from "./cluster-services.ts";
import type { Controller, ControllerContext } from "./controller.ts";
import { deploymentController } from "./deployment.ts";
import { endpointSliceController } from "./endpointslice.ts";
import { garbageController } from "./garbage.ts";
import { namespaceController } from "./namespace.ts";
import { replicaSetController } from "./replicaset.ts";
import { schedulerController } from "./scheduler.ts";
import { daemonSetController, jobController, statefulSetController } from "./workloads.ts";

/** Every controller, sorted by name: each reacts to changes on its own, so the order has no meaning. */
export const controllers: readonly Controller[] = [
  daemonSetController,
  deploymentController,
  endpointSliceController,
  garbageController,
  jobController,
  kubernetesServiceController,
  loadBalancerController,
  namespaceController,
  replicaSetController,
  schedulerController,
  statefulSetController,
];

/** Starts them all; they end when the context's signal aborts. */
export function startControllers(context: ControllerContext): void {
  for (const controller of controllers) controller.start(context);
}
