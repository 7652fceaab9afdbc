/** localStorage with JSON values, one key per thing (two tabs never overwrite each other's), or memory where it is refused. */

export function openStore(area = permittedArea() ?? memoryArea()) {
  return {
    get: (key) => parsed(area.getItem(key)),
    put: (key, value) => attempt(() => area.setItem(key, JSON.stringify(value))),
    remove: (key) => area.removeItem(key),
    all: (prefix) => keys(area).filter((key) => key.startsWith(prefix)).map((key) => parsed(area.getItem(key))).filter(Boolean),
  };
}

/** The browser's localStorage, or null where it is refused: in private windows, to frames of another site, when full. */
export function permittedArea() {
  try {
    localStorage.setItem("irisx.probe", "1");
    localStorage.removeItem("irisx.probe");
    return localStorage;
  } catch (refused) {
    return null;
  }
}

/** The same in memory, beginning with `values`; `onChange(values)` may keep them elsewhere. */
export function memoryArea(values = new Map(), onChange = () => {}) {
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => onChange(values.set(key, value)),
    removeItem: (key) => values.delete(key) && onChange(values),
    key: (index) => [...values.keys()][index] ?? null,
    get length() {
      return values.size;
    },
  };
}

function keys(area) {
  return Array.from({ length: area.length }, (_, index) => area.key(index));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (broken) {
    return null;
  }
}

/** A full store must not stop the page: what could not be kept lives on in memory until the page goes. */
function attempt(act) {
  try {
    act();
  } catch (full) {
    console.warn("IRISX: nothing can be stored in this browser now.", full);
  }
}
