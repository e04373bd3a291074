import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorText } from "../base/errors.ts";
import { ImageError } from "./oci.ts";

/** How to sign in at a registry. A `token` is exchanged at the registry's token service (docker's identity token). */
export type Credentials =
  | { readonly type: "basic"; readonly username: string; readonly password: string }
  | { readonly type: "token"; readonly token: string };

interface DockerConfig {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Credentials for a registry as `docker login`, `podman login` and the like left them: REGISTRY_AUTH_FILE, DOCKER_CONFIG,
 * ~/.docker/config.json, podman's auth.json. A helper named there is asked. Undefined when nobody has signed in. Throws ImageError
 * for a file that cannot be read and a helper that fails.
 */
export async function findCredentials(registry: string, env: Env): Promise<Credentials | undefined> {
  for (const path of configPaths(env)) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const found = await fromConfig(parseConfig(text, path), registry, { env, path });
    if (found !== undefined) return found;
  }
  return undefined;
}

function configPaths(env: Env): readonly string[] {
  const given = env["REGISTRY_AUTH_FILE"];
  if (given !== undefined && given !== "") return [given];
  const folder = env["DOCKER_CONFIG"] ?? (env["HOME"] === undefined ? undefined : join(env["HOME"], ".docker"));
  const runtime = env["XDG_RUNTIME_DIR"];
  return [
    ...(folder === undefined ? [] : [join(folder, "config.json")]),
    ...(runtime === undefined ? [] : [join(runtime, "containers", "auth.json")]),
  ];
}

function parseConfig(text: string, path: string): DockerConfig {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // falls through: not JSON
  }
  throw new ImageError("registry-credentials", `${path}: expected a JSON object`, {
    hint: "sign in again: docker login REGISTRY",
  });
}

async function fromConfig(
  config: DockerConfig,
  registry: string,
  { env, path }: { readonly env: Env; readonly path: string },
): Promise<Credentials | undefined> {
  const [name = registry] = keysOf(registry).filter(
    (key) => config.credHelpers?.[key] !== undefined || config.auths?.[key] !== undefined,
  );
  const helper = config.credHelpers?.[name] ?? config.credsStore;
  if (helper !== undefined && helper !== "") {
    const found = await askHelper(helper, name, env);
    if (found !== undefined) return found;
  }
  const entry = config.auths?.[name];
  return entry === undefined ? undefined : readEntry(entry, `${path}: ${name}`);
}

/**
 * Credentials for a registry in the text of such a file, as a Secret of type kubernetes.io/dockerconfigjson holds it. No helper is
 * asked: the text is somebody else's. Undefined when it has none for this registry. Throws ImageError.
 */
export function credentialsIn(text: string, registry: string, where: string): Credentials | undefined {
  const { auths = {} } = parseConfig(text, where);
  const name = keysOf(registry).find((key) => auths[key] !== undefined) ?? registry;
  const entry = auths[name];
  return entry === undefined ? undefined : readEntry(entry, `${where}: ${name}`);
}

/** Under which names docker stores a registry. */
function keysOf(registry: string): readonly string[] {
  const hub =
    registry === "docker.io" ? ["https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"] : [];
  return [
    registry,
    ...hub,
    `https://${registry}`,
    `https://${registry}/`,
    `https://${registry}/v1/`,
    `https://${registry}/v2/`,
  ];
}

function readEntry({ auth, username, password, identitytoken }: AuthEntry, where: string): Credentials | undefined {
  if (identitytoken !== undefined && identitytoken !== "") return { type: "token", token: identitytoken };
  if (username !== undefined && password !== undefined) return { type: "basic", username, password };
  if (auth === undefined || auth === "") return undefined;
  const plain = Buffer.from(auth, "base64").toString("utf8");
  const colon = plain.indexOf(":");
  if (colon < 1)
    throw new ImageError("registry-credentials", `${where}: auth: expected user:password in base64`, {
      hint: "sign in again: docker login REGISTRY",
    });
  return { type: "basic", username: plain.slice(0, colon), password: plain.slice(colon + 1).replace(/\0+$/, "") };
}

/** A helper that has nothing says so on stdout and fails. */
async function askHelper(helper: string, registry: string, env: Env): Promise<Credentials | undefined> {
  const program = `docker-credential-${helper}`;
  const { error, stdout } = await run(program, registry, env);
  if (error !== undefined) {
    if (/not found/i.test(stdout)) return undefined;
    throw new ImageError(
      "registry-credentials",
      `${program} get failed for ${registry}: ${stdout.trim() || errorText(error)}`,
      {
        hint: `install ${program}, or sign in again`,
      },
    );
  }
  const { Username: username = "", Secret: password = "" } = parseConfig(stdout, program) as {
    Username?: string;
    Secret?: string;
  };
  return username === "<token>" ? { type: "token", token: password } : { type: "basic", username, password };
}

function run(program: string, input: string, env: Env): Promise<{ error: Error | undefined; stdout: string }> {
  return new Promise((resolve) => {
    const child = execFile(program, ["get"], { env: { ...env }, timeout: 30_000 }, (error, stdout) =>
      resolve({ error: error ?? undefined, stdout }),
    );
    // a program that does not read, or was never started, is told by the callback
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
