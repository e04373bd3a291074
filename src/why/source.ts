import { parsePath } from "../base/field-path.ts";
import type { FieldPath, SourcePosition } from "../diagnostics/finding.ts";
import type { ObjectRef } from "../ir/refs.ts";
import { WHY } from "../xds/why.ts";

/** Where a field of an object stands; undefined for what is in no file. */
export type PositionOf = (object: ObjectRef, path: FieldPath) => SourcePosition | undefined;

/** Why a resource is as it is: what its metadata says, with the place in the files. */
export interface Source {
  /** `VirtualService shop/reviews` */
  readonly object: string;
  readonly field?: string;
  readonly file?: string;
  readonly line?: number;
  /** Objects that wanted to decide it, with the reason why they do not. */
  readonly lost?: readonly string[];
  /** Parts that another object or field decided, by name. */
  readonly parts?: Readonly<Record<string, string>>;
}

/** Any resource of Envoy with metadata. */
export interface Tagged {
  readonly metadata?: { readonly filter_metadata?: Readonly<Record<string, unknown>> };
}

interface Written {
  readonly from: string;
  readonly field?: string;
  readonly lost?: readonly string[];
  readonly parts?: Readonly<Record<string, string>>;
}

/** What a resource says of itself; what says nothing comes from the Service that its cluster names. */
export function sourceOf(resource: Tagged | undefined, positionOf: PositionOf): Source | undefined {
  const metadata = resource?.metadata?.filter_metadata ?? {};
  const written = metadata[WHY] as Written | undefined;
  if (written !== undefined) {
    const { from, field, lost, parts } = written;
    return {
      ...placed(from, field, positionOf),
      ...(lost === undefined ? {} : { lost }),
      ...(parts === undefined ? {} : { parts }),
    };
  }
  const { services } = (metadata["istio"] ?? {}) as {
    readonly services?: readonly { readonly name: string; readonly namespace: string }[];
  };
  const [service] = services ?? [];
  return service === undefined
    ? undefined
    : placed(`Service ${service.namespace}/${service.name}`, undefined, positionOf);
}

function placed(object: string, field: string | undefined, positionOf: PositionOf): Source {
  const position = positionOf(refOfText(object), field === undefined ? [] : ((parsePath(field) ?? []) as FieldPath));
  return {
    object,
    ...(field === undefined ? {} : { field }),
    ...(position === undefined ? {} : { file: position.file, line: position.line }),
  };
}

/** `Kind namespace/name` as a reference. */
export function refOfText(text: string): ObjectRef {
  const [kind = "", name = ""] = text.split(" ");
  const slash = name.indexOf("/");
  return { kind, namespace: slash < 0 ? "" : name.slice(0, slash), name: name.slice(slash + 1) };
}
