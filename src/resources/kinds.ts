import type { KubeObject } from "./object.ts";

/** Kinds the mesh reads, by the name our code uses. Grows with schemas/; generated spec types replace `unknown`. */
export interface KindTypes {
  Namespace: KubeObject;
  Service: KubeObject;
  Pod: KubeObject;
  EndpointSlice: KubeObject;
}
export type KindName = keyof KindTypes;
