import { expect, test } from "vitest";
import { createDerivations } from "../../src/base/derive.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createSecretPermissions } from "../../src/controlplane/secret-permissions.ts";
import { waitFor } from "../support/wait.ts";

const account = { namespace: "shop", serviceAccount: "web" };

test("who asks waits for the API server's answer, which is asked for once", async () => {
  const derivations = createDerivations();
  const asked: unknown[] = [];
  const ask = async (who: unknown): Promise<boolean> => {
    asked.push(who);
    return true;
  };
  const permissions = createSecretPermissions({ derivations, ask, log: silentLogger });
  const seen: (boolean | undefined)[] = [];
  const stop = derivations.effect(() => void seen.push(permissions.of(account)));
  const stopOther = derivations.effect(() => void permissions.of(account));
  await waitFor(() => seen.length === 2, { what: "the answer" });
  expect(seen).toEqual([undefined, true]);
  expect(asked).toEqual([{ namespace: "shop", name: "web" }]);
  stop();
  stopOther();
});

test("no answer is a no", async () => {
  const derivations = createDerivations();
  const ask = (): Promise<boolean> => Promise.reject(new Error("away"));
  const permissions = createSecretPermissions({ derivations, ask, log: silentLogger });
  const seen: (boolean | undefined)[] = [];
  const stop = derivations.effect(() => void seen.push(permissions.of(account)));
  await waitFor(() => seen.length === 2, { what: "the answer" });
  expect(seen).toEqual([undefined, false]);
  stop();
});
