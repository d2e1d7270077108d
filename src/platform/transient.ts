// Which database errors pass by themselves: lost connections, a server that restarts or is full for a moment, a full disk.

const sqlStates = /^(08|57P0|25P03|53100|53300|40001|40P01)/;
const systemErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT']);

/** True when the same statements may succeed a moment later. Looks through causes. */
export function isTransient(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as { code?: unknown };
    if (typeof code === 'string' && (sqlStates.test(code) || systemErrors.has(code))) return true;
    if (/connection terminated|connection ended|not queryable|timeout exceeded when trying to connect/i.test(each.message)) return true;
  }
  return false;
}

/** True when the database's disk has no room left; what needs no room still works. */
export function isDiskFull(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) if ((each as { code?: unknown }).code === '53100') return true;
  return false;
}
