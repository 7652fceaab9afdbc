/* What the page's own storage keeps for us. A visitor who refuses it loses nothing but our memory. Never a cookie. */

const tabMemory = memoryOf(() => sessionStorage);
const siteMemory = memoryOf(() => localStorage);

function memoryOf(area) {
  const attempt = (act) => {
    try {
      return act(area());
    } catch (refused) {
      return null;
    }
  };
  const name = (what) => "irisx." + key + (what && "." + what);
  return {
    get: (what) => attempt((store) => JSON.parse(store.getItem(name(what)))),
    put: (what, value) => attempt((store) => store.setItem(name(what), JSON.stringify(value))),
    drop: (what) => attempt((store) => store.removeItem(name(what))),
  };
}
