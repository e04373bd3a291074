import { durationMs } from "../base/duration.ts";
import type { RetryPolicy } from "../ir/route-features.ts";
import type { MeshConfig } from "../model/mesh-config.ts";
import type { HttpRule } from "./http-match.ts";

const DEFAULT_RETRY_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";

/** Attempts and conditions of a rule, with the mesh's for what it leaves out; undefined when nothing is tried again. */
export function retryPolicy(retries: HttpRule["retries"], mesh: MeshConfig): RetryPolicy | undefined {
  const attempts = retries?.attempts ?? mesh.defaultRetries.attempts;
  if (attempts <= 0) return undefined;
  const conditions = (nonEmpty(retries?.retryOn) ?? nonEmpty(mesh.defaultRetries.retryOn) ?? DEFAULT_RETRY_ON)
    .split(",")
    .map((part) => part.trim());
  const codes = conditions.filter((part) => /^\d{3}$/.test(part)).map(Number);
  const named = conditions.filter((part) => part !== "" && !/^\d{3}$/.test(part));
  if (codes.length > 0 && !named.includes("retriable-status-codes")) named.push("retriable-status-codes");
  const perTry = retries?.perTryTimeout === undefined ? undefined : durationMs(retries.perTryTimeout);
  return { attempts, on: named.join(","), retriableStatusCodes: codes, perTryTimeoutMs: perTry, otherHost: true };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
