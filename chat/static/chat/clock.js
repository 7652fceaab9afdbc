/** The server's clock, as far as it told us: waits are counted by it, whatever this machine believes the time is. */

let aheadMilliseconds = 0;

export function setClock(now) {
  if (now) aheadMilliseconds = Date.parse(now) - Date.now();
}

export function serverNow() {
  return Date.now() + aheadMilliseconds;
}
