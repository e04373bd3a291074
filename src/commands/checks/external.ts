import { execFile } from "node:child_process";
import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { errorText } from "../../base/errors.ts";
import type { CheckResult, Phase } from "../../checks/check.ts";
import type { Io } from "../io.ts";

const PREFIX = "meshctl-check-";
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT = 1 << 20;

/** What an external check gets on stdin, as JSON. The protocol is described in docs/checks/README.md. */
export interface ExternalRequest {
  readonly protocol: 1;
  readonly phase: Phase;
  readonly istioNamespace: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Programs on PATH whose name begins with meshctl-check-, by what follows; the first of a name counts. */
export function externalPrograms({ env }: Pick<Io, "env">): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const folder of (env["PATH"] ?? "").split(delimiter).filter((each) => each !== "")) {
    for (const file of filesOf(folder).filter((name) => name.startsWith(PREFIX))) {
      const path = join(folder, file);
      const name = file.slice(PREFIX.length);
      if (name !== "" && !found.has(name) && isProgram(path)) found.set(name, path);
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Runs them all at once. One that fails, is late or does not keep to the protocol is a failed check of its own. */
export async function runExternal(
  request: ExternalRequest,
  io: Pick<Io, "env" | "signal">,
  timeoutMs: number = TIMEOUT_MS,
): Promise<readonly CheckResult[]> {
  const programs = [...externalPrograms(io)];
  const results = await Promise.all(
    programs.map(async ([name, path]) => {
      const category = `extension ${name}`;
      try {
        const text = await ask(path, request, { io, timeoutMs });
        return readAnswer(text).map((result) => ({ ...result, category, name: `${name}/${result.name}` }));
      } catch (error) {
        return [
          {
            name: `${name}/run`,
            category,
            affirmation: `${PREFIX}${name} answers`,
            status: "error" as const,
            message: errorText(error),
            hint: `run ${path} by hand, or take it off your PATH`,
          },
        ];
      }
    }),
  );
  return results.flat();
}

function ask(
  path: string,
  request: ExternalRequest,
  { io, timeoutMs }: { readonly io: Pick<Io, "env" | "signal">; readonly timeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      env: { ...io.env },
      timeout: timeoutMs,
      maxBuffer: MAX_OUTPUT,
      signal: io.signal,
      killSignal: "SIGKILL" as const,
    };
    const child = execFile(path, [request.phase], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.killed === true) reject(new Error(`no answer within ${timeoutMs / 1000} s`));
      else reject(new Error(`it ended with ${error.code ?? "an error"}: ${stderr.trim().slice(0, 200)}`));
    });
    // a program that reads nothing closes the pipe early
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(`${JSON.stringify(request)}\n`);
  });
}

type Answered = Omit<CheckResult, "category">;

const STATES: readonly unknown[] = ["ok", "warning", "error", "skipped"];

function readAnswer(text: string): readonly Answered[] {
  const wrong = (what: string): Error => new Error(`expected JSON with a list checks, ${what}`);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw wrong(`got ${JSON.stringify(text.slice(0, 80))}`);
  }
  const { checks } = (answer ?? {}) as { readonly checks?: unknown };
  if (!Array.isArray(checks)) throw wrong("got none");
  return checks.map((check: unknown) => {
    const { name, affirmation, status, message, hint, page } = (check ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof name !== "string" || typeof affirmation !== "string" || !STATES.includes(status))
      throw wrong("each with name, affirmation and status (ok, warning, error, skipped)");
    const texts = Object.entries({ message, hint, page }).filter(([, value]) => typeof value === "string");
    return { name, affirmation, status: status as CheckResult["status"], ...Object.fromEntries(texts) };
  });
}
