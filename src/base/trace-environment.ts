/** What Envoy's environment carries so that tracers name the workload, whatever listener they stand in. */
export function traceEnvironmentOf(
  service: string,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const { OTEL_RESOURCE_ATTRIBUTES: own = "", DD_SERVICE = service } = env;
  // what users say of the resource comes later, and counts
  const attributes = [`service.name=${service}`, ...(own === "" ? [] : [own])].join(",");
  return { OTEL_RESOURCE_ATTRIBUTES: attributes, DD_SERVICE };
}
