import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { kubeSchemasJson } from "../../../../src/gen/kube-types.ts";
import { kubeAssets, startApiServer } from "../../../support/kube/apiserver.ts";
import { kubeProtosSource } from "../../../support/kube/protos.ts";
import { kubeTypesSource } from "../../../support/kube/types.ts";

const generated = (name: string): string => fileURLToPath(new URL(`../../../../src/gen/${name}`, import.meta.url));

test("the generated table of built-in kinds is what the real API server publishes", async () => {
  const server = await startApiServer();
  try {
    await expect(await kubeTypesSource(server)).toMatchFileSnapshot(generated("kube-types.ts"));
  } finally {
    await server.stop();
  }
});

test("the generated field numbers are those of the API's .proto files", async () => {
  const source = await kubeProtosSource(await kubeAssets(), JSON.parse(kubeSchemasJson) as never);
  await expect(source).toMatchFileSnapshot(generated("kube-protos.ts"));
});
