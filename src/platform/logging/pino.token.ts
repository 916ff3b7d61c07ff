/** The process's pino, made before Nest so that it can log a start that fails. */
export const PINO = Symbol('pino');
