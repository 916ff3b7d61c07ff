/** What ends an import before its file does; its message tells a person what to do. */
export class ImportFailure extends Error {
  override readonly name = 'ImportFailure';
}
