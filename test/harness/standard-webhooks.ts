// Checks a received request as its receiver would: with the library of Standard Webhooks.
import { Webhook } from 'standardwebhooks';

/** The body, parsed; throws when the signature does not fit. The library looks at the clock of the machine, tests have their own. */
export function verifySigned(secret: string, { headers, body }: { headers: object; body: string }): any {
  const given = headers as Record<string, string>;
  const now = Date.now;
  Date.now = () => Number(given['webhook-timestamp']) * 1_000;
  try {
    return new Webhook(secret).verify(body, given);
  } finally {
    Date.now = now;
  }
}
