import { readFileSync } from 'node:fs';

let panic = '';

/** The reason of the engine's last panic; the JavaScript error of a panic says only "unreachable". */
export const lastPanic = () => panic;

/**
 * Loads Prisma's schema engine. By hand, because the package's own entry imports its .wasm as an ES module, which Node
 * still announces as an experiment on stderr.
 */
export async function loadSchemaEngine() {
  // The engine's panic hook looks for exactly this name and dies without a word where it is missing.
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => void (panic = message) };
  const entry = import.meta.resolve('@prisma/schema-engine-wasm');
  const bindings = await import(new URL('schema_engine_bg.js', entry));
  const wasm = readFileSync(new URL('schema_engine_bg.wasm', entry));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return bindings.SchemaEngine;
}
