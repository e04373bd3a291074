import type { InjectContext, PodLike } from "./config.ts";
import { InjectionError } from "./config.ts";
import { inject } from "./inject.ts";

/** The parts of an AdmissionReview (admission.k8s.io/v1) that injection reads. */
export interface AdmissionReview {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request?: {
    readonly uid: string;
    readonly namespace?: string;
    readonly object?: unknown;
  };
}

/** The answer: the same review with a response instead of the request. */
export interface AdmissionAnswer {
  readonly apiVersion: string;
  readonly kind: "AdmissionReview";
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patchType?: "JSONPatch";
    /** base64 of an RFC 6902 patch */
    readonly patch?: string;
    readonly warnings?: readonly string[];
    readonly status?: { readonly message: string; readonly code: number };
  };
}

/**
 * The webhook's door to `inject`: a pod comes in, a patch goes out. A pod that is not to be injected passes unchanged; one whose
 * annotations make no sense is refused with the reason, because half an injection would be worse. failurePolicy is Fail and the
 * timeout 10 seconds (manifests/base/pilot.yaml). `urlPath` is the request's path: `/inject/cluster/C/net/N` adds to the
 * proxy's environment. Anything that is no review of a pod gives an answer with allowed: false.
 */
export function handleAdmissionReview(
  review: AdmissionReview,
  context: Omit<InjectContext, "namespace">,
  urlPath = "/inject",
): AdmissionAnswer {
  const { request } = review;
  const answer = (response: Omit<AdmissionAnswer["response"], "uid">): AdmissionAnswer => ({
    apiVersion: review.apiVersion,
    kind: "AdmissionReview",
    response: { uid: request?.uid ?? "", ...response },
  });
  if (request === undefined || !isPod(request.object))
    return answer({ allowed: false, status: { code: 400, message: "expected an AdmissionReview of a pod" } });
  const pod = request.object;
  const namespace = request.namespace ?? pod.metadata?.namespace ?? "default";
  try {
    const { decision, patch } = inject(pod, { ...context, namespace, extraEnv: environmentOf(urlPath) });
    const warnings = decision.warnings.length === 0 ? {} : { warnings: decision.warnings };
    if (patch.length === 0) return answer({ allowed: true, ...warnings });
    const encoded = Buffer.from(JSON.stringify(patch)).toString("base64");
    return answer({ allowed: true, patchType: "JSONPatch", patch: encoded, ...warnings });
  } catch (error) {
    if (!(error instanceof InjectionError)) throw error;
    return answer({ allowed: false, status: { code: 400, message: `sidecar injection: ${error.message}` } });
  }
}

const KNOWN_PARTS: Readonly<Record<string, string>> = { cluster: "ISTIO_META_CLUSTER_ID", net: "ISTIO_META_NETWORK" };

/** `/inject/cluster/C/net/N/:NAME:/value` as variables; `--slash--` stands for a slash inside a value. */
export function environmentOf(urlPath: string): Readonly<Record<string, string>> {
  const parts = urlPath
    .replace(/^\/inject\/?/, "")
    .split("/")
    .map((part) => decodeURIComponent(part).replaceAll("--slash--", "/"));
  const environment: Record<string, string> = {};
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const name = parts[at] ?? "";
    environment[KNOWN_PARTS[name] ?? name.replaceAll(":", "").toUpperCase()] = parts[at + 1] ?? "";
  }
  return environment;
}

function isPod(value: unknown): value is PodLike {
  if (typeof value !== "object" || value === null || !("spec" in value)) return false;
  const { spec } = value;
  return typeof spec === "object" && spec !== null && "containers" in spec && Array.isArray(spec.containers);
}
