// GraphiQL as one self-contained page: scripts and styles come from the package, nothing from the internet. Development only.
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';

const defaultQuery = `# Put your key into "Headers" below: { "Authorization": "Bearer sbk_…" }
{
  viewer {
    __typename
  }
}
`;

// The bundle sends its header editor's headers with HTTP requests only; sockets get the Authorization of the latest of those.
const rememberAuthorization = `<script>
  const signalbox = { fetch: window.fetch.bind(window), authorization: undefined };
  window.fetch = (url, init) => {
    signalbox.authorization = new Headers(init && init.headers).get('authorization') || signalbox.authorization;
    return signalbox.fetch(url, init);
  };
</script>`;

export function graphiqlPage(endpoint: string): string {
  const options = { title: 'Signalbox', endpoint, subscriptionsProtocol: 'WS' as const, defaultQuery };
  const given = JSON.stringify(options);
  const page = renderGraphiQL(options);
  const at = page.lastIndexOf(given);
  if (at < 0) throw new Error('GraphiQL renders its options in another way than this version expects');
  const live = `Object.assign(${given}, { connectionParams: () => ({ authorization: signalbox.authorization }) })`;
  // Plain concatenation: the bundle is full of "$" that String.replace would take for patterns.
  const [head, body] = [page.slice(0, at), page.slice(at + given.length)];
  const title = head.indexOf('<title>');
  return head.slice(0, title) + rememberAuthorization + head.slice(title) + live + body;
}
