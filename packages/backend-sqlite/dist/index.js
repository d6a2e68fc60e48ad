export * from "./layer.js";
//# sourceMappingURL=index.js.map