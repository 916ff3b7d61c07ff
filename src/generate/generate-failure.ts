/** Said to whoever started the command, as it is. */
export class GenerateFailure extends Error {}
