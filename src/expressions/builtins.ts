// The functions an expression may call: those of JSONata 2.2 that give the same answer each time.
export const builtinFunctions: ReadonlySet<string> = new Set(
  `abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl decodeUrlComponent distinct each
  encodeUrl encodeUrlComponent error exists filter floor formatBase formatInteger formatNumber fromMillis join keys length lookup
  lowercase map match max merge min not number pad parseInteger power reduce replace reverse round sift single sort split spread
  sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase zip`.split(/\s+/),
);

/** Functions of JSONata that are refused, with the reason. */
export const refusedFunctions: Readonly<Record<string, string>> = {
  eval: 'an expression may not run text as code',
  now: 'an expression must give the same result when it is evaluated again; pass the time as an input',
  millis: 'an expression must give the same result when it is evaluated again; pass the time as an input',
  random: 'an expression must give the same result when it is evaluated again',
  shuffle: 'an expression must give the same result when it is evaluated again; use $sort',
};
