import { Disconnected, Problem } from "/static/ui/http.js";
import { Outbox } from "/static/ui/outbox.js";
import { openStore } from "/static/ui/store.js";
import { equal, settle } from "./assert.js";

function make(send, store = openStore()) {
  return new Outbox({ store, prefix: "box.", send, random: () => 0 });
}

const states = (box, lane = "a") => box.items(lane).map(({ text, state }) => `${text} ${state}`);

export async function sends_one_at_a_time_in_order() {
  const open = [];
  const box = make((item) => new Promise((resolve) => open.push({ text: item.text, resolve })));
  box.add("a", "one");
  box.add("a", "two");
  await settle();
  equal(open.map(({ text }) => text), ["one"]);
  equal(states(box), ["one sending", "two queued"]);
  open[0].resolve({});
  await settle();
  equal(open.map(({ text }) => text), ["one", "two"]);
}

export async function lets_conversations_not_wait_for_each_other() {
  const sent = [];
  const box = make((item) => (sent.push(item.text), new Promise(() => {})));
  box.add("a", "one");
  box.add("b", "two");
  await settle();
  equal(sent, ["one", "two"]);
}

export async function sends_again_with_the_same_id_when_the_answer_was_lost() {
  const ids = [];
  let isDead = true;
  const box = make(async (item) => {
    ids.push(item.client_message_id);
    if (isDead) throw new Disconnected();
    return {};
  });
  box.add("a", "one");
  await settle();
  equal(states(box), ["one queued"]);
  isDead = false;
  box.flush();
  await settle();
  equal(states(box), []);
  equal([ids.length, ids[0] === ids[1]], [2, true]);
}

export async function keeps_what_was_not_sent_over_a_reload() {
  const dead = async () => Promise.reject(new Disconnected());
  const first = make(dead);
  const { client_message_id } = first.add("a", "one");
  await settle();
  const sent = [];
  const second = make(async (item) => (sent.push(item.client_message_id), {}));
  second.flush();
  await settle();
  equal(sent, [client_message_id]);
  equal(states(make(dead)), []);
}

export async function shows_a_refusal_and_goes_on_with_the_next() {
  const box = make(async (item) => {
    if (item.text === "bad") throw new Problem({ detail: "Too long." }, 422);
    return {};
  });
  box.add("a", "bad");
  box.add("a", "good");
  await settle();
  equal(states(box), ["bad failed"]);
  equal(box.items("a")[0].error, "Too long.");
}

export async function tries_a_failed_one_again_only_when_asked() {
  let calls = 0;
  const box = make(async () => {
    calls += 1;
    if (calls === 1) throw new Problem({ detail: "No." }, 409);
    return {};
  });
  const { client_message_id } = box.add("a", "one");
  await settle();
  box.flush();
  await settle();
  equal(calls, 1);
  box.retry(client_message_id);
  await settle();
  equal([calls, states(box)], [2, []]);
}

export async function a_busy_server_is_no_refusal() {
  const box = make(async () => Promise.reject(new Problem({}, 429, 5)));
  box.add("a", "one");
  await settle();
  equal(states(box), ["one queued"]);
}

export async function forgets_one_that_is_known_to_be_stored() {
  const box = make(async () => Promise.reject(new Disconnected()));
  const { client_message_id } = box.add("a", "one");
  box.remove(client_message_id);
  await settle();
  equal([states(box), states(make(async () => ({})))], [[], []]);
}

export async function says_a_refusal_in_the_readers_words_and_a_pause_with_its_length() {
  const pauses = [];
  const refuse = new Outbox({ store: openStore(), prefix: "box.", send: async () => Promise.reject(new Problem({ code: "blocked" }, 403)), explain: ({ code }) => `no: ${code}` });
  refuse.add("a", "one");
  const pause = new Outbox({ store: openStore(), prefix: "other.", send: async () => Promise.reject(new Problem({}, 429, 7)), onPause: (_, seconds) => pauses.push(seconds) });
  pause.add("a", "one");
  await settle();
  equal([refuse.items("a")[0].error, pauses, states(pause)], ["no: blocked", [7], ["one queued"]]);
}

export async function clears_a_lane_and_no_other() {
  const box = make(async () => Promise.reject(new Disconnected()));
  box.add("a", "one");
  box.add("b", "two");
  await settle();
  box.clear("a");
  equal([states(box), states(box, "b"), states(make(async () => ({})), "a")], [[], ["two queued"], []]);
}
