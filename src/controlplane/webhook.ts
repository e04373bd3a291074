import type { IncomingMessage } from "node:http";
import { errorText } from "../base/errors.ts";
import type { KubeObject } from "../resources/object.ts";
import { BodyError, type Bodies } from "./bodies.ts";
import { type Answer, json } from "./http.ts";

/** A request of the API server to have a say in a write. */
export interface AdmissionRequest {
  readonly uid: string;
  /** Which objects it is about, by group, version and plural. */
  readonly resource?: ReviewedResource;
  /** Empty when the API server makes the name. */
  readonly name?: string;
  readonly namespace?: string;
  /** CREATE, UPDATE, DELETE or CONNECT. */
  readonly operation?: string;
  /** Null for a deletion. */
  readonly object?: KubeObject | null;
  /** As it was; null for a creation. */
  readonly oldObject?: KubeObject | null;
  readonly dryRun?: boolean;
  /** Who asks, as the API server found out. */
  readonly userInfo?: { readonly username?: string; readonly groups?: readonly string[] };
}

/** A kind of objects as admission reviews name it. */
export interface ReviewedResource {
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
}

/** Our say. `patch` is RFC 6902. */
export interface AdmissionAnswer {
  readonly allowed: boolean;
  readonly message?: string;
  readonly warnings?: readonly string[];
  /** Why it is refused, for programs. */
  readonly causes?: readonly { readonly field: string; readonly message: string }[];
  readonly patch?: readonly unknown[];
  /** The pod is left as it is, as labels, annotations or settings ask: for the metrics. */
  readonly skipped?: boolean;
}

/** How a review ended. `failed`: it could not be answered, and the pod is refused with the reason. */
export type WebhookResult = "allowed" | "skipped" | "refused" | "failed";

export interface WebhookDeps {
  readonly bodies: Bodies;
  /** `path` is the request's path below /inject, e.g. `/cluster/c1/net/n1`; may throw: the pod is refused with the words. */
  readonly inject: (request: AdmissionRequest, path: string) => AdmissionAnswer;
  readonly validate: (request: AdmissionRequest) => AdmissionAnswer;
  readonly onResult: (
    webhook: "inject" | "validate",
    result: WebhookResult,
    tookMs: number,
    resource: ReviewedResource | undefined,
  ) => void;
  /** Told of each answered review of a mesh object. */
  readonly onReviewed?: (request: AdmissionRequest, answer: AdmissionAnswer, address: string) => void;
}

/**
 * Answers admission reviews. Injection fails closed: a pod that asked for a proxy and cannot get one is refused (the
 * configuration's failurePolicy is Fail too). Validation fails open on our own defects: they are ours, not the user's.
 */
export async function answerWebhook(deps: WebhookDeps, request: IncomingMessage, url: URL): Promise<Answer> {
  const webhook = route(url.pathname);
  if (webhook === undefined) return { status: 404, body: "expected /inject or /validate\n" };
  if (request.method !== "POST") return { status: 405, body: "expected POST\n" };
  const { apiVersion, review } = parseReview(await deps.bodies.read(request));
  const started = performance.now();
  let answer: AdmissionAnswer;
  let isFailed = false;
  try {
    answer = webhook.name === "inject" ? deps.inject(review, webhook.rest) : deps.validate(review);
  } catch (error) {
    isFailed = true;
    answer =
      webhook.name === "inject"
        ? { allowed: false, message: errorText(error) }
        : { allowed: true, warnings: [`the object could not be checked: ${errorText(error)}`] };
  }
  const result = isFailed ? "failed" : !answer.allowed ? "refused" : answer.skipped === true ? "skipped" : "allowed";
  deps.onResult(webhook.name, result, performance.now() - started, review.resource);
  if (webhook.name === "validate") deps.onReviewed?.(review, answer, request.socket.remoteAddress ?? "");
  return json(responseOf(apiVersion, review.uid, answer));
}

function route(path: string): { readonly name: "inject" | "validate"; readonly rest: string } | undefined {
  const match = /^\/(inject|validate)(\/.*)?$/.exec(path);
  return match === null ? undefined : { name: match[1] as "inject" | "validate", rest: match[2] ?? "" };
}

interface Review {
  readonly apiVersion: string;
  readonly review: AdmissionRequest;
}

function parseReview(text: string): Review {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BodyError(400, "expected an AdmissionReview as JSON");
  }
  const given = value as { apiVersion?: unknown; kind?: unknown; request?: Partial<AdmissionRequest> | null } | null;
  const review = given?.request;
  if (given?.kind !== "AdmissionReview" || typeof review?.uid !== "string")
    throw new BodyError(400, "expected an AdmissionReview with a request");
  if (!isObject(review.object) || !isObject(review.oldObject))
    throw new BodyError(400, "expected an object with apiVersion, kind and metadata");
  const apiVersion = typeof given.apiVersion === "string" ? given.apiVersion : "admission.k8s.io/v1";
  return { apiVersion, review: review as AdmissionRequest };
}

/** Whether it has what every Kubernetes object has, or is not there at all, as when one is deleted. */
function isObject(object: unknown): boolean {
  if (object === undefined || object === null) return true;
  const { apiVersion, kind, metadata } = object as Partial<Record<keyof KubeObject, unknown>>;
  return (
    typeof apiVersion === "string" && typeof kind === "string" && typeof metadata === "object" && metadata !== null
  );
}

function responseOf(apiVersion: string, uid: string, answer: AdmissionAnswer): unknown {
  const patch =
    answer.patch === undefined || answer.patch.length === 0
      ? {}
      : { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(answer.patch)).toString("base64") };
  return {
    apiVersion,
    kind: "AdmissionReview",
    response: {
      uid,
      allowed: answer.allowed,
      ...(answer.allowed ? {} : { status: statusOf(answer) }),
      ...(answer.warnings === undefined || answer.warnings.length === 0 ? {} : { warnings: answer.warnings }),
      ...patch,
    },
  };
}

/** A Kubernetes Status: the API server hands it on to the client, with its own words in front of ours. */
function statusOf({ message = "", causes = [] }: AdmissionAnswer): unknown {
  const details = { causes: causes.map((cause) => ({ reason: "FieldValueInvalid", ...cause })) };
  return { message, code: 400, ...(causes.length === 0 ? {} : { details }) };
}
