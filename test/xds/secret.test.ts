import { expect, test } from "vitest";
import { decodeMessage, encodeMessage } from "../../src/wire/codec.ts";
import { resourcesFor } from "../../src/xds/resources.ts";
import { xdsCase } from "../support/xds-case.ts";

test("a gateway's secrets as Envoy takes them", () => {
  const { config, options } = xdsCase({
    secrets: {
      "kubernetes://web": { kind: "certificate", chain: "CHAIN", key: "KEY" },
      "kubernetes://web-cacert": { kind: "roots", roots: "ROOTS" },
    },
  });
  const resources = resourcesFor(config, options);
  expect(resources.names("secret")).toEqual([
    { name: "kubernetes://web", owner: "scope" },
    { name: "kubernetes://web-cacert", owner: "scope" },
  ]);
  const type = "envoy.extensions.transport_sockets.tls.v3.Secret";
  const built = resources.names("secret").map(({ name }) => {
    const { "@type": url, ...message } = resources.resource("secret", name)!;
    expect(url).toBe(`type.googleapis.com/${type}`);
    return decodeMessage(type, encodeMessage(type, message));
  });
  expect(built).toEqual([
    {
      name: "kubernetes://web",
      tls_certificate: { certificate_chain: { inline_string: "CHAIN" }, private_key: { inline_string: "KEY" } },
    },
    { name: "kubernetes://web-cacert", validation_context: { trusted_ca: { inline_string: "ROOTS" } } },
  ]);
  expect(resources.resource("secret", "kubernetes://other")).toBeUndefined();
});
