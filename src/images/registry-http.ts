import { delay } from "../base/delay.ts";
import { errorText } from "../base/errors.ts";
import { ImageError } from "./oci.ts";
import { challengeOf, fetchToken } from "./registry-auth.ts";
import {
  createTransport,
  type RegistryAnswer,
  type RegistryOptions,
  type RegistryRequest,
  textOf,
} from "./registry-transport.ts";

/** Sends requests to one registry: signs in when it is told to, follows redirects, tries again when the registry is busy. */
export interface RegistryHttp {
  readonly host: string;
  /** Statuses other than 2xx and `allowed` throw ImageError. */
  send(request: RegistryRequest, allowed?: readonly number[]): Promise<RegistryAnswer>;
  close(): void;
}

const TRIES = 4;
const FIRST_PAUSE_MS = 250;
const BUSY: readonly number[] = [408, 429, 500, 502, 503, 504];

/** Builds it; opens no connection. `host` may have a port. */
export function createRegistryHttp(host: string, options: RegistryOptions): RegistryHttp {
  const base = new URL(`${options.isPlain === true ? "http" : "https"}://${apiHost(host)}`);
  const transport = createTransport(base, options);
  const authorizations = new Map<string, string>();

  /** A registry that wants to know who asks says how; then the same once more. */
  async function authorized(request: RegistryRequest): Promise<RegistryAnswer> {
    const scope = request.scope ?? "";
    const answer = await transport.follow(request, authorizations.get(scope));
    if (answer.status !== 401) return answer;
    const challenge = challengeOf(answer.headers["www-authenticate"]);
    const authorization = await answerTo(challenge, scope);
    if (authorization === undefined || authorization === authorizations.get(scope)) return answer;
    answer.stream.resume();
    authorizations.set(scope, authorization);
    return transport.follow(request, authorization);
  }

  async function answerTo(challenge: ReturnType<typeof challengeOf>, scope: string): Promise<string | undefined> {
    const { credentials } = options;
    if (challenge?.scheme === "bearer")
      return `Bearer ${await fetchToken({ challenge, scope, credentials, send: tokenAnswer })}`;
    if (challenge?.scheme !== "basic" || credentials?.type !== "basic") return undefined;
    return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
  }

  /** The token service is another server: its answer as text. */
  async function tokenAnswer(url: URL, request: Pick<RegistryRequest, "method" | "headers" | "body">): Promise<string> {
    const answer = await transport.once(url, { path: "", ...request }, undefined);
    if (answer.status >= 300) throw await refusal(answer, `${request.method} ${url.origin}${url.pathname}`, options);
    return textOf(answer.stream);
  }

  async function send(request: RegistryRequest, allowed: readonly number[] = []): Promise<RegistryAnswer> {
    const { pathname } = new URL(request.path, base);
    const what = `${request.method} ${base.host}${pathname}`;
    for (let tried = 1; ; tried += 1) {
      try {
        const answer = await authorized(request);
        if (answer.status < 300 || allowed.includes(answer.status)) return answer;
        if (!BUSY.includes(answer.status) || tried === TRIES) throw await refusal(answer, what, options);
        answer.stream.resume();
      } catch (error) {
        if (error instanceof ImageError || options.signal.aborted) throw error;
        if (tried === TRIES || !isPassing(error)) throw unreachable(error, base);
      }
      await delay(FIRST_PAUSE_MS * 2 ** tried, options.signal);
    }
  }

  return {
    host,
    send,
    close: () => transport.close(),
  };
}

/** Docker's hub answers at another name. */
function apiHost(host: string): string {
  return host === "docker.io" ? "registry-1.docker.io" : host;
}

async function refusal(answer: RegistryAnswer, what: string, { credentials }: RegistryOptions): Promise<ImageError> {
  const text = await textOf(answer.stream).catch(() => "");
  const words = registryWords(text);
  const who = credentials?.type === "basic" ? ` as ${credentials.username}` : "";
  const isDenied = answer.status === 401 || answer.status === 403;
  const hint = isDenied
    ? `sign in with a user who may do this: docker login ${answer.url.host} (nothing else of docker is needed)`
    : undefined;
  return new ImageError(
    isDenied ? "registry-denied" : "registry-refused",
    `${what}: the registry answered ${answer.status}${isDenied ? who : ""}${words === "" ? "" : `: ${words}`}`,
    hint === undefined ? {} : { hint },
  );
}

/** `{"errors": [{"code", "message"}]}`, as registries answer. */
function registryWords(text: string): string {
  try {
    const { errors = [] } = JSON.parse(text) as { errors?: readonly { code?: string; message?: string }[] };
    return errors.map(({ code = "", message = "" }) => `${code} ${message}`.trim()).join("; ");
  } catch {
    return text.slice(0, 200).trim();
  }
}

/** Connections that break may hold next time; a name or a certificate that is wrong stays so. */
function isPassing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN", "ERR_STREAM_PREMATURE_CLOSE"].includes(code);
}

function unreachable(error: unknown, base: URL): ImageError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const isPlain = code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER";
  const isUntrusted = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code);
  const hint = isPlain
    ? "pass --plain-http when the registry has no TLS"
    : isUntrusted
      ? "name the registry's certificate authority with --ca-file FILE"
      : "check the name, the port and the network";
  return new ImageError("registry-unreachable", `${base.origin}: ${errorText(error)}`, { hint, cause: error });
}
