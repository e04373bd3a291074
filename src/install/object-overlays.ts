import { UsageError } from "../base/errors.ts";
import { type Segments, valueAt, withValueAt } from "../base/field-path.ts";
import { type KubeObject, refOf, refText } from "../resources/object.ts";
import { parseSetPath, resolveSteps } from "./set-path.ts";

/** Last-resort changes of one object: `components.*.k8s.overlays`. */
interface Overlay {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly patches?: readonly { readonly path: string; readonly value?: unknown }[];
}

/** The objects with the patches of `overlays`. Throws UsageError for an object that is not rendered and a path that is none. */
export function withOverlays(objects: readonly KubeObject[], overlays: unknown): KubeObject[] {
  const list = (overlays ?? []) as readonly Overlay[];
  return list.reduce((all, overlay) => withOverlay(all, overlay), [...objects]);
}

function withOverlay(objects: readonly KubeObject[], overlay: Overlay): KubeObject[] {
  const isMeant = ({ kind, metadata }: KubeObject): boolean => kind === overlay.kind && metadata.name === overlay.name;
  if (!objects.some(isMeant)) {
    const names = objects.map((object) => refText(refOf(object))).join(", ");
    throw new UsageError(
      `overlays: there is no ${overlay.kind ?? "object"} ${overlay.name ?? ""}`,
      `This component has ${names}.`,
    );
  }
  return objects.map((object) => (isMeant(object) ? (overlay.patches ?? []).reduce(patched, object) : object));
}

/** `path` as `a.b.[key:value].c`; without a value the member or item goes. */
function patched(object: KubeObject, { path, value }: { readonly path: string; readonly value?: unknown }): KubeObject {
  const steps = parseSetPath(path.replaceAll(".[", "["));
  if (steps === undefined) throw new UsageError(`overlays: ${path} is not a path`, "Write it as a.b.[name:x].c.");
  const segments = resolveSteps(steps, object);
  return (
    value === undefined || value === null ? removed(object, segments) : withValueAt(object, segments, value)
  ) as KubeObject;
}

function removed(data: unknown, segments: Segments): unknown {
  const last = segments.at(-1);
  const parent = valueAt(data, segments.slice(0, -1));
  if (last === undefined || typeof parent !== "object" || parent === null) return data;
  const left = Array.isArray(parent)
    ? parent.filter((_, index) => index !== last)
    : Object.fromEntries(Object.entries(parent).filter(([key]) => key !== last));
  return withValueAt(data, segments.slice(0, -1), left);
}
