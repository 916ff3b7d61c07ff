export class HealthResponse {
  /** Always `healthy`; what is not healthy is answered 503. */
  status: string;
  /** Time of the check, ISO 8601 UTC. */
  timestamp: string;
}

export class PoolFigures {
  /** Connections in use. */
  active: number;
  /** Connections that wait for work. */
  idle: number;
  /** All connections that are open or being opened. */
  total: number;
  /** Requests that wait for a connection. */
  waiting: number;
}

export class PoolResponse extends HealthResponse {
  /** `saturated` while requests wait for a connection, else `healthy`. */
  declare status: string;
  pool: PoolFigures;
}
