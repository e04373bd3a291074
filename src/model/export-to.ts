/** Annotation of a Service with the namespaces that see it, comma separated. */
export const EXPORT_TO_ANNOTATION = "networking.istio.io/exportTo";

/** The annotation's list; empty when it is absent. */
export function exportList(text = ""): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
}
