// All languages but English in one file, because a file for each of them makes the panel larger for everybody.

export { words as ar } from "./ar";
export { words as de } from "./de";
export { words as es } from "./es";
export { words as fr } from "./fr";
export { words as it } from "./it";
export { words as nl } from "./nl";
export { words as pt } from "./pt";
