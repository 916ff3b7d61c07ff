/** The embedded database could not be started; the message tells the person at the terminal what to do. */
export class EmbeddedDatabaseError extends Error {
  override readonly name: string = 'EmbeddedDatabaseError';
}

export class EmbeddedDatabaseInUseError extends EmbeddedDatabaseError {
  override readonly name = 'EmbeddedDatabaseInUseError';
  readonly dataDir: string;
  /** The process that holds the data directory. */
  readonly ownerPid: number;

  constructor(dataDir: string, ownerPid: number) {
    super(
      `The data directory ${dataDir} is in use by another Larder, process ${ownerPid}. ` +
        'Stop that one first, or start this one with another DATA_DIR or with DATABASE_URL.',
    );
    this.dataDir = dataDir;
    this.ownerPid = ownerPid;
  }
}

export class EmbeddedDatabaseVersionError extends EmbeddedDatabaseError {
  override readonly name = 'EmbeddedDatabaseVersionError';

  constructor(dataDir: string, found: string, expected: string) {
    super(
      `The data directory ${dataDir} was made by PostgreSQL ${found}, but the embedded one is ${expected}, which can't read it. ` +
        'Start with another DATA_DIR, or serve the old data with a PostgreSQL of its version and set DATABASE_URL.',
    );
  }
}

export class EmbeddedDatabaseMissingError extends EmbeddedDatabaseError {
  override readonly name = 'EmbeddedDatabaseMissingError';

  constructor(reason: string, cause?: unknown) {
    super(`There is no embedded PostgreSQL here: ${reason}. Set DATABASE_URL to a PostgreSQL server (15 or newer).`, {
      cause,
    });
  }
}
