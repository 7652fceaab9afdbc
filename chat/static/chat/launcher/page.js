/* Where the visitor is. A single-page application changes its address without a load, and its title a moment later. */

const TITLE_MILLISECONDS = 800;

let toldUrl = location.href, pageTimer = 0, titleWatch;

function pageNow() {
  return { page_url: location.href, page_title: document.title, referrer: document.referrer };
}

/* Once for each address, when its title has come or seems not to. */
function moved() {
  if (location.href === toldUrl) return;
  toldUrl = location.href;
  if (host && !host.isConnected) document.documentElement.append(host);
  settlePage();
  titleWatch = new MutationObserver(tellPage);
  titleWatch.observe(document.head, { childList: true, subtree: true, characterData: true });
  pageTimer = setTimeout(tellPage, TITLE_MILLISECONDS);
}

function tellPage() {
  settlePage();
  tell("page", pageNow());
}

function settlePage() {
  clearTimeout(pageTimer);
  if (titleWatch) titleWatch.disconnect();
}

for (const name of ["pushState", "replaceState"]) {
  const original = history[name];
  history[name] = function (...all) {
    const answer = original.apply(this, all);
    setTimeout(moved);
    return answer;
  };
}
for (const name of ["popstate", "hashchange"]) addEventListener(name, () => setTimeout(moved));
