/** One host of the table that an agent answers DNS queries from. */
export interface NameEntry {
  /** `web.shop.svc.cluster.local`, `db-0.db.shop.svc.cluster.local`, `api.example.com`, `*.example.com` */
  readonly host: string;
  /** IPv4 and IPv6, mixed; never empty. */
  readonly addresses: readonly string[];
  /** How the host's own namespace may write it, e.g. `web` or `db-0.db`; undefined for hosts of ServiceEntries. */
  readonly shortName: string | undefined;
  readonly namespace: string;
}
