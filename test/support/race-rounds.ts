/**
 * How often a race is run: a quarter of what it takes to believe it, since every run of the tests has it; all of it with
 * `RACES=full npm test -- test/concurrency`, which takes ten minutes.
 */
export function raceRounds(all: number): number {
  return process.env.RACES === 'full' ? all : Math.ceil(all / 4);
}
