// A chat of two rooms (conversation, agents) that stores each message and then delivers it.
// node server.js ws|io; PORT, DATABASE_URL and REDIS_URL in the environment.
const http = require("http");
const { Pool } = require("pg");

const mode = process.argv[2];
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const server = http.createServer((request, response) => response.end("up"));

const STORE = `
WITH c AS (UPDATE bench_conversations SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq)
INSERT INTO bench_messages (conversation_id, seq, client_message_id, text) SELECT $1, last_seq, $2, $3 FROM c RETURNING seq`;

async function store({ conversation, id, text }) {
  const { rows } = await pool.query({ name: "store", text: STORE, values: [conversation, id, text] });
  return Number(rows[0].seq);
}

function bare() {
  const { WebSocketServer } = require("ws");
  const rooms = new Map();
  const join = (room, socket) => (rooms.get(room) || rooms.set(room, new Set()).get(room)).add(socket);
  const tell = (room, frame) => {
    const text = Buffer.from(JSON.stringify(frame));
    for (const socket of rooms.get(room) || []) socket.send(text, { binary: false });
  };
  new WebSocketServer({ server, perMessageDeflate: false }).on("connection", (socket) => {
    const mine = [];
    socket.on("message", async (data) => {
      const frame = JSON.parse(data);
      if (frame.type === "join") {
        for (const room of frame.rooms) join(room, socket), mine.push(room);
        return socket.send(JSON.stringify({ type: "ready" }));
      }
      const seq = await store(frame);
      socket.send(JSON.stringify({ type: "ack", id: frame.id, seq }));
      tell(frame.conversation, { type: "event", conversation: frame.conversation, seq, text: frame.text });
      if (frame.inbox) tell("agents", { type: "inbox", conversation: frame.conversation, seq, last: frame.text });
    });
    socket.on("close", () => mine.forEach((room) => rooms.get(room).delete(socket)));
  });
}

async function socketIo() {
  const { Server } = require("socket.io");
  const { createAdapter } = require("@socket.io/redis-adapter");
  const { createClient } = require("redis");
  const publisher = createClient({ url: process.env.REDIS_URL });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const io = new Server(server, { adapter: createAdapter(publisher, subscriber), perMessageDeflate: false, transports: ["websocket"] });
  io.on("connection", (socket) => {
    socket.on("join", async ({ rooms }) => {
      await socket.join(rooms);
      socket.emit("m", { type: "ready" });
    });
    socket.on("send", async (frame) => {
      const seq = await store(frame);
      socket.emit("m", { type: "ack", id: frame.id, seq });
      io.to(frame.conversation).emit("m", { type: "event", conversation: frame.conversation, seq, text: frame.text });
      if (frame.inbox) io.to("agents").emit("m", { type: "inbox", conversation: frame.conversation, seq, last: frame.text });
    });
  });
}

Promise.resolve(mode === "io" ? socketIo() : bare()).then(() => server.listen(Number(process.env.PORT), "127.0.0.1"));
