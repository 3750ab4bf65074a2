// A back end with a WebSocket that echoes and an event stream: node server.mjs PORT
// It takes the caller from X-User-Id and knows nothing of tokens.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((request, response) => {
  if (request.url !== "/events") {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  let n = 0;
  const send = () => response.write(`id: ${++n}\ndata: ${JSON.stringify({ n, at: Date.now(), user: request.headers["x-user-id"] })}\n\n`);
  send();
  const timer = setInterval(send, 200);
  response.on("close", () => clearInterval(timer));
});

const sockets = new WebSocketServer({ server, path: "/ws/echo" });
sockets.on("connection", (socket, request) => {
  socket.send(JSON.stringify({ user: request.headers["x-user-id"], offered: request.headers["sec-websocket-protocol"] ?? "" }));
  socket.on("message", (data, binary) => {
    if (!binary && data.toString() === "leave") socket.close(4000, "as you wish");
    else socket.send(data, { binary });
  });
});

server.listen(Number(process.argv[2] ?? 8000), "127.0.0.1");
