import type { Credentials } from "./docker-config.ts";
import { ImageError } from "./oci.ts";

/** What a registry wants before it answers: header `WWW-Authenticate`. */
export interface Challenge {
  /** `basic` or `bearer` */
  readonly scheme: string;
  /** By lower-case name: realm, service, scope. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads the header; undefined when there is none. Of several the first that we can answer. */
export function challengeOf(header: string | undefined): Challenge | undefined {
  const challenges = [...(header ?? "").matchAll(/(\w+)\s+((?:\w+="[^"]*"(?:,\s*)?)*)/g)].map(
    ([, scheme = "", rest = ""]): Challenge => ({
      scheme: scheme.toLowerCase(),
      parameters: Object.fromEntries(
        [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name.toLowerCase(), value]),
      ),
    }),
  );
  return challenges.find(({ scheme }) => scheme === "bearer") ?? challenges[0];
}

/** What asking a token service takes. `send` gives the answer's text. */
export interface TokenRequest {
  readonly challenge: Challenge;
  readonly scope: string;
  readonly credentials: Credentials | undefined;
  readonly send: (
    url: URL,
    request: {
      readonly method: "GET" | "POST";
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: { readonly length: number; readonly open: () => AsyncIterable<Uint8Array> };
    },
  ) => Promise<string>;
}

/** A token for the scope: GET with user and password or without, POST of OAuth 2 for an identity token. Throws ImageError. */
export async function fetchToken({ challenge, scope, credentials, send }: TokenRequest): Promise<string> {
  const { realm = "", service = "", scope: asked = "" } = challenge.parameters;
  if (!URL.canParse(realm))
    throw new ImageError("registry-token", `the registry names no token service: realm="${realm}"`);
  const scopes = (scope === "" ? asked : scope).split(" ").filter((each) => each !== "");
  const url = new URL(realm);
  const text =
    credentials?.type === "token"
      ? await send(
          url,
          postOf({
            grant_type: "refresh_token",
            service,
            client_id: "meshctl",
            scope: scopes.join(" "),
            refresh_token: credentials.token,
          }),
        )
      : await send(withQuery(url, service, scopes), { method: "GET", headers: basicHeader(credentials) });
  const answer = parseAnswer(text);
  const token = answer.token ?? answer.access_token;
  if (token === undefined)
    throw new ImageError("registry-token", `${url.origin}: expected a token, got ${text.slice(0, 80)}`);
  return token;
}

function withQuery(url: URL, service: string, scopes: readonly string[]): URL {
  const asked = new URL(url);
  if (service !== "") asked.searchParams.set("service", service);
  for (const scope of scopes) asked.searchParams.append("scope", scope);
  return asked;
}

function basicHeader(credentials: Credentials | undefined): Readonly<Record<string, string>> {
  if (credentials?.type !== "basic") return {};
  return {
    authorization: `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`,
  };
}

function postOf(form: Readonly<Record<string, string>>): Parameters<TokenRequest["send"]>[1] {
  const bytes = Buffer.from(new URLSearchParams(form).toString());
  async function* open(): AsyncIterable<Uint8Array> {
    yield bytes;
  }
  return {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: { length: bytes.length, open },
  };
}

function parseAnswer(text: string): { readonly token?: string; readonly access_token?: string } {
  try {
    return (JSON.parse(text) ?? {}) as { token?: string; access_token?: string };
  } catch {
    return {};
  }
}
