/** What the cases say it with. */

export function equal(found, wanted, what = "") {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`${what} found ${one}, wanted ${other}`);
}

/** Let promises that are due run. */
export async function settle(turns = 20) {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
}

export function event(number, fields = {}) {
  return { type: "message", occurred_at: "2026-01-01T12:00:00Z", payload: { message: { client_message_id: `m${number}`, text: `${number}`, ...fields } } };
}

export function entries(from, to) {
  return Array.from({ length: to - from + 1 }, (_, at) => ({ seq: from + at, event: event(from + at) }));
}

/** The same row of numbers every time: tests that shuffle must fail the same way twice. */
export function dice(seed) {
  let state = seed;
  return () => ((state = (state * 1103515245 + 12345) % 2147483648), state / 2147483648);
}
