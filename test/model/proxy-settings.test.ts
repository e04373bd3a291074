import { expect, test } from "vitest";
import { proxySettings } from "../../src/model/proxy-settings.ts";

test("most proxies ask nothing, so they share what they are sent", () => {
  for (const config of [undefined, {}, { discoveryAddress: "istiod:15012", proxyHeaders: {}, gatewayTopology: null }])
    expect(proxySettings(config, "router")).toBeUndefined();
  expect(
    proxySettings({ proxyHeaders: { requestId: { disabled: false }, xForwardedPort: {} } }, "sidecar"),
  ).toBeUndefined();
  expect(proxySettings({ gatewayTopology: { numTrustedProxies: 0 } }, "router")).toBeUndefined();
});

test("the topology is a gateway's, the rest everybody's", () => {
  const config = {
    gatewayTopology: { numTrustedProxies: 2, forwardClientCertDetails: "APPEND_FORWARD", proxyProtocol: {} },
    proxyHeaders: { server: { value: "edge" }, forwardedClientCert: "SANITIZE" },
  };
  const headers = { server: "edge", forwardedClientCert: "SANITIZE" };
  const topology = { trustedProxies: 2, forwardClientCert: "APPEND_FORWARD", proxyProtocol: true };
  expect(proxySettings(config, "router")).toEqual({ headers, topology });
  expect(proxySettings(config, "sidecar")).toEqual({ headers });
});

test("the profile EDGE lies below what is set, for gateways", () => {
  const config = { connectionSettings: { profile: "EDGE", httpIdleTimeout: "90s", httpMergeSlashes: false } };
  expect(proxySettings(config, "router")?.connections).toMatchObject({
    idleTimeout: 90_000,
    mergeSlashes: false,
    underscores: "REJECT_REQUEST",
    maxConcurrentStreams: 100,
  });
  expect(proxySettings(config, "sidecar")?.connections).toEqual({ idleTimeout: 90_000, mergeSlashes: false });
});

test("values of a wrong type and words that there are not say nothing", () => {
  const config = {
    proxyHeaders: {
      server: "x",
      requestId: true,
      forwardedClientCert: "UNDEFINED",
      setCurrentClientCertDetails: { cert: "yes" },
    },
    gatewayTopology: { numTrustedProxies: -1, proxyProtocol: true },
    connectionSettings: { httpIdleTimeout: 5, httpMaxConcurrentStreams: "9", httpPathWithEscapedSlashesAction: "KEEP" },
  };
  expect(proxySettings(config, "router")).toBeUndefined();
  expect(proxySettings([], "sidecar")).toBeUndefined();
});
