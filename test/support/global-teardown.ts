export default async function globalTeardown(): Promise<void> {
  const { stopTestServer } = await import('./postgres-server.js');
  await stopTestServer();
}
