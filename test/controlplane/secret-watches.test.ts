import { expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createSecretWatches } from "../../src/controlplane/secret-watches.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { createWorldStore } from "../../src/resources/world-store.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { waitFor } from "../support/wait.ts";

const secret = (namespace: string, name: string, text = "a"): KubeObject => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { namespace, name },
  data: { "tls.crt": text },
});

function setUp(watch?: ReturnType<typeof fakeCluster>["watch"]) {
  const cluster = fakeCluster({ objects: [secret("edge", "web"), secret("edge", "other"), secret("shop", "web")] });
  const derivations = createDerivations();
  const world = createWorldStore(derivations);
  const watches = createSecretWatches({
    cluster: watch === undefined ? cluster : { watch },
    derivations,
    apply: (changes) => world.apply(changes),
    log: silentLogger,
  });
  const held = (): readonly string[] =>
    world.list("Secret").map(({ metadata, data }) => `${metadata.namespace}/${metadata.name} ${data?.["tls.crt"]}`);
  /** Wishes as a stream has them: in an effect, noting each answer. */
  const follow = (namespace: string, names: () => readonly string[]) => {
    const user = watches.open();
    const answers: boolean[] = [];
    const stop = derivations.effect(() => void answers.push(user.want(namespace, names())));
    const end = (): void => {
      stop();
      user.close();
    };
    return { answers, end };
  };
  return { cluster, derivations, watches, held, follow };
}

test("only what is wanted is read, and it is forgotten with its last user", async () => {
  const { cluster, watches, held, follow } = setUp();
  expect(held()).toEqual([]);
  const first = follow("edge", () => ["web", "missing"]);
  const second = follow("edge", () => ["web"]);
  expect(first.answers).toEqual([false]);
  await waitFor(() => first.answers.at(-1) === true && second.answers.at(-1) === true, { what: "both to be told" });
  expect(held()).toEqual(["edge/web a"]);
  cluster.set(secret("edge", "web", "b"));
  expect(held()).toEqual(["edge/web b"]);
  first.end();
  await waitFor(() => Promise.resolve(true), { what: "a turn" });
  expect(held()).toEqual(["edge/web b"]);
  second.end();
  await waitFor(() => held().length === 0, { what: "the Secret to be forgotten" });
  await watches.close();
});

test("wishes change: what is new is read before anything is said of it, what is old is dropped", async () => {
  const { derivations, watches, held, follow } = setUp();
  const names = derivations.source<readonly string[]>(["web"]);
  const { answers } = follow("edge", () => names.get());
  await waitFor(() => answers.at(-1), { what: "the first" });
  names.set(["other"]);
  expect(answers.at(-1)).toBe(false);
  await waitFor(() => answers.at(-1), { what: "the second" });
  await waitFor(() => held().length === 1, { what: "the first to be dropped" });
  expect(held()).toEqual(["edge/other a"]);
  await watches.close();
});

test("a Secret that may not be read holds up nobody", async () => {
  const { watches, follow } = setUp(() => Promise.reject(new Error("forbidden")));
  const { answers } = follow("edge", () => ["web"]);
  await waitFor(() => answers.at(-1), { what: "an answer" });
  await watches.close();
});
