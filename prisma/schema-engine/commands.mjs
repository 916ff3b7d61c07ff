import { connect, createDatabase, EngineError } from './server.mjs';

/** `schema-engine cli <command>`: the CLI asks whether a database is there, and has it created where it isn't. */
export async function runCommand(command, { url }) {
  // The CLI skips the first line, a greeting, and reads each line after it as JSON.
  log('INFO', { message: 'schema engine' });
  try {
    if (command === 'can-connect-to-database') await (await connect(url)).end();
    else if (command === 'create-database') await createDatabase(url);
    else throw new EngineError('P1012', `The schema engine knows no command "${command}"`);
    return 0;
  } catch (error) {
    log('ERROR', { message: error.message, error_code: error.code, is_panic: false });
    return 1;
  }
}

function log(level, fields) {
  console.error(JSON.stringify({ level, target: 'schema_engine::logger', fields }));
}
