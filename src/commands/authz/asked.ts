import { UsageError } from "../../base/errors.ts";
import type { SimulatedRequest } from "../../simulate/request.ts";
import { listOption, textOption } from "../input.ts";
import type { CommandInput } from "../io.ts";

/** A call as the flags of `authz check` describe it. */
export interface AskedCall {
  readonly port: number;
  /** Identity without `spiffe://`; undefined: plain text, nobody in particular. */
  readonly principal: string | undefined;
  readonly sourceIp: string;
  readonly remoteIp: string;
  readonly request: Omit<SimulatedRequest, "metadata">;
  /** Claims of the token that the request carries, signed by its issuer; undefined: it carries none. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  /** Seconds; tokens are judged by it. */
  readonly now: number;
}

/** An address that no policy means by accident (RFC 5737). */
const SOMEWHERE = "192.0.2.1";

/** Reads the flags. `principal`: of the pod that --from names. Throws UsageError. */
export function readAsked(input: CommandInput, principal: string | undefined, now: Date): AskedCall {
  const port = Number(textOption(input, "port"));
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UsageError(`expected --port from 1 to 65535, got "${textOption(input, "port") ?? ""}"`);
  const sourceIp = textOption(input, "source-ip") ?? SOMEWHERE;
  return {
    port,
    principal: textOption(input, "principal")?.replace(/^spiffe:\/\//, "") ?? principal,
    sourceIp,
    remoteIp: textOption(input, "remote-ip") ?? sourceIp,
    request: requestOf(input),
    claims: claimsOf(textOption(input, "claims")),
    now: now.getTime() / 1_000,
  };
}

function requestOf(input: CommandInput): AskedCall["request"] {
  const path = textOption(input, "path") ?? "/";
  if (!path.startsWith("/")) throw new UsageError(`expected --path to start with /, got "${path}"`);
  return {
    method: (textOption(input, "method") ?? "GET").toUpperCase(),
    scheme: "http",
    authority: textOption(input, "host") ?? "",
    path,
    headers: listOption(input, "header").map(headerOf),
  };
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  if (colon <= 0) throw new UsageError(`expected a header as "name: value", got "${line}"`);
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}

/** Claims of a token as --claims gives them. Throws UsageError. */
export function claimsOf(text: string | undefined): AskedCall["claims"] {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as AskedCall["claims"];
  } catch {
    // told below
  }
  throw new UsageError(
    `expected --claims to be a JSON object, got "${text}"`,
    'For example {"iss":"https://a","sub":"b"}.',
  );
}
