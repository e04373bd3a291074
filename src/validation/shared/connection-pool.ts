import type { FieldPath } from "../../diagnostics/finding.ts";
import type { ConnectionPool, HttpPool, TcpPool } from "../../gen/schema-types.ts";
import type { Report } from "../rule.ts";
import { checkDuration } from "./values.ts";

/** Reports limits on connections that say nothing, are negative, or exclude each other. */
export function checkPool(pool: ConnectionPool | undefined, path: FieldPath, report: Report): void {
  if (pool === undefined) return;
  if (pool.http === undefined && pool.tcp === undefined)
    report(path, "expected http or tcp", "Add a limit, or remove connectionPool.");
  if (pool.tcp !== undefined) checkTcp(pool.tcp, [...path, "tcp"], report);
  if (pool.http !== undefined) checkHttp(pool.http, [...path, "http"], report);
}

function checkTcp(tcp: TcpPool, path: FieldPath, report: Report): void {
  checkDuration(tcp.connectTimeout, [...path, "connectTimeout"], report);
  checkDuration(tcp.idleTimeout, [...path, "idleTimeout"], report, "zero");
  checkDuration(tcp.maxConnectionDuration, [...path, "maxConnectionDuration"], report);
  checkDuration(tcp.tcpKeepalive?.time, [...path, "tcpKeepalive", "time"], report);
  checkDuration(tcp.tcpKeepalive?.interval, [...path, "tcpKeepalive", "interval"], report);
  checkLimits(tcp, path, report);
}

function checkHttp(http: HttpPool, path: FieldPath, report: Report): void {
  checkDuration(http.idleTimeout, [...path, "idleTimeout"], report);
  checkLimits(http, path, report);
  if (http.useClientProtocol === true && http.h2UpgradePolicy === "UPGRADE")
    report([...path, "h2UpgradePolicy"], "UPGRADE and useClientProtocol exclude each other", "Keep one of them.");
  const keepAlive = http.http2KeepAlive;
  if (keepAlive === undefined) return;
  for (const field of ["interval", "timeout"] as const)
    if (keepAlive[field] === undefined)
      report([...path, "http2KeepAlive", field], `${field} is missing`, `Add ${field}.`);
    else checkDuration(keepAlive[field], [...path, "http2KeepAlive", field], report);
}

function checkLimits(pool: TcpPool | HttpPool, path: FieldPath, report: Report): void {
  for (const [name, limit] of Object.entries(pool))
    if (typeof limit === "number" && limit < 0) report([...path, name], `expected 0 or more, got ${limit}`);
}
