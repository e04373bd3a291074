import { localityChoice } from "../locality.ts";
import type { ClusterFeature } from "./types.ts";

/** Whether localities are chosen by weight; which endpoint stands where is said by the endpoints (compile/locality.ts). */
export const locality: ClusterFeature = {
  of(model, { policy, service }) {
    const choice = localityChoice(policy, model.meshConfig(), model.services.distribution(service));
    return choice?.weighted === true ? { localityWeighted: true } : {};
  },
};
