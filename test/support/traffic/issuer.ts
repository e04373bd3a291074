import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { questions } from "./questions.ts";

/** An issuer of tokens: a process of its own with OpenID configuration, keys, and keys that can be changed. */
export interface Issuer {
  /** `http://127.0.0.1:PORT`; its keys are at `/keys`. */
  readonly url: string;
  /** The keys as they are now. */
  keys(): string;
  /** A token with these claims; `iss` is the issuer and `exp` an hour away unless they are said. */
  token(claims: Readonly<Record<string, unknown>>): Promise<string>;
  /** From now on signs with a new key, and serves only that one. */
  rotate(): Promise<void>;
  close(): void;
}

/** Starts an issuer; it ends with whoever started it. */
export async function startIssuer(): Promise<Issuer> {
  const child = fork(fileURLToPath(new URL("issuer-process.mjs", import.meta.url)), { execArgv: [] });
  const [started] = (await once(child, "message")) as [{ readonly url: string; readonly keys: string }];
  const ask = questions<string>(child);
  let { keys } = started;
  return {
    url: started.url,
    keys: () => keys,
    token: (claims) => ask("token", claims),
    async rotate() {
      keys = await ask("rotate");
    },
    close: () => void child.kill(),
  };
}
