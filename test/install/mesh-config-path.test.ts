import { expect, test } from "vitest";
import { settingsOf } from "../../src/install/settings.ts";

/** `--set meshConfig.…` goes by the schema of MeshConfig: what is text stays text, whatever it looks like. */
test.each([
  ["trustDomain=123", { trustDomain: "123" }],
  ["connectTimeout=5s", { connectTimeout: "5s" }],
  ["defaultConfig.concurrency=2", { defaultConfig: { concurrency: 2 } }],
  ["defaultConfig.proxyMetadata.PORT=80", { defaultConfig: { proxyMetadata: { PORT: "80" } } }],
  ["trustDomainAliases[0]=1.0", { trustDomainAliases: ["1.0"] }],
  ["extensionProviders[0].zipkin.port=9411", { extensionProviders: [{ zipkin: { port: 9411 } }] }],
  ["enableAutoMtls=false", { enableAutoMtls: false }],
  ["outboundTrafficPolicy={mode: REGISTRY_ONLY}", { outboundTrafficPolicy: { mode: "REGISTRY_ONLY" } }],
  ["extensionProviders[0].envoyFileAccessLog.logFormat.labels.n=1", {}],
])("meshConfig.%s", (line, expected) => {
  expect(settingsOf(undefined, [`meshConfig.${line}`]).meshConfig).toMatchObject(expected);
});
