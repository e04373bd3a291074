/** For whom and where routes are made: conditions on the caller and the port are decided here, not by Envoy. */
export interface RouteSite {
  readonly namespace: string;
  /** The caller's Sidecar, `namespace/name`. */
  readonly sidecar?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `mesh`, or a gateway as `namespace/name`. */
  readonly gateway: string;
  /** Port of the service (sidecar) or of the gateway's server. */
  readonly port: number;
  /** Clients of this port speak TLS. */
  readonly tls?: boolean;
  /** Host of the virtual host, for the names of spans. */
  readonly host: string;
}
