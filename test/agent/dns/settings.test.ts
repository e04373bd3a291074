import { expect, test } from "vitest";
import { readResolvConf } from "../../../src/agent/dns/resolv-conf.ts";
import { readDnsSettings } from "../../../src/agent/dns/settings.ts";
import type { AgentConfig } from "../../../src/agent/config.ts";

const config = (metadata: object, addresses: object = { explicit: false, listen: "0.0.0.0" }): AgentConfig =>
  ({ metadata, addresses }) as unknown as AgentConfig;
const CAPTURES = { DNS_CAPTURE: "true" };

test("DNS is answered only where it is captured", () => {
  expect(readDnsSettings(config({}), {})).toBeUndefined();
  expect(readDnsSettings(config({ DNS_CAPTURE: "false" }), {})).toBeUndefined();
  expect(readDnsSettings(config(CAPTURES), { DNS_FORWARD_PARALLEL: "true" })).toEqual({
    addresses: ["127.0.0.1", "::1"],
    port: 15053,
    parallel: true,
    resolvConf: ["/etc/resolv.conf"],
  });
});

test.each([
  ["localhost:15054", ["127.0.0.1", "::1"], 15054],
  ["127.0.0.5:15053", ["127.0.0.5"], 15053],
  ["[::1]:53", ["::1"], 53],
  [":53", ["127.0.0.1", "::1"], 53],
])("DNS_PROXY_ADDR %s", (value, addresses, port) => {
  expect(readDnsSettings(config(CAPTURES), { DNS_PROXY_ADDR: value })).toMatchObject({ addresses, port });
});

test("without a network of its own a pod answers at its own address", () => {
  const settings = readDnsSettings(config(CAPTURES, { explicit: true, listen: "127.3.0.1" }), {});
  expect(settings?.addresses).toEqual(["127.3.0.1"]);
});

test.each(["15053", "somewhere:15053", "127.0.0.1:0", "127.0.0.1:99999"])("refuses DNS_PROXY_ADDR %s", (value) => {
  expect(() => readDnsSettings(config(CAPTURES), { DNS_PROXY_ADDR: value })).toThrow(
    `DNS_PROXY_ADDR: expected an address and a port, got "${value}"`,
  );
});

test("resolv.conf: servers once, the last search line, comments and nonsense passed over", () => {
  const text = `# made by kubelet
search old.example
nameserver 10.96.0.10 ; the cluster's
nameserver 10.96.0.10
nameserver not-an-address
nameserver fe80::1%eth0
search shop.svc.cluster.local svc.cluster.local. CORP.example
options ndots:5
`;
  expect(readResolvConf(text)).toEqual({
    servers: ["10.96.0.10", "fe80::1%eth0"],
    search: ["shop.svc.cluster.local", "svc.cluster.local", "corp.example"],
  });
  expect(readResolvConf("")).toEqual({ servers: [], search: [] });
});
