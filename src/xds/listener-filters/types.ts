import type { ListenerFilter } from "../types.ts";

/** What a listener needs to learn of a connection before it can choose a filter chain. */
export interface ListenerNeeds {
  /** A load balancer says in front of the bytes who the client is. */
  readonly proxyProtocol: boolean;
  /** Connections come by redirection: where they wanted to go must be asked of the kernel. */
  readonly originalDestination: boolean;
  /** Connections come unchanged (TPROXY), and the application is to see where they come from. */
  readonly originalSource: boolean;
  /** Is it TLS, for which server name, offering which protocols. */
  readonly inspectTls: boolean;
  /** Is it HTTP, and which. */
  readonly inspectHttp: boolean;
  /** Destination ports on which an inspector must not wait for the client's bytes, which may never come. */
  readonly noTlsInspection: readonly number[];
  readonly noHttpInspection: readonly number[];
}

/** A listener filter: one file, one line in order.ts. */
export interface MeshListenerFilter {
  readonly name: string;
  appliesTo(needs: ListenerNeeds): boolean;
  filter(needs: ListenerNeeds): ListenerFilter;
}
