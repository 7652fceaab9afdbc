import { Disconnected, Problem } from "/static/ui/http.js";
import { Live, backoffSeconds } from "/static/ui/live.js";
import { equal, settle } from "./assert.js";

const sockets = [];

class FakeSocket {
  constructor(url) {
    Object.assign(this, { url, readyState: 0, sent: [] });
    sockets.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  say(frame) {
    this.onmessage({ data: JSON.stringify({ v: 1, ...frame }) });
  }
}

async function start(options = {}) {
  sockets.length = 0;
  const frames = [];
  const states = [];
  const live = new Live({
    url: "ws://x/",
    credentials: async () => ({ ticket: "t" }),
    cursors: () => ({ cc_1: 7 }),
    onFrame: (frame) => frames.push(frame.type),
    onState: ({ name, reason }) => states.push(reason ? `${name} ${reason}` : name),
    WebSocket: FakeSocket,
    random: () => 0,
    ...options,
  });
  live.start();
  await settle();
  return { live, frames, states };
}

async function ready(options) {
  const all = await start(options);
  sockets[0].open();
  sockets[0].say({ type: "ready", ping_seconds: 25 });
  return all;
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

export async function signs_in_with_the_first_frame() {
  const { states } = await ready();
  equal(sockets[0].sent[0], { v: 1, type: "auth", ticket: "t", cursors: { cc_1: 7 } });
  equal(states, ["connecting", "live"]);
}

export async function answers_a_ping() {
  const { frames } = await ready();
  sockets[0].say({ type: "ping", heads: {} });
  equal(sockets[0].sent[1], { v: 1, type: "pong" });
  equal(frames, ["ready", "ping"]);
}

export async function gives_each_request_its_own_answer() {
  const { live } = await ready();
  const [one, two] = [live.request("events.get", { after_seq: 1 }), live.request("events.get", { after_seq: 2 })];
  const [first, second] = sockets[0].sent.slice(1).map(({ id }) => id);
  sockets[0].say({ type: "events", id: second, head: 2 });
  sockets[0].say({ type: "problem", id: first, problem: { status: 404, detail: "Gone." } });
  equal((await two).head, 2);
  const refusal = await one.catch((error) => error);
  equal([refusal instanceof Problem, refusal.message], [true, "Gone."]);
}

export async function tells_requests_that_the_line_is_dead() {
  const { live } = await ready();
  const asked = live.request("message.send").catch((error) => error instanceof Disconnected);
  sockets[0].onclose({ code: 1006 });
  equal([await asked, live.state.name], [true, "waiting"]);
  equal(await live.request("message.send").catch((error) => error instanceof Disconnected), true);
}

export async function comes_back_by_itself() {
  const { states } = await ready();
  sockets[0].onclose({ code: 1006 });
  await pause();
  sockets[1].open();
  sockets[1].say({ type: "ready" });
  equal(states, ["connecting", "live", "waiting", "connecting", "live"]);
}

export async function hears_nothing_more_from_a_socket_it_left() {
  const { frames } = await ready();
  const [old] = sockets;
  old.onclose({ code: 1006 });
  await pause();
  old.say({ type: "event" });
  equal(frames, ["ready"]);
}

export async function stays_away_when_it_is_told_to() {
  const { states } = await ready();
  sockets[0].onclose({ code: 4003 });
  await pause();
  equal([states.at(-1), sockets.length], ["stopped forbidden", 1]);
}

export async function signs_in_once_more_and_then_gives_up() {
  const { states } = await start();
  sockets[0].open();
  sockets[0].onclose({ code: 4001 });
  await pause();
  sockets[1].open();
  sockets[1].onclose({ code: 4001 });
  await pause();
  equal([states.at(-1), sockets.length], ["stopped signed-out", 2]);
}

export async function gives_up_when_no_ticket_is_to_be_had() {
  const { states } = await start({ credentials: () => Promise.reject(new Problem({}, 401)) });
  equal([states, sockets.length], [["connecting", "stopped signed-out"], 0]);
}

export async function waits_when_the_ticket_office_is_out_of_reach() {
  let calls = 0;
  const { states } = await start({ credentials: async () => (calls++ ? { ticket: "t" } : Promise.reject(new Disconnected())) });
  await pause();
  equal([states.slice(0, 3), sockets.length], [["connecting", "waiting", "connecting"], 1]);
}

export async function takes_its_time_after_a_restart() {
  const { live } = await ready({ random: () => 0.5 });
  sockets[0].say({ type: "restart", retry_after_seconds: 20 });
  sockets[0].onclose({ code: 1012 });
  const seconds = Math.round((live.state.retryAt - Date.now()) / 1000);
  equal([live.state.name, seconds], ["waiting", 10]);
}

export async function does_not_wait_once_the_network_is_back() {
  const { live } = await ready({ random: () => 1 });
  sockets[0].onclose({ code: 1006 });
  equal(live.state.name, "waiting");
  window.dispatchEvent(new Event("online"));
  await settle();
  equal([live.state.name, sockets.length], ["connecting", 2]);
}

export async function believes_the_browser_that_the_network_is_gone() {
  const { live } = await ready({ random: () => 1 });
  const asked = live.request("message.send").catch((error) => error instanceof Disconnected);
  window.dispatchEvent(new Event("offline"));
  equal([await asked, live.state.name], [true, "waiting"]);
}

export function backs_off_with_full_jitter_up_to_half_a_minute() {
  equal([1, 2, 3, 9].map((attempt) => backoffSeconds(attempt, () => 1)), [2, 4, 8, 30]);
  equal(backoffSeconds(9, () => 0), 0);
}
