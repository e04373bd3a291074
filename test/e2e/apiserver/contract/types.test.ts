import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startApiServer } from "../../../support/kube/apiserver.ts";
import { kubeTypesSource } from "../../../support/kube/types.ts";

const target = fileURLToPath(new URL("../../../../src/gen/kube-types.ts", import.meta.url));

test("the generated table of built-in kinds is what the real API server publishes", async () => {
  const server = await startApiServer();
  try {
    await expect(await kubeTypesSource(server)).toMatchFileSnapshot(target);
  } finally {
    await server.stop();
  }
});
