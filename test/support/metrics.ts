import type { TestApp } from './app.js';

/** What GET /metrics tells of a counter, over all of its series whose labels contain the text. */
export async function sumOfMetric({ http }: Pick<TestApp, 'http'>, name: string, labels = ''): Promise<number> {
  const { text } = await http.get('/metrics');
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => line.includes(labels))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
