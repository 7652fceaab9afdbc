/** What to call people. */

/** A visitor's name, else the address, else "Visitor" with four letters that tell one from another. */
export function nameOf(row, words) {
  const { name, email, id } = row.visitor;
  return name || email || words("visitor", { code: id.slice(-4) });
}
