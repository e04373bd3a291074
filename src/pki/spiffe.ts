/** Who a workload is: the service account it runs as, in a trust domain. */
export interface Identity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** `spiffe://cluster.local/ns/shop/sa/web` */
export function spiffeId(identity: Identity): string {
  return `spiffe://${identity.trustDomain}/ns/${identity.namespace}/sa/${identity.serviceAccount}`;
}

const NAME = "[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?";
const FORM = new RegExp(`^spiffe://(${NAME})/ns/(${NAME})/sa/(${NAME})$`);

/** The identity in a SPIFFE URI of the form spiffeId() writes; undefined for any other text. */
export function parseSpiffeId(uri: string): Identity | undefined {
  const match = FORM.exec(uri);
  if (match === null) return undefined;
  const [, trustDomain = "", namespace = "", serviceAccount = ""] = match;
  return { trustDomain, namespace, serviceAccount };
}
