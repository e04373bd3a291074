const FIRST_FREE_PORT = 1024;
/** 80 becomes 20080: browsers and Node's fetch refuse 10080. */
const MAPPED_BY = 20_000;

/**
 * The port that stands for `port` where nothing is redirected and no privileges are assumed: ports below 1024 need them. One rule
 * for listeners, target ports and environment, in the control plane and on the node.
 */
export function explicitPort(port: number): number {
  return port > 0 && port < FIRST_FREE_PORT ? port + MAPPED_BY : port;
}
