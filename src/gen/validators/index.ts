// Generated from schemas/ by `npm run gen`. Do not edit.
import * as specs from "./specs.ts";

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

/** Validators of specs by our name of the kind; MeshConfig for the mesh configuration. */
export const specValidators = specs as unknown as Readonly<Record<string, SpecValidator>>;
