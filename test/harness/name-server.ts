// A DNS server on this machine (RFC 1035, UDP, one question a message), for names whose answers the test decides and counts.
import { createSocket } from 'node:dgram';
import type { TestContext } from 'node:test';

export interface NameServer {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  /** `A name` or `AAAA name`, in the order in which they came. */
  readonly questions: readonly string[];
}

type Answers = readonly string[] | 'NXDOMAIN' | 'silence';
const types: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' };

/** Addresses of a name, IPv4 and IPv6 mixed; of names that are not listed there are none. */
export async function nameServer(t: TestContext, answers: Readonly<Record<string, Answers>>): Promise<NameServer> {
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, sender) => {
    const labels: string[] = [];
    let at = 12;
    for (; message[at] !== 0; at += message[at]! + 1) labels.push(message.toString('latin1', at + 1, at + 1 + message[at]!));
    const name = labels.join('.').toLowerCase();
    const type = types[message.readUInt16BE(at + 1)]!;
    questions.push(`${type} ${name}`);
    const answer = answers[name] ?? 'NXDOMAIN';
    if (answer === 'silence') return;
    const records = (answer === 'NXDOMAIN' ? [] : answer).filter((address) => address.includes(':') === (type === 'AAAA')).map(record);
    const header = Buffer.alloc(12);
    message.copy(header, 0, 0, 2);
    header.writeUInt16BE(answer === 'NXDOMAIN' ? 0x81_83 : 0x81_80, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    socket.send(Buffer.concat([header, message.subarray(12, at + 5), ...records]), sender.port, sender.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.after(() => socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, questions };
}

function record(address: string): Buffer {
  const bytes = address.includes(':') ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc0_0c, 0); // the name of the question
  head.writeUInt16BE(bytes.length === 16 ? 28 : 1, 2);
  head.writeUInt16BE(1, 4); // class IN; the time to live is 0
  head.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([head, bytes]);
}

function ipv6Bytes(address: string): Buffer {
  const [left = '', right = ''] = address.split('::');
  const parts = (text: string) => (text === '' ? [] : text.split(':').map((part) => Number.parseInt(part, 16)));
  const missing = address.includes('::') ? 8 - parts(left).length - parts(right).length : 0;
  const words = [...parts(left), ...Array.from({ length: missing }, () => 0), ...parts(right)];
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 255]));
}
