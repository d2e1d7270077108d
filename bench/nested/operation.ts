// What the nested read asks for, and what peers are given to answer it: rows of a tenant, a key, and the statements that Signalbox sends.
// Programs of bench/peers import it, too: packages of Node only.

export const first = 50;

/** Fifty executions, each with its agent, its approvals and its last five events: what a page of the console shows. */
export const document = `query Executions($first: Int!, $after: String!) {
  executions(first: $first, after: $after) {
    edges {
      cursor
      node {
        id status inputs labels createdAt startedAt finishedAt
        agent { id name tags status }
        approvals(first: 5) { edges { node { id status risk title createdAt expiresAt decidedAt } } }
        lastEvents(count: 5) { sequence type occurredAt }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** As Signalbox sends it; parameters as of one request. */
export interface SentStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface NestedSetup {
  /** The application's role, which sees the rows of one tenant. */
  readonly appUrl: string;
  /** For a server that reads the catalogue, and for one that starts as a whole. */
  readonly ownerUrl: string;
  readonly dataDir: string;
  /** Who a key belongs to and what they may do: `$1` tenant, `$2` null, `$3` id of the key. */
  readonly identity: SentStatement;
  readonly executions: SentStatement;
  /** By ids, which are `$2` in these. */
  readonly agents: SentStatement;
  readonly approvals: SentStatement;
  readonly events: SentStatement;
}

/** A POST to ask with. */
export interface Asking {
  readonly url: string;
  readonly key: string;
  readonly body: unknown;
}
