// A client of both: ACCESS=token node client.mjs ws://HOST/ws/echo [--browser]
//                   ACCESS=token node client.mjs http://HOST/events
// Prints one JSON object a line. What it reads from standard input goes out over
// the WebSocket. --browser sends the token as a browser's WebSocket can: as a
// subprotocol, since it can set no header.
import { createInterface } from "node:readline";
import WebSocket from "ws";

const [url, mode] = process.argv.slice(2);
const token = process.env.ACCESS;
const show = (line) => console.log(JSON.stringify(line));
const headers = token && mode !== "--browser" ? { Authorization: `Bearer ${token}` } : {};

function talk() {
  const socket = new WebSocket(url, mode === "--browser" ? ["bearer", token] : [], { headers });
  socket.on("open", () => {
    show({ open: socket.protocol });
    createInterface({ input: process.stdin }).on("line", (line) => {
      if (line === "ping") socket.ping("are you there");
      else if (/^bytes \d+$/.test(line)) socket.send(Buffer.alloc(Number(line.slice(6)), 7));
      else socket.send(line);
    });
  });
  socket.on("pong", (data) => show({ pong: data.toString() }));
  socket.on("message", (data, binary) => show(binary ? { bytes: data.length } : { message: data.toString() }));
  socket.on("unexpected-response", (_, response) => {
    show({ refused: response.statusCode });
    process.exit();
  });
  socket.on("error", (error) => show({ error: error.message }));
  socket.on("close", (code, reason) => {
    show({ closed: code, reason: reason.toString() });
    process.exit();
  });
}

async function listen() {
  const response = await fetch(url, { headers: { ...headers, Accept: "text/event-stream" } });
  if (response.status !== 200) {
    show({ refused: response.status });
    return;
  }
  show({ open: response.headers.get("content-type") });
  let reason = "";
  try {
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      for (const [, data] of chunk.matchAll(/^data: (.*)$/gm)) show({ message: data });
    }
  } catch (error) {
    reason = error.message; // the connection was cut: no end of the body came
  }
  show({ closed: 0, reason });
}

if (url.startsWith("ws")) talk();
else await listen();
