import { Inbox } from "/static/chat/desk/inbox.js";
import { dice, equal, settle } from "./assert.js";

const ME = { id: "us_bob" };
const DAY = "2026-01-01T12:00:00Z";

/** A server that keeps rows by version, tells each change as a frame, and can be read as a list. */
class Desk {
  constructor() {
    this.rows = new Map();
    this.asked = [];
    this.gate = null;
  }

  change(id, fields = {}) {
    const before = this.rows.get(id) || { id, version: 0, status: "active", agent: null, created_at: DAY };
    const row = { ...before, ...fields, version: before.version + 1 };
    this.rows.set(id, row);
    return { type: "inbox", conversation: row };
  }

  get told() {
    const open = [...this.rows.values()].filter(({ status }) => status === "active");
    return { open: open.length, versions: open.reduce((sum, { version }) => sum + version, 0) };
  }

  /** The list as it stood when it was asked for, however late it is answered. */
  async conversations(query) {
    this.asked.push(query);
    const results = [...this.rows.values()].filter(({ status }) => !query.status || status === query.status);
    await this.gate;
    return { results, next: null };
  }
}

function desk() {
  const api = new Desk();
  return { api, inbox: new Inbox({ api, me: ME, onChange: () => {} }) };
}

function versions({ rows }) {
  return Object.fromEntries([...rows.values()].map(({ id, version }) => [id, version]).sort());
}

function held() {
  let open;
  return { gate: new Promise((resolve) => (open = resolve)), open: () => open() };
}

export async function keeps_what_is_heard_while_the_list_is_read() {
  const { api, inbox } = desk();
  api.change("cc_1");
  const { gate, open } = held();
  api.gate = gate;
  const loading = inbox.load();
  inbox.hear(api.change("cc_1", { last_message: { text: "Hello" } }));
  inbox.hear(api.change("cc_2"));
  open();
  await loading;
  equal(versions(inbox), { cc_1: 2, cc_2: 1 });
  equal(inbox.rows.get("cc_1").last_message.text, "Hello");
}

export async function lets_a_row_never_go_back() {
  const { api, inbox } = desk();
  await inbox.load();
  const [first, second] = [api.change("cc_1"), api.change("cc_1", { unread_count: 2 })];
  for (const frame of [second, first, second, first]) inbox.hear(frame);
  equal(inbox.rows.get("cc_1").unread_count, 2);
}

export async function takes_the_same_version_again_for_marks_that_raise_none() {
  const { api, inbox } = desk();
  await inbox.load();
  const frame = api.change("cc_1", { visitor_read_seq: 1 });
  inbox.hear(frame);
  inbox.put({ ...frame.conversation, visitor_read_seq: 4 });
  equal(inbox.rows.get("cc_1").visitor_read_seq, 4);
}

export async function reads_only_what_changed_when_a_frame_was_lost() {
  const { api, inbox } = desk();
  api.change("cc_1");
  await inbox.load();
  await inbox.compare(api.told, "2026-01-01T12:10:00Z");
  api.change("cc_1");
  await inbox.compare(api.told, "2026-01-01T12:10:25Z");
  equal(versions(inbox), { cc_1: 2 });
  equal(api.asked.slice(3), [{ updated_after: "2026-01-01T12:09:00.000Z", limit: 200 }]);
}

export async function reads_all_when_that_did_not_help() {
  const { api, inbox } = desk();
  api.change("cc_1");
  api.change("cc_2");
  await inbox.load();
  await inbox.compare(api.told, "2026-01-01T12:10:00Z");
  api.rows.delete("cc_2");
  await inbox.compare(api.told, "2026-01-01T12:10:25Z");
  equal(versions(inbox), { cc_1: 1, cc_2: 1 });
  await inbox.compare(api.told, "2026-01-01T12:10:50Z");
  equal(versions(inbox), { cc_1: 1 });
}

export async function reads_all_when_it_was_away_for_long() {
  const { api, inbox } = desk();
  api.change("cc_1");
  await inbox.load();
  await inbox.compare(api.told, "2026-01-01T12:00:00Z");
  api.change("cc_1");
  await inbox.compare(api.told, "2026-01-01T15:00:00Z");
  equal(api.asked.slice(3).map(({ status }) => status), ["active", "closed", "abandoned"]);
}

export async function asks_nothing_while_frames_are_still_coming() {
  const { api, inbox } = desk();
  await inbox.load();
  inbox.hear(api.change("cc_1"));
  api.change("cc_2");
  await inbox.compare(api.told, DAY);
  equal(api.asked.length, 3);
}

export async function notices_what_changed_between_the_list_and_the_first_word() {
  const { api, inbox } = desk();
  const { gate, open } = held();
  api.gate = gate;
  const loading = inbox.load();
  api.change("cc_1");
  inbox.compare(api.told, DAY);
  open();
  await loading;
  await settle();
  equal(versions(inbox), { cc_1: 1 });
}

export async function reads_again_by_itself_after_a_failed_start() {
  const { api, inbox } = desk();
  api.change("cc_1");
  api.gate = Promise.reject(new Error("The server could not be reached."));
  await inbox.load();
  equal([inbox.state, inbox.reason], ["failed", "The server could not be reached."]);
  api.gate = null;
  await inbox.compare(api.told, DAY);
  equal([inbox.state, versions(inbox)], ["ready", { cc_1: 1 }]);
}

export async function puts_offers_first_and_the_longest_waiting_on_top() {
  const { api, inbox } = desk();
  api.change("cc_old", { queued_at: "2026-01-01T11:00:00Z" });
  api.change("cc_new", { queued_at: "2026-01-01T11:30:00Z" });
  api.change("cc_mine", { agent: ME, accepted_at: DAY, last_message_at: "2026-01-01T11:59:00Z" });
  api.change("cc_offer", { agent: ME, accepted_at: null, last_message_at: "2026-01-01T11:40:00Z" });
  api.change("cc_left", { status: "abandoned" });
  await inbox.load();
  const ids = (tab) => inbox.view(tab).map(({ id }) => id);
  equal([ids("waiting"), ids("mine"), ids("closed")], [["cc_old", "cc_new"], ["cc_offer", "cc_mine"], ["cc_left"]]);
}

export async function is_level_after_loss_repeats_and_shuffling() {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = dice(seed);
    const { api, inbox } = desk();
    await inbox.load();
    await inbox.compare(api.told, DAY);
    const frames = Array.from({ length: 80 }, () => {
      const isOver = random() < 0.1;
      return api.change(`cc_${Math.floor(random() * 12)}`, { status: isOver ? "closed" : "active" });
    }).flatMap((frame) => (random() < 0.1 ? [] : random() < 0.1 ? [frame, frame] : [frame]));
    frames.sort(() => (random() < 0.3 ? 1 : -1));
    for (const frame of frames) inbox.put(frame.conversation);
    await inbox.compare(api.told, "2026-01-01T12:00:25Z");
    const wanted = versions(api);
    equal(versions(inbox), wanted, `seed ${seed}`);
  }
}
