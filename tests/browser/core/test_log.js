import { Disconnected } from "/static/ui/http.js";
import { Log } from "/static/ui/log.js";
import { dice, entries, equal, event, settle } from "./assert.js";

const seqs = (log) => log.entries.map(({ seq }) => seq);

function server(head, { limit = 300 } = {}) {
  const asked = [];
  const read = async (after) => {
    asked.push(after);
    return { type: "events", events: entries(after + 1, Math.min(head, after + limit)), head };
  };
  return { asked, read };
}

export function applies_what_is_next() {
  const log = new Log({ read: server(0).read });
  log.receive(1, event(1));
  log.receive(2, event(2));
  equal(seqs(log), [1, 2]);
}

export function ignores_what_it_has() {
  const log = new Log({ read: server(0).read });
  for (const seq of [1, 2, 1, 2, 2]) log.receive(seq, event(seq));
  equal(seqs(log), [1, 2]);
}

export async function fetches_what_lies_in_a_gap_once() {
  const { asked, read } = server(5);
  const log = new Log({ read });
  log.receive(1, event(1));
  log.receive(4, event(4));
  await log.receive(5, event(5));
  await settle();
  equal(seqs(log), [1, 2, 3, 4, 5]);
  equal(asked, [1]);
}

export async function notices_that_the_last_one_was_lost() {
  const { read } = server(3);
  const log = new Log({ base: 2, read });
  log.noteHead(2);
  log.noteHead(3);
  await settle();
  equal(seqs(log), [3]);
}

export async function reads_page_after_page_until_level() {
  const { asked, read } = server(7, { limit: 3 });
  const log = new Log({ read });
  log.noteHead(7);
  await settle(60);
  equal(seqs(log), [1, 2, 3, 4, 5, 6, 7]);
  equal(asked, [0, 3, 6]);
}

export async function starts_over_from_the_newest_on_reset() {
  const { read } = server(912);
  const log = new Log({ base: 10, read });
  log.receive(11, event(11));
  log.receiveFrame({ type: "reset", head: 912 });
  await settle();
  equal([log.base, log.seq, log.entries.length], [812, 912, 100]);
}

export async function forgets_an_answer_that_belongs_to_before_the_reset() {
  let answer;
  const late = new Promise((resolve) => (answer = resolve));
  const fresh = server(200);
  let calls = 0;
  const log = new Log({ base: 0, read: (after) => (calls++ ? fresh.read(after) : late) });
  log.noteHead(5);
  log.reset(200);
  answer({ type: "events", events: entries(1, 5), head: 5 });
  await settle(60);
  equal([log.base, log.seq, log.entries.length], [100, 200, 100]);
}

export async function waits_for_the_line_when_it_is_dead() {
  let isDead = true;
  const { read } = server(3);
  const log = new Log({ read: (after) => (isDead ? Promise.reject(new Disconnected()) : read(after)) });
  log.noteHead(3);
  await settle();
  equal(seqs(log), []);
  isDead = false;
  await log.catchUp();
  equal(seqs(log), [1, 2, 3]);
}

export function puts_older_entries_in_front_only_if_they_join() {
  const log = new Log({ base: 5, read: server(6).read });
  log.receive(6, event(6));
  log.prepend(entries(1, 3));
  equal(seqs(log), [6]);
  log.prepend(entries(3, 5));
  equal([seqs(log), log.base], [[3, 4, 5, 6], 2]);
}

export async function is_whole_and_in_order_after_loss_repeats_and_shuffling() {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = dice(seed);
    const head = 60;
    const log = new Log({ read: server(head, { limit: 7 }).read });
    const frames = entries(1, head).flatMap((entry) => (random() < 0.1 ? [] : random() < 0.1 ? [entry, entry] : [entry]));
    frames.sort(() => (random() < 0.2 ? 1 : -1));
    for (const { seq, event: one } of frames) {
      log.receive(seq, one);
      if (random() < 0.3) await settle(3);
    }
    log.noteHead(head);
    await settle(400);
    equal(seqs(log), entries(1, head).map(({ seq }) => seq), `seed ${seed}`);
  }
}
