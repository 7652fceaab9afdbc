import { Marks } from "/static/chat/panel/marks.js";
import { rowsOf } from "/static/chat/rows.js";
import { equal, event } from "./assert.js";

export function tells_each_mark_once_and_only_forward() {
  const told = [];
  const marks = new Marks((type, seq) => told.push(`${type} ${seq}`));
  marks.reach("delivered", 3);
  marks.reach("delivered", 2);
  marks.reach("read", 3);
  marks.reach("read", 3);
  equal(told, ["delivered 3", "read 3"]);
}

export function tells_again_what_could_not_be_said() {
  const told = [];
  let isDead = true;
  const marks = new Marks((type, seq) => !isDead && told.push(`${type} ${seq}`));
  marks.reach("read", 4);
  isDead = false;
  marks.sayAgain();
  marks.sayAgain();
  equal(told, ["read 4"]);
}

export function does_not_tell_what_the_server_knows() {
  const told = [];
  const marks = new Marks((type, seq) => told.push(`${type} ${seq}`));
  marks.learn({ visitor_read_seq: 5, visitor_delivered_seq: 6, agent_read_seq: 2, agent_delivered_seq: 4 });
  marks.reach("read", 5);
  marks.reach("delivered", 6);
  equal([told, marks.read, marks.theirRead, marks.theirDelivered], [[], 5, 2, 4]);
}

export function what_was_read_was_received() {
  const marks = new Marks(() => true);
  marks.hear("read", 7);
  marks.hear("delivered", 3);
  equal([marks.theirRead, marks.theirDelivered], [7, 7]);
}

export function a_message_goes_from_sent_to_delivered_to_read() {
  const entries = [{ seq: 1, event: event(1, { sender_type: "visitor", created_at: new Date().toISOString() }) }];
  const mark = (marks) => rowsOf({ entries, pending: [], side: "visitor", describe: () => "", ...marks })[0].mark;
  equal([mark({ readSeq: 0 }), mark({ readSeq: 0, deliveredSeq: 1 }), mark({ readSeq: 1, deliveredSeq: 1 })], ["sent", "delivered", "read"]);
}
