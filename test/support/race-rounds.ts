/**
 * How often a race is run, or how many hostile requests a route gets: a quarter of what it takes to believe it in every run of the
 * tests, which has a quarter of an hour; all of it with `RACES=full npm test -- test/concurrency test/e2e/bad-input`.
 */
export function raceRounds(all: number): number {
  return process.env.RACES === 'full' ? all : Math.ceil(all / 4);
}
