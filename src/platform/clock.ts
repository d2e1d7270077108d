// Time as a dependency: everything that asks for the time is given a clock, so that tests can turn it.
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
