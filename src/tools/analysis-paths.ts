// Paths in arguments, normalised, and what lies where they lead: secrets, the system, what is run at every start. Pure; no I/O.
import { posix } from 'node:path';
import { unknown } from './analysis-words.ts';

/**
 * One form for all ways to write a path: lower case, `/`, no `.` and `..` where they can be resolved, `~` for a home folder.
 * A relative path is resolved against `folder` if there is one.
 */
export function normalPath(text: string, folder: string | null = null): string {
  let path = text
    .slice(0, maxPathLength)
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .toLowerCase()
    .trim();
  if (path.startsWith('file:')) path = path.replace(/^file:\/{0,3}(?:localhost)?/, '/');
  path = decoded(path)
    .replaceAll('\\', '/')
    .replace(/::\$data$/, '')
    // Windows ignores dots at the end of a name.
    .replace(/(?<=[^./])\.+$/, '');
  if (!/^[/~]|^[a-z]:/.test(path) && !path.startsWith(unknown) && folder !== null) path = `${folder}/${path}`;
  path = posix.normalize(path.replace(/^\/?[a-z]:(?=\/|$)/, '')).replace(/(?<=.)\/$/, '');
  // Other ways to the same files, such as /proc/self/root/etc/shadow.
  path = path.replace(/^\/proc\/[^/]+\/(?:root|task\/[^/]+\/root)(?=\/|$)/, '') || '/';
  path = path.replace(/^\/private(?=\/(?:etc|var|tmp)(?:\/|$))/, '');
  // Enough steps upwards lead to the root from anywhere.
  if (/^(?:\.\.\/){2,}/.test(path)) path = path.replace(/^(?:\.\.\/)+/, '/');
  return path.replace(/^\/\/+/, '/').replace(/^(?:\/home\/[^/]+|\/users\/[^/]+|\/root|~[a-z_][\w-]*)(?=\/|$)/, '~');
}

