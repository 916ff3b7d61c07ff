import pino, { type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { LarderConfig } from '../../config/config.js';
import { redact } from './redact.js';

/** JSON lines in production, something to read in development. Tests hand in a destination to read from. */
export function createPino(
  config: Pick<LarderConfig, 'LOG_LEVEL' | 'NODE_ENV'>,
  destination?: DestinationStream,
): Logger {
  const options: pino.LoggerOptions = {
    level: config.LOG_LEVEL,
    base: undefined,
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }), log: redact },
  };
  if (destination) return pino(options, destination);
  if (config.NODE_ENV !== 'development') return pino(options);
  const readable = pretty({
    sync: true,
    singleLine: true,
    messageKey: 'event',
    timestampKey: 'timestamp',
    translateTime: false,
  });
  return pino({ ...options, messageKey: 'event' }, readable);
}
