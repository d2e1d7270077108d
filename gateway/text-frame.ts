// A WebSocket message as one piece of bytes (RFC 6455, section 5.2): from a server, unmasked, whole.

const finalText = 0x81;

/** A text message made of these pieces of UTF-8. */
export function textFrame(pieces: readonly Buffer[]): Buffer {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = finalText;
  if (start === 2) frame[1] = length;
  else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  let at = start;
  for (const piece of pieces) at += piece.copy(frame, at);
  return frame;
}
