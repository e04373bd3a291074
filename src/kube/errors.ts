import { ClusterError, errorText } from "../base/errors.ts";

interface Where {
  readonly name: string;
  readonly server: string;
}

/** A request that got no answer: what failed on the way, as ClusterError `unreachable` or `bad-certificate`. */
export function transportError(error: unknown, where: Where): ClusterError {
  if (error instanceof ClusterError) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  const words =
    typeof code === "string" && !errorText(error).includes(code) ? `${errorText(error)} (${code})` : errorText(error);
  if (typeof code === "string" && /CERT|SELF_SIGNED|ALTNAME|SIGNATURE/.test(code))
    return new ClusterError("bad-certificate", `the certificate of ${where.server} is not trusted: ${words}`, {
      hint: `renew the kubeconfig entry of context ${where.name}: the cluster was probably made anew`,
      cause: error,
    });
  return new ClusterError("unreachable", `cluster ${where.name} at ${where.server} cannot be reached: ${words}`, {
    hint: "check that the cluster runs (`meshctl up` starts a local one), or choose another with --context or --kubeconfig",
    cause: error,
  });
}

const HINTS: Readonly<Record<number, readonly [code: string, hint: string | undefined]>> = {
  400: ["bad-request", undefined],
  401: ["unauthorized", "renew the credentials of the current context, or choose another with --context"],
  403: ["forbidden", "ask for the missing permission, or use a context that has it"],
  404: ["not-found", undefined],
  405: ["not-supported", undefined],
  409: ["conflict", undefined],
  410: ["gone", undefined],
  422: ["invalid", undefined],
  429: ["overloaded", "try again in a moment"],
};

/** An answer that is a refusal, by the API server's own words. */
export function statusError(status: number, text: string, where: Where): ClusterError {
  const { message, reason } = parseStatus(text);
  const [known, hint] = HINTS[status] ?? ["server-error", undefined];
  const code = reason === "AlreadyExists" ? "already-exists" : known;
  const words = message ?? `${where.server} answered ${status}: ${text.trim().slice(0, 200)}`;
  return new ClusterError(code, words, hint === undefined ? {} : { hint });
}

function parseStatus(text: string): { message?: string; reason?: string } {
  try {
    const value = JSON.parse(text) as { message?: unknown; reason?: unknown } | null;
    return {
      ...(typeof value?.message === "string" && value.message !== "" ? { message: value.message } : {}),
      ...(typeof value?.reason === "string" ? { reason: value.reason } : {}),
    };
  } catch {
    return {};
  }
}
