/** A path into an object, e.g. `["spec", "http", 0]`. Same shape as diagnostics' FieldPath: ir knows nobody but base. */
export type FieldPath = readonly (string | number)[];

/** Names an object; `namespace` is "" for cluster-scoped ones. Same shape as diagnostics' ObjectRef. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}
