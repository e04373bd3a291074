// Generated from schemas/ by `npm run gen`. Do not edit.
import { validate as AuthorizationPolicy } from "./authorization-policy.ts";
import { validate as DestinationRule } from "./destination-rule.ts";
import { validate as Gateway } from "./gateway.ts";
import { validate as MeshConfig } from "./mesh-config.ts";
import { validate as PeerAuthentication } from "./peer-authentication.ts";
import { validate as RequestAuthentication } from "./request-authentication.ts";
import { validate as ServiceEntry } from "./service-entry.ts";
import { validate as Sidecar } from "./sidecar.ts";
import { validate as Telemetry } from "./telemetry.ts";
import { validate as VirtualService } from "./virtual-service.ts";

/** One thing a spec does not hold to. `instancePath` is a JSON pointer into the spec. */
export interface SchemaError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** True when the spec holds to its schema; otherwise `errors` of the function lists everything that does not. */
export interface SpecValidator {
  (spec: unknown): boolean;
  errors?: readonly SchemaError[] | null;
}

/** Validators of specs by kind; MeshConfig for the mesh configuration. */
export const specValidators = {
  AuthorizationPolicy,
  DestinationRule,
  Gateway,
  MeshConfig,
  PeerAuthentication,
  RequestAuthentication,
  ServiceEntry,
  Sidecar,
  Telemetry,
  VirtualService,
} as unknown as Readonly<Record<string, SpecValidator>>;
