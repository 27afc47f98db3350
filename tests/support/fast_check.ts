// The library for property tests, in one version for all.

export { default } from "npm:fast-check@4.10.2";
