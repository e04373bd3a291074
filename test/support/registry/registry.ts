import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { freePorts } from "../envoy/free-ports.ts";
import { waitFor } from "../wait.ts";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));

/** Who may push and pull. */
export const USER = { name: "mesh", password: "straw berry" } as const;
/** bcrypt of the password, made by libxcrypt. */
const HTPASSWD = `${USER.name}:$2b$05$abcdefghijklmnopqrstuu1yyZtmK2Iw2ByEes6NY2fmiL9XQGJoi`;

/** A running registry, the reference implementation, with TLS of its own authority, keeping everything in memory. */
export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly caFile: string;
  /** Lines of its log so far. */
  readonly log: () => readonly string[];
  /** Scopes that its token service was asked for; empty with basic authentication. */
  readonly scopes: readonly string[];
  stop(): Promise<void>;
}

/** Starts one that wants a user and password (`basic`), or tokens of a service that wants them (`token`). */
export async function startRegistry(auth: "basic" | "token"): Promise<TestRegistry> {
  const { stdout } = await run(join(here, "setup-registry.sh"), [], { maxBuffer: 1 << 24 });
  const program = stdout.trim().split("\n").at(-1) ?? "";
  const dir = await mkdtemp(join(tmpdir(), "meshctl-registry-"));
  const [port = 0] = await freePorts(1);
  await certificates(dir);
  const tokens = auth === "token" ? await startTokenService(dir) : undefined;
  if (tokens === undefined) await writeFile(join(dir, "htpasswd"), `${HTPASSWD}\n`);
  await writeFile(join(dir, "config.json"), JSON.stringify(configOf(dir, port, tokens?.url)));
  const child = spawn(program, ["serve", join(dir, "config.json")], { stdio: ["ignore", "ignore", "pipe"] });
  const log: string[] = [];
  child.stderr.on("data", (part: Buffer) => log.push(...part.toString().trim().split("\n")));
  const stop = async (): Promise<void> => {
    await end(child);
    tokens?.server.close();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const ca = await readFile(join(dir, "ca.crt"), "utf8");
    await waitFor(() => answers(port, ca), { what: `the registry to answer: ${log.join("\n")}` });
  } catch (error) {
    await stop();
    throw error;
  }
  return { host: `127.0.0.1:${port}`, caFile: join(dir, "ca.crt"), log: () => log, scopes: tokens?.scopes ?? [], stop };
}

function configOf(dir: string, port: number, tokenUrl: string | undefined): unknown {
  const basic = { htpasswd: { realm: "test", path: join(dir, "htpasswd") } };
  const token = { token: { realm: tokenUrl, service: SERVICE, issuer: ISSUER, jwks: join(dir, "jwks.json") } };
  return {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: false } },
    storage: { inmemory: {}, delete: { enabled: true } },
    auth: tokenUrl === undefined ? basic : token,
    http: { addr: `127.0.0.1:${port}`, tls: { certificate: join(dir, "server.crt"), key: join(dir, "server.key") } },
  };
}

async function certificates(dir: string): Promise<void> {
  const script = `. ${join(here, "../kube/common.sh")}; pki_ca "$1" ca test-ca; pki_cert "$1" ca server /CN=registry IP:127.0.0.1`;
  await run("bash", ["-euo", "pipefail", "-c", script, "certificates", dir]);
}

function answers(port: number, ca: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path: "/v2/", ca }, (response) => {
      response.resume();
      resolve(response.statusCode === 401);
    });
    call.on("error", reject);
    call.end();
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

const SERVICE = "registry.test";
const ISSUER = "tokens.test";

interface TokenService {
  readonly url: string;
  readonly server: Server;
  readonly scopes: string[];
}

/** Gives who knows the password a token for what is asked, as the specification of distribution has it. */
async function startTokenService(dir: string): Promise<TokenService> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "test", use: "sig", alg: "ES256" };
  await writeFile(join(dir, "jwks.json"), JSON.stringify({ keys: [jwk] }));
  const scopes: string[] = [];
  const expected = `Basic ${Buffer.from(`${USER.name}:${USER.password}`).toString("base64")}`;
  const server = createServer((incoming, answer) => {
    if (incoming.headers.authorization !== expected) return void answer.writeHead(401).end();
    const asked = new URL(incoming.url ?? "", "http://tokens").searchParams.getAll("scope");
    scopes.push(...asked);
    const access = asked.map((scope) => {
      const [type, name, actions = ""] = scope.split(":");
      return { type, name, actions: actions.split(",") };
    });
    new SignJWT({ access })
      .setProtectedHeader({ alg: "ES256", kid: "test", typ: "JWT" })
      .setIssuer(ISSUER)
      .setAudience(SERVICE)
      .setSubject(USER.name)
      .setIssuedAt()
      .setNotBefore("-1s")
      .setExpirationTime("5m")
      .setJti(crypto.randomUUID())
      .sign(privateKey)
      .then((token) => answer.end(JSON.stringify({ token })))
      .catch(() => answer.writeHead(500).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/token`, server, scopes };
}
