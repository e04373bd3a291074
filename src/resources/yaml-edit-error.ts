/** An edit that cannot be done: the path is not there, or its text belongs to other values too. */
export class YamlEditError extends Error {}
