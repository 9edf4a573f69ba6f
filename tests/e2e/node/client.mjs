// A client in another language, written from docs/protocol.md: one refined layer, checked byte by byte.
// Usage: node client.mjs URL TOKEN
import { createHash } from "node:crypto";
import WebSocket from "ws";

const [url, token] = process.argv.slice(2);
const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` }, perMessageDeflate: false });
const pixels = Buffer.alloc(4 * 300 * 500, 200);
const name = createHash("sha256").update("rgba8 300 500\n").update(pixels).digest("hex");
const seen = [];
const layers = new Map();

const send = (message) => socket.send(JSON.stringify(message));

function sendParts(offset) {
  for (let start = offset; start < pixels.length; start += 1 << 20) {
    const part = pixels.subarray(start, start + (1 << 20));
    const header = Buffer.from(JSON.stringify({ type: "upload", sha256: name, offset: start, length: part.length }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(header.length);
    socket.send(Buffer.concat([length, header, part]));
  }
}

const answers = {
  welcome() {
    send({ type: "upload", sha256: name, format: "rgba8", bytes: pixels.length, width: 300, height: 500 });
  },
  have(message) {
    if (!message.complete) return sendParts(message.offset);
    const conditions = { source: { sha256: name, x: 7, y: 8 } };
    send({ type: "submit", job: "from-node-1", task: "refine", parameters: { prompt: "moss" }, conditions, crop: false });
  },
  layer(message) {
    layers.set(message.index, { message, parts: [] });
  },
  finished() {
    const found = [...layers.values()].map(({ message, parts }) => {
      const data = Buffer.concat(parts);
      const line = `rgba8 ${message.width} ${message.height}\n`;
      return { ...message, received: data.length, named: createHash("sha256").update(line).update(data).digest("hex") };
    });
    console.log(JSON.stringify({ seen, layers: found }));
    socket.close();
  },
  error(message) {
    console.error(JSON.stringify(message));
    process.exit(1);
  },
  failed(message) {
    answers.error(message);
  },
};

socket.on("open", () => send({ type: "hello", protocol: 1, client: "node", session: "session-of-node" }));
socket.on("message", (data, isBinary) => {
  if (!isBinary) {
    const message = JSON.parse(data.toString());
    seen.push(message.type);
    answers[message.type]?.(message);
    return;
  }
  const size = data.readUInt32BE(0);
  const header = JSON.parse(data.subarray(4, 4 + size).toString());
  seen.push(header.type);
  if (header.type === "pixels") layers.get(header.index).parts.push(data.subarray(4 + size));
});
