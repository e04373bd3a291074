type Labels = Readonly<Record<string, string>>;

/** Whether labels carry every pair of the selector. An empty selector selects all; what absence means is the caller's question. */
export function selects(selector: Labels, labels: Labels): boolean {
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** A selector that names something, else undefined: absent and empty are the same to Istio. */
export function namedSelector(selector: Labels | undefined): Labels | undefined {
  return selector === undefined || Object.keys(selector).length === 0 ? undefined : selector;
}

/** A text that equal labels share, whatever their order. */
export function labelsKey(labels: Labels): string {
  return Object.keys(labels)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(labels[key])}`)
    .join();
}