/** In a script a path of Windows keeps its parts, which a POSIX shell would run together. */
export const withSlashes = (script: string): string =>
  script.replace(/(?<![\w\\])(?:[A-Za-z]:|%\w{1,40}%|\$env:\w{1,40})\\[^\s"';&|<>]*/g, (path) => path.replace(/\\+/g, '/'));

/** Also what is encoded twice. */
function decoded(path: string, times = 3): string {
  if (times === 0 || !/%[0-9a-f]{2}/.test(path)) return path;
  try {
    return decoded(decodeURIComponent(path), times - 1);
  } catch {
    return path;
  }
}

/** Longer ones no system knows. */
const maxPathLength = 4_096;

/** Files that hold keys, passwords or tokens, by normalised path. */
const secretNames = [
  /^\.env(?:\.(?!(?:example|sample|template|dist|defaults?|schema)$)[\w-]+)*$/,
  /^(?:id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|[\w-]+_(?:rsa|ed25519))$/,
  /^(?:\.netrc|_netrc|\.pgpass|\.my\.cnf|\.npmrc|\.yarnrc\.yml|\.pypirc|\.htpasswd|\.git-credentials|\.dockercfg|\.vault-token|\.s3cfg|\.boto)$/,
  /^(?:secrets?|credentials)(?:\.[\w-]+)?\.(?:json|ya?ml|toml|env|ini|txt|properties)$/,
  /^(?:service[-_]?account|client_secret)[\w.-]*\.json$/,
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)$/,
  /^(?:terraform\.tfstate(?:\.backup)?|wp-config\.php|master\.key|\.(?:bash|zsh|mysql|psql|python)_history|kubeconfig)$/,
];
const secretPlaces = [
  /(?:^|\/)\.ssh(?:\/(?!known_hosts|config$)(?!.*\.pub$)|$)/,
  /(?:^|\/)\.(?:aws|azure|gnupg|password-store|oci|kube)(?:\/|$)/,
  /(?:^|\/)\.config\/(?:gcloud|gh|hub|op|rclone)(?:\/|$)/,
  /(?:^|\/)\.docker\/config\.json$/,
  /(?:^|\/)\.git\/config$/,
  /^\/etc\/(?:shadow|gshadow|sudoers|master\.passwd|security\/opasswd)(?:[-.~/]|$)/,
  /^\/etc\/(?:ssl\/private|ssh\/ssh_host_\w+_key|krb5\.keytab|kubernetes\/(?:admin\.conf|pki))/,
  /^\/proc\/(?:self|\d+|\*)\/(?:environ|mem)$/,
  /^\/(?:var\/)?run\/secrets(?:\/|$)/,
  /\/library\/keychains(?:\/|$)/,
  /(?:^|\/)(?:login data|cookies\.sqlite|key4\.db|logins\.json|wallet\.dat)$/,
  /^\/windows\/(?:system32\/config\/(?:sam|system|security)|repair\/sam)/,
];
/** What a pattern with wildcards is tried on. */
const secretExamples = [
  '/etc/shadow',
  '/etc/sudoers',
  '~/.ssh/id_rsa',
  '~/.ssh/id_ed25519',
  '~/.aws/credentials',
  '~/.netrc',
  '~/.kube/config',
  '.env',
  'id_rsa',
  '.ssh/id_rsa',
];

export function isSecret(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (secretNames.some((pattern) => pattern.test(name)) || secretPlaces.some((pattern) => pattern.test(path))) return true;
  return /[*?[]/.test(path) && secretExamples.some((example) => mayMatch(path, example));
}

/** Could a shell expand the pattern to this path? A wildcard stands for no `/`, and at the beginning of a name for no dot. */
function mayMatch(pattern: string, path: string): boolean {
  const [wanted, names] = [pattern.split('/'), path.split('/')];
  const fits = (name: string, own: string) => (own === '' || !/^[*?[]/.test(own) || !name.startsWith('.')) && globMatches(own, name);
  return (
    wanted.length === names.length &&
    names.every((name, index) => fits(name, wanted[index]!)) &&
    /[a-z.]/.test(wanted.at(-1)! + wanted.at(-2))
  );
}

const systemFolders =
  /^\/(?:etc|usr|bin|sbin|lib(?:32|64|x32)?|boot|dev|sys|proc|run|var\/(?:lib|log|spool|run|db)|private\/(?:etc|var\/db)|system|library|applications|windows|program files(?: \(x86\))?|programdata|nix\/store)(?:\/|$)/;
const harmlessDevices = /^\/dev\/(?:null|zero|full|u?random|tty|std(?:in|out|err)|fd(?:\/|$)|shm(?:\/|$)|pts(?:\/|$))/;

export const isSystem = (path: string): boolean => systemFolders.test(path) && !harmlessDevices.test(path);

/** A disk or partition as a whole. */
export const isDisk = (path: string): boolean =>
  /^\/dev\/(?:[shvx]v?d[a-z]|nvme\d|mmcblk\d|r?disk\d|md\d|dm-\d|loop\d|mapper\/|disk\/|mem$|kmem$|port$)/.test(path);

/** The root, a folder directly below it, the home folder, or everything in one of them. */
export function isVital(path: string): boolean {
  const place = path.replace(/(?:\/(?:\*|\.\*|\{[^/]*\}|\.))+$/, '') || '/';
  return (
    place === '/' ||
    place === '~' ||
    place === '/*' ||
    (/^\/[^/]+$/.test(place.replace(/^\/private(?=\/.)/, '')) &&
      !/^\/(?:tmp|data|workspace|work|app|repo|srv|mnt|media|src|build|project|sandbox)$/.test(place)) ||
    (/^\/(?:usr|var|system|library)\/[^/]+$/.test(place) && !/^\/var\/(?:tmp|folders)$/.test(place))
  );
}

/** What a shell, a session or the system runs by itself. */
const persistentPlaces = [
  /(?:^|\/)\.(?:bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zprofile|zshenv|zlogin|xinitrc|xprofile|inputrc)$/,
  /(?:^|\/)\.config\/(?:fish\/config\.fish|autostart\/|systemd\/)/,
  /(?:^|\/)\.ssh\/(?:authorized_keys2?|rc)$/,
  /^\/etc\/(?:cron|systemd|init\.d|rc\.local|profile|bash\.bashrc|ld\.so\.preload|update-motd\.d|xdg\/autostart)/,
  /^\/var\/spool\/(?:cron|at)(?:\/|$)/,
  /\/library\/launch(?:agents|daemons)(?:\/|$)/,
  /(?:^|\/)\.git\/hooks\//,
  /\/start menu\/programs\/startup\//,
];
export const isPersistent = (path: string): boolean => persistentPlaces.some((pattern) => pattern.test(path));

/** `*`, `?` and `[…]` (as any character); greedy with one step back, so its time is the product of the lengths at most. */
export function globMatches(pattern: string, text: string): boolean {
  const wanted = pattern.replace(/\[[^\]]*\]/g, '?');
  let at = 0;
  let back = -1;
  let tried = 0;
  let i = 0;
  while (at < text.length) {
    if (i < wanted.length && (wanted[i] === '?' || wanted[i] === text[at]) && wanted[i] !== '*') {
      i++;
      at++;
    } else if (wanted[i] === '*') {
      back = i++;
      tried = at;
    } else if (back >= 0) {
      i = back + 1;
      at = ++tried;
    } else return false;
  }
  while (wanted[i] === '*') i++;
  return i === wanted.length;
}
