import type { IncomingMessage, ServerResponse } from "node:http";
import { gunzip } from "node:zlib";
import { promisify } from "node:util";
import { readValues } from "../../resources/yaml-values.ts";
import { decodeProtobuf } from "./protobuf.ts";
import { badRequest, StatusError, unsupportedMediaType } from "./status.ts";

/** As etcd's limit makes it for the real server, with room. */
const maxBody = 3 << 20;
const unzip = promisify(gunzip);

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of message) {
      const bytes = chunk as Buffer;
      size += bytes.length;
      if (size > maxBody) {
        throw new StatusError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${maxBody}`);
      }
      chunks.push(bytes);
    }
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw badRequest("the client left before the end of the body");
  }
  const body = Buffer.concat(chunks);
  if (message.headers["content-encoding"] !== "gzip") return body;
  try {
    return await unzip(body, { maxOutputLength: maxBody });
  } catch {
    throw badRequest("the body is not valid gzip");
  }
}

/** The media type of the body, without parameters. */
export function mediaType(message: IncomingMessage): string {
  return (message.headers["content-type"] ?? "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** The body as data: JSON, or YAML where the media type says so; undefined when there is none. Throws 400, 413, 415. */
export async function readBody(message: IncomingMessage): Promise<unknown> {
  const bytes = await readAll(message);
  if (bytes.length === 0) return undefined;
  const type = mediaType(message);
  const text = bytes.toString("utf8");
  if (type.includes("protobuf")) return decodeProtobuf(bytes);
  if (type.includes("cbor")) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml`,
    );
  }
  if (!type.includes("yaml")) return parseJson(text);
  // kubectl and client-node send JSON under the YAML type: try the cheap reading first.
  return text.trimStart().startsWith("{") ? parseJson(text) : parseYamlBody(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(
      `the object provided is unrecognized (must be of type JSON): ${error instanceof Error ? error.message : ""}`,
    );
  }
}

function parseYamlBody(text: string): unknown {
  try {
    const documents = readValues(text);
    if (documents.length === 1) return documents[0];
  } catch (error) {
    throw badRequest(`error decoding YAML: ${error instanceof Error ? error.message : ""}`);
  }
  throw badRequest("error decoding YAML: expected one document");
}

/** How an answer is wanted. */
export type Format = "json" | "table" | "partial";

const forms: Readonly<Record<string, Format>> = {
  "": "json",
  Table: "table",
  PartialObjectMetadata: "partial",
  PartialObjectMetadataList: "partial",
};

function formOf(entry: string): Format | undefined {
  const [type = "", ...parameters] = entry.split(";").map((part) => part.trim());
  if (!["application/json", "application/*", "*/*", ""].includes(type)) return undefined;
  const parameter = (name: string): string | undefined =>
    parameters.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  const as = parameter("as") ?? "";
  return as !== "" && (parameter("v") ?? "v1") !== "v1" ? undefined : forms[as];
}

/** The first form of the Accept header that we have; throws 406 when there is none (protobuf only, say). */
export function negotiate(message: IncomingMessage): Format {
  for (const entry of (message.headers.accept ?? "*/*").split(",")) {
    const form = formOf(entry);
    if (form !== undefined) return form;
  }
  throw new StatusError(406, "NotAcceptable", "only the following media types are accepted: application/json");
}

/** Sends JSON; `warnings` go out as Warning headers. */
export function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  warnings: readonly string[] = [],
): void {
  const text = `${JSON.stringify(body)}\n`;
  sendHead(response, code, "application/json", warnings);
  response.end(text);
}

function sendHead(response: ServerResponse, code: number, type: string, warnings: readonly string[]): void {
  const quoted = warnings.map((text) => `299 - ${JSON.stringify(text.replaceAll(/[^\x20-\x7e]/g, "?"))}`);
  if (quoted.length > 0) response.setHeader("Warning", quoted);
  response.writeHead(code, { "content-type": type, "cache-control": "no-cache, private" });
}

/** Sends plain text. */
export function sendText(response: ServerResponse, code: number, text: string): void {
  sendHead(response, code, "text/plain; charset=utf-8", []);
  response.end(text);
}

/** Sends what went wrong as a Status; what is no StatusError is our own fault, 500. */
export function sendError(response: ServerResponse, error: unknown, log: (message: string) => void): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = statusOf(error, log);
  if (status.code === 413) response.setHeader("connection", "close");
  if (status.code === 401) response.setHeader("www-authenticate", 'Bearer realm="meshctl"');
  sendJson(response, status.code, status.body());
}

/** The Status of any thrown value. */
export function statusOf(error: unknown, log: (message: string) => void): StatusError {
  if (error instanceof StatusError) return error;
  log(`the API endpoint failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return new StatusError(
    500,
    "InternalError",
    `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`,
  );
}
