import { delay } from "../base/delay.ts";
import { ClusterError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { KubeObject } from "../resources/object.ts";
import { type ConsulInstance, serviceEntry } from "./consul-entry.ts";
import type { Registry } from "./registry.ts";

export interface ConsulOptions {
  /** Of an agent or server: `http://127.0.0.1:8500`. */
  readonly url: string;
  readonly token: string | undefined;
  /** Of the ServiceEntries that are made. */
  readonly namespace: string;
  readonly log: Logger;
}

/** How long Consul may hold a question open; it adds up to a sixteenth of it. */
const WAIT = "60s";
const ANSWER_MS = 70_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Services of a Consul catalog as ServiceEntries: one for each service, with its instances that are healthy. Asked by Consul's
 * blocking queries (the answer comes when something changed): one for the list of services, one for each service. While
 * Consul is away the last answers stay.
 */
export function consulRegistry(options: ConsulOptions): Registry {
  const { namespace, log } = options;
  return {
    name: `consul ${options.url}`,
    async run(put, signal) {
      const entries = new Map<string, KubeObject>();
      const followed = new Map<string, AbortController>();
      let listed = false;
      const publish = (): void => {
        // Not before all services of the first list have answered: the mesh must not start with half of them.
        if (listed && [...followed.keys()].every((name) => entries.has(name))) put([...entries.values()]);
      };
      const running = new Set<Promise<void>>();
      const begin = (name: string): void => {
        const own = new AbortController();
        followed.set(name, own);
        const path = `/v1/health/service/${encodeURIComponent(name)}?passing=true`;
        const ended = follow({ ...options, path, log }, AbortSignal.any([signal, own.signal]), (answer) => {
          entries.set(name, serviceEntry(name, namespace, answer as readonly ConsulInstance[]));
          publish();
        }).finally(() => running.delete(ended));
        running.add(ended);
      };
      await follow({ ...options, path: "/v1/catalog/services", log }, signal, (answer) => {
        const names = new Set(Object.keys(answer as Readonly<Record<string, unknown>>));
        for (const [name, own] of followed) {
          if (names.has(name)) continue;
          own.abort();
          followed.delete(name);
          entries.delete(name);
        }
        for (const name of names) if (!followed.has(name) && name !== "consul") begin(name);
        listed = true;
        publish();
      });
      await Promise.all(running);
    },
  };
}

interface Question extends Pick<ConsulOptions, "url" | "token" | "log"> {
  /** Path and query without index. */
  readonly path: string;
}

/** Asks the question again and again, each time held open until the answer is another one; pauses after a failure. */
async function follow(question: Question, signal: AbortSignal, onAnswer: (answer: unknown) => void): Promise<void> {
  let index = 0;
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      const { next, answer } = await ask(question, index, signal);
      pause = FIRST_PAUSE_MS;
      // An index that goes back means that the server's state is another one: the next question is not held open.
      const isNew = next !== index || index === 0;
      index = next < index ? 0 : next;
      if (isNew && !signal.aborted) onAnswer(answer);
    } catch (error) {
      if (signal.aborted) return;
      question.log.warn(
        { url: question.url + question.path, error: errorText(error) },
        "cannot ask Consul; trying again",
      );
      await delay(pause, signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      index = 0;
    }
  }
}

async function ask(
  { url, token, path }: Question,
  index: number,
  signal: AbortSignal,
): Promise<{ readonly next: number; readonly answer: unknown }> {
  const target = new URL(path, url);
  if (index > 0) {
    target.searchParams.set("index", String(index));
    target.searchParams.set("wait", WAIT);
  }
  const headers = token === undefined ? {} : { "x-consul-token": token };
  const answer = await fetch(target, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]) });
  const text = await answer.text();
  if (!answer.ok) throw new ClusterError("consul", `expected status 200, got ${answer.status}: ${text.slice(0, 200)}`);
  // Consul's documentation: an index below 1 is to be taken for 1, lest the questions come in a storm.
  const next = Math.max(1, Number(answer.headers.get("x-consul-index") ?? 1));
  return { next, answer: JSON.parse(text) as unknown };
}
