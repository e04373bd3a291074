export { validateForAdmission } from "./admission.ts";
export { metadataRules } from "./metadata.ts";
export { rulesByKind } from "./rules.ts";
export { soundObject } from "./sound.ts";
export { validateObject } from "./validate-object.ts";
