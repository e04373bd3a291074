import { firstValue, type SimulatedRequest } from "./request.ts";

/** `%REQ(NAME?OTHER):LENGTH%`, `%%`, or another command with its arguments. */
const COMMAND = /%(?:%|REQ\(([^)?]+)(?:\?([^)]+))?\)(?::(\d+))?%|[A-Z_]+(?:\([^)]*\))?(?::\d+)?%)/g;

/** An Envoy format string for a header of a request: a header that is missing says nothing, of a repeated one the first value counts. What only a live connection knows (addresses, times) stays as it is written. */
export function formatted(format: string, request: SimulatedRequest): string {
  return format.replaceAll(COMMAND, (whole: string, name?: string, other?: string, length?: string) => {
    if (whole === "%%") return "%";
    if (name === undefined) return whole;
    const given = firstValue(request, name) ?? firstValue(request, other ?? name);
    const value = given ?? "";
    return length === undefined ? value : value.slice(0, Number(length));
  });
}
