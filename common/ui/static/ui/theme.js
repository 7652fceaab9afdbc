/* Classic and blocking on purpose: the page must not paint once in the wrong colours. */
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem("irisx.theme") || "auto";
    } catch (refused) {
      return "auto";
    }
  }

  function paint() {
    var theme = root.dataset.themeFixed || chosen();
    root.dataset.themeChoice = theme;
    root.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  }

  /* A page with data-theme-fixed (the widget's panel) follows its host, not what was chosen for the desk. */
  window.irisxTheme = function (theme) {
    try {
      if (root.dataset.themeFixed) root.dataset.themeFixed = theme;
      else localStorage.setItem("irisx.theme", theme);
    } catch (refused) {
      root.dataset.themeFixed = theme;
    }
    paint();
  };
  dark.addEventListener("change", paint);
  window.addEventListener("storage", paint);
  paint();
})();
