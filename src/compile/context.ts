import type { Derivations } from "../base/derive.ts";
import type { Model } from "../model/model.ts";
import type { ScopeFacts, WorkloadFacts } from "./scope.ts";
import type { MeshTelemetry } from "./telemetry/telemetry.ts";

/** What the parts of compile stand on. */
export interface CompileContext {
  readonly model: Model;
  readonly derivations: Derivations;
  /** The facts behind a scope's key. */
  readonly scope: (key: string) => ScopeFacts;
  readonly workload: (key: string) => WorkloadFacts;
  /** What proxies tell of their traffic. */
  readonly telemetry: MeshTelemetry;
}
