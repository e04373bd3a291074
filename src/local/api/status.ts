import type { JsonObject } from "./json.ts";

/** One field that is wrong: `details.causes` of an Invalid status. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** Which object a status is about. */
export interface Subject {
  readonly group: string;
  /** Plural resource; for Invalid the kind. */
  readonly resource: string;
  readonly name: string;
}

/** The endpoint's refusal: a Kubernetes Status with its HTTP code. Thrown by LocalClient, sent as JSON over HTTP. */
export class StatusError extends Error {
  /** HTTP code. */
  readonly code: number;
  /** e.g. `NotFound`, `Conflict`. */
  readonly reason: string;
  readonly details: JsonObject | undefined;

  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message);
    this.name = "StatusError";
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The `Status` object of the wire. */
  body(): JsonObject {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** `deployments.apps "web"`: how messages name an object. */
function subjectText(subject: Subject): string {
  const resource = subject.group === "" ? subject.resource : `${subject.resource}.${subject.group}`;
  return `${resource} "${subject.name}"`;
}

function detailsOf(subject: Subject, causes?: readonly Cause[]): JsonObject {
  return {
    name: subject.name,
    ...(subject.group === "" ? {} : { group: subject.group }),
    kind: subject.resource,
    ...(causes === undefined ? {} : { causes }),
  };
}

/** 404: no such object. */
export function notFound(subject: Subject): StatusError {
  return new StatusError(404, "NotFound", `${subjectText(subject)} not found`, detailsOf(subject));
}

/** 404: no such path, group, version or resource. */
export function noSuchPath(): StatusError {
  return new StatusError(404, "NotFound", "the server could not find the requested resource", {});
}

/** 409: create of a name that is taken. */
export function alreadyExists(subject: Subject): StatusError {
  return new StatusError(409, "AlreadyExists", `${subjectText(subject)} already exists`, detailsOf(subject));
}

/** 409: another write came first, or a precondition does not hold. */
export function conflict(subject: Subject, why: string, causes?: readonly Cause[]): StatusError {
  const message = `Operation cannot be fulfilled on ${subjectText(subject)}: ${why}`;
  return new StatusError(409, "Conflict", message, detailsOf(subject, causes));
}

/** The words of a resourceVersion conflict; clients show them. */
export const staleWrite = "the object has been modified; please apply your changes to the latest version and try again";

/** 422: the object breaks rules of its kind. `subject.resource` is the kind. */
export function invalid(subject: Subject, causes: readonly Cause[]): StatusError {
  const text = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const list = text.length === 1 ? (text[0] ?? "") : `[${text.join(", ")}]`;
  const kind = subject.group === "" ? subject.resource : `${subject.resource}.${subject.group}`;
  return new StatusError(422, "Invalid", `${kind} "${subject.name}" is invalid: ${list}`, detailsOf(subject, causes));
}

/** 400: the request itself makes no sense. */
export function badRequest(message: string): StatusError {
  return new StatusError(400, "BadRequest", message);
}

/** 403 with the whole message. */
export function forbidden(message: string, details?: JsonObject): StatusError {
  return new StatusError(403, "Forbidden", message, details);
}

/** 401: no credential, or one that is not ours. */
export function unauthorized(): StatusError {
  return new StatusError(401, "Unauthorized", "Unauthorized");
}

/** 410: the resourceVersion is older than what is kept; clients list again. */
export function expired(message: string): StatusError {
  return new StatusError(410, "Expired", message);
}

/** 405: the resource has no such verb. */
export function methodNotAllowed(message: string): StatusError {
  return new StatusError(405, "MethodNotAllowed", message);
}

/** 501: a part of Kubernetes that the embedded endpoint does not have; unsupported.ts lists them. */
export function notImplemented(message: string): StatusError {
  return new StatusError(501, "NotImplemented", message);
}

/** 415: a body type that is not understood. */
export function unsupportedMediaType(message: string): StatusError {
  return new StatusError(415, "UnsupportedMediaType", message);
}

/** 500 with a cause outside of the endpoint. */
export function internalError(message: string): StatusError {
  return new StatusError(500, "InternalError", `Internal error occurred: ${message}`);
}
