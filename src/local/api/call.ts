import type { IncomingMessage, ServerResponse } from "node:http";
import type { User, WriteRequest } from "./core.ts";
import { patchTypes } from "./patch.ts";
import type { ResourceInfo } from "./registry.ts";
import type { ServerDeps } from "./server-deps.ts";
import { invalid, type StatusError } from "./status.ts";
import { mediaType } from "./wire.ts";

/** One request to a resource. */
export interface Call {
  readonly deps: ServerDeps;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly user: User;
  readonly query: URLSearchParams;
  readonly info: ResourceInfo;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** The write parameters of a request, and the warnings it collects. */
export function writeRequestOf(call: Call): WriteRequest & { readonly warnings: string[] } {
  const { query, message, user } = call;
  const dryRun = query.getAll("dryRun");
  const kind =
    { POST: "CreateOptions", PATCH: "PatchOptions", DELETE: "DeleteOptions" }[message.method ?? ""] ?? "UpdateOptions";
  const unsupported = (field: string, value: string, supported: string): StatusError =>
    invalid({ group: "meta.k8s.io", resource: kind, name: "" }, [
      {
        reason: "FieldValueNotSupported",
        field,
        message: `Unsupported value: "${value}": supported values: ${supported}`,
      },
    ]);
  const odd = dryRun.find((value) => value !== "All" && value !== "");
  if (odd !== undefined) throw unsupported("dryRun", odd, '"All"');
  const validation = query.get("fieldValidation") ?? "";
  if (!["", "Strict", "Warn", "Ignore"].includes(validation))
    throw unsupported("fieldValidation", validation, '"", "Ignore", "Strict", "Warn"');
  const warnings: string[] = [];
  const agent = (message.headers["user-agent"] ?? "unknown").split("/")[0] ?? "unknown";
  const apply = mediaType(message) === patchTypes.apply;
  return {
    user,
    dryRun: dryRun.includes("All"),
    manager: query.get("fieldManager") ?? (apply ? "" : agent),
    fieldValidation: validation === "" ? "Warn" : (validation as "Strict" | "Warn" | "Ignore"),
    subresource: call.subresource,
    warn: (text) => warnings.push(text),
    warnings,
  };
}
