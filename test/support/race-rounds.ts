/**
 * How often a race is run: a quarter of what it takes to believe it in every run of the tests, which has a quarter of an hour;
 * all of it with `RACES=full npm test -- test/concurrency`.
 */
export function raceRounds(all: number): number {
  return process.env.RACES === 'full' ? all : Math.ceil(all / 4);
}
