/** Ends the replay; its message tells the person who runs it what to do. */
export class ReplayFailure extends Error {}
