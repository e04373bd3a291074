import { headerValue, type SimulatedRequest } from "./request.ts";

/** `%REQ(NAME?OTHER):LENGTH%`, `%%`, or another command with its arguments. */
const COMMAND = /%(?:%|REQ\(([^)?]+)(?:\?([^)]+))?\)(?::(\d+))?%|[A-Z_]+(?:\([^)]*\))?(?::\d+)?%)/g;

/** An Envoy format string for a request. What only a live connection knows (addresses, times) stays as it is written. */
export function formatted(format: string, request: SimulatedRequest): string {
  return format.replaceAll(COMMAND, (whole: string, name?: string, other?: string, length?: string) => {
    if (whole === "%%") return "%";
    if (name === undefined) return whole;
    const value = headerValue(request, name) ?? (other === undefined ? undefined : headerValue(request, other)) ?? "-";
    return length === undefined ? value : value.slice(0, Number(length));
  });
}
