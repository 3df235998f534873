/* What the pages need beside what the theme brings; loaded in <head>, before it. */
(() => {
  "use strict";

  // Where a page is opened as a file the browser refuses to fetch the pages found: results come without summary.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  // Names and roles that the theme gives and the accessibility guidelines refuse: names beside
  // the visible text, and a role that has been withdrawn.
  document.addEventListener("readystatechange", () => {
    // the page is read, and the icons are not drawn yet
    if (document.readyState !== "interactive") return;
    for (const icon of document.querySelectorAll("button i[title]")) icon.removeAttribute("title");
    for (const named of document.querySelectorAll("details > summary, .search-button__button")) {
      named.removeAttribute("aria-label");
    }
    for (const entry of document.querySelectorAll("[role=doc-biblioentry]")) entry.setAttribute("role", "listitem");
  });
})();
