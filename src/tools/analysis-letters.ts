// Names of commands in letters that only look like those of ASCII. Pure; no I/O.

/** Letters of other scripts that look like a Latin one. */
const lookalikes: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from('аaеeоoрpсcуyхxіiѕsјjһhԁdԛqѡwвbкkмmтtнhαaοoρpνvτtιiκkυuχx'.matchAll(/(.)(.)/gu), ([, letter, latin]) => [letter!, latin!]),
);
/** Spaces that a shell does not take for one, and marks that nobody sees. */
const spaces = /[\p{Zs}\u0085\u2028\u2029\u2800\u3164\uffa0]/gu;
const invisible = /\p{Cf}/gu;

/** The command that a person reads in the name; null when it is what it looks like. `known`: commands that are worth imitating as a whole. */
export function meantBy(name: string, known: readonly string[]): string | null {
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  if (/^[\0-\x7f]*$/.test(name)) return null;
  const plain = [...name.replace(invisible, '').replace(spaces, ' ').normalize('NFKC')]
    .map((letter) => lookalikes[letter] ?? letter)
    .join('');
  if (!/^[\x20-\x7e]+$/.test(plain)) return null;
  const own = name.replace(spaces, ' ');
  // A word of another language, all of whose letters happen to look Latin, is one.
  return /[A-Za-z]/.test(own) || known.includes(plain.trim().split(' ')[0]!.toLowerCase()) ? plain : null;
}
