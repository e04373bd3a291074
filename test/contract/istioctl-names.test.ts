import { expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";

/**
 * What istioctl 1.28 and later can be asked, by every name and alias it has, and the command that answers here. Left out: what is
 * of ambient mode (waypoint, ztunnel-config), `config list` (meshctl has no settings of its own), and `manifest translate`.
 */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  analyze: ["analyze"],
  validate: ["validate -f x", "v -f x"],
  version: ["version --short", "x version --short", "experimental version --short", "exp version --short"],
  "proxy-status": ["proxy-status", "ps", "ps web.shop", "x proxy-status", "x ps", "ps web --file d -v 1"],
  "proxy-config bootstrap": ["proxy-config bootstrap web", "pc bootstrap web", "pc b web"],
  "proxy-config clusters": ["pc cluster web", "pc clusters web", "pc c web"],
  "proxy-config listeners": ["pc listener web", "pc listeners web", "pc l web"],
  "proxy-config routes": ["pc route web", "pc routes web", "pc r web"],
  "proxy-config endpoints": ["pc endpoint web", "pc endpoints web", "pc ep web"],
  "proxy-config eds": ["pc eds web"],
  "proxy-config secret": ["pc secret web", "pc secrets web", "pc s web"],
  "proxy-config ecds": ["pc ecds web", "pc ec web"],
  "proxy-config log": ["pc log web", "pc o web --level http:debug -r"],
  "proxy-config all": ["pc all web", "pc a web"],
  "proxy-config rootca-compare": ["pc rootca-compare web db", "pc rc web db"],
  "admin log": ["admin log", "admin l", "istiod log", "istiod l --level ads:debug", "admin log --reset"],
  install: ["install", "apply", "manifest install"],
  upgrade: ["upgrade"],
  uninstall: ["uninstall"],
  "manifest generate": ["manifest generate"],
  "tag set": ["tag set prod --revision x"],
  "tag generate": ["tag generate prod --revision x"],
  "tag list": ["tag list", "tag show"],
  "tag remove": ["tag remove prod", "tag delete prod"],
  inject: ["kube-inject -f x"],
  "create-remote-secret": ["create-remote-secret"],
  "remote-clusters": ["remote-clusters", "x remote-clusters"],
  "dashboard kiali": ["dashboard kiali", "dash kiali", "d kiali"],
  "dashboard prometheus": ["d prometheus"],
  "dashboard grafana": ["d grafana"],
  "dashboard jaeger": ["d jaeger"],
  "dashboard zipkin": ["d zipkin"],
  "dashboard proxy": ["d proxy web", "d envoy web"],
  "dashboard istiod-debug": ["d istiod-debug"],
  "dashboard controlz": ["d controlz"],
  "dashboard skywalking": ["d skywalking"],
  "bug-report": ["bug-report"],
  completion: ["completion bash"],
  "inject list": ["x injector list"],
  "authz check": ["x authz check web"],
  metrics: ["x metrics web", "x m web"],
  "describe pod": ["x describe pod web", "x des po web"],
  "describe service": ["x describe service web", "x describe svc web"],
  "workload group create": ["x workload group create"],
  "workload entry configure": ["x workload entry configure"],
  "internal-debug": ["x internal-debug syncz", "x internal-debug --all syncz"],
  precheck: ["x precheck"],
  "envoy-stats": ["x envoy-stats web", "x es web"],
  "check-inject": ["x check-inject web", "x check-inject -n shop -l app=web"],
  wait: ["x wait --for=delivery virtualservice web.shop", "x wait --for=distribution virtualservice web.shop"],
  "revision list": ["x revision list"],
};

test.each(Object.entries(NAMES))("%s answers to istioctl's names", (name, lines) => {
  for (const line of lines) {
    const parsed = parse(line.split(" "));
    expect(parsed, line).toMatchObject({ type: "run", spec: { name } });
  }
});

test("a word that leads elsewhere is not swallowed: flags before and after it stay", () => {
  expect(parse(["-n", "shop", "x", "injector", "list", "-o", "json"])).toMatchObject({
    spec: { name: "inject list" },
    input: { options: { namespace: "shop", output: "json" } },
  });
});
