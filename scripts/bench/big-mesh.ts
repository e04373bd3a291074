import { kinds, type Unit } from "./big-mesh-objects.ts";
import { pick, type Random, random } from "./random.ts";
import { MISTAKES, type Planted } from "./big-mesh-mistakes.ts";

/** A made-up mesh, as YAML, and the mistakes that were planted in it. */
export interface BigMesh {
  readonly yaml: string;
  readonly objects: number;
  readonly planted: readonly Planted[];
}

export interface BigMeshOptions {
  /** Number of objects, 200 and up; about 700 bytes each. */
  readonly objects: number;
  /** Equal seeds give equal text. Default 1. */
  readonly seed?: number;
  /** Part of the objects that are wrong, 0 to 0.05. Default 0.02. */
  readonly mistakes?: number;
}

/** Services of one namespace. */
const SERVICES = 24;

/**
 * A mesh of any size for benches and property tests: teams with a namespace each, services with deployments, routing, policies,
 * one gateway per team behind a shared ingress, external services. Every object refers only to what is there, apart from the
 * planted mistakes, which are spread evenly and take turns.
 */
export function bigMesh({ objects, seed = 1, mistakes = 0.02 }: BigMeshOptions): BigMesh {
  const next = random(seed);
  const texts: string[] = [...kinds.shared()];
  const planted: Planted[] = [];
  const wanted = Math.round(objects * mistakes);
  for (let team = 0; texts.length < objects; team++) {
    const namespace = `team-${team}`;
    texts.push(...kinds.ofTeam(namespace, next));
    for (let index = 0; index < SERVICES; index++) {
      const unit = unitOf(namespace, index, next);
      // as many as the part of the mesh that is written by now asks for
      const due = Math.ceil((wanted * texts.length) / objects) - planted.length;
      const made = withMistake(unit, due > 0 ? planted.length : undefined, planted);
      if (texts.length + made.length > objects) break;
      texts.push(...made);
    }
    if (objects - texts.length < 20) break;
  }
  for (let index = 0; planted.length < wanted && texts.length < objects; index++) {
    const unit = unitOf("team-0", SERVICES + index, next);
    const made = withMistake(unit, planted.length, []);
    if (texts.length + made.length > objects) break;
    texts.push(...withMistake(unit, planted.length, planted));
  }
  for (let index = 0; texts.length < objects; index++) texts.push(kinds.filler(index));
  return { yaml: texts.join("---\n"), objects: texts.length, planted };
}

function unitOf(namespace: string, index: number, next: Random): Unit {
  const name = `${pick(next, NOUNS)}-${index}`;
  const extra = next() < 0.3;
  return {
    namespace,
    name,
    port: 8000 + Math.floor(next() * 900),
    ports: extra ? 2 : 1,
    replicas: 1 + Math.floor(next() * 5),
    weight: 5 * Math.floor(1 + next() * 10),
    timeout: 3 + Math.floor(next() * 18),
    exposed: next() < 0.4,
  };
}

const NOUNS = ["orders", "cart", "ledger", "search", "profile", "media", "quotes", "stock", "mail", "report"] as const;

/** The unit's objects, with the mistake whose turn it is. */
function withMistake(unit: Unit, turn: number | undefined, planted: Planted[]): readonly string[] {
  const objects = kinds.ofService(unit);
  const mistake = turn === undefined ? undefined : MISTAKES[turn % MISTAKES.length];
  if (mistake === undefined) return Object.values(objects);
  const { changed, found } = mistake(unit, objects);
  planted.push(found);
  return Object.values(changed);
}
