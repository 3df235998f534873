/* What the pages need beside what the theme and the widgets bring; loaded in <head>, before both. */
(() => {
  "use strict";

  // The widgets hand every label to MathJax 2, whose queue MathJax 3 no longer has. Labels hold no LaTeX, so the
  // queue may stay empty. MathJax replaces its own global object while it loads: hence the setter.
  const hub = { Queue() {} };
  let mathjax = window.MathJax;
  Object.defineProperty(window, "MathJax", {
    configurable: true,
    get: () => mathjax,
    set(value) {
      mathjax = value;
      if (value) value.Hub = hub;
    },
  });
  window.MathJax = mathjax;

  // Where a page is opened as a file the browser refuses to fetch the pages found: results come without summary.
  if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  // The widgets show a label and a value beside each control, but say neither to a screen reader.
  const text = (element) => (element ? element.textContent.trim() : "");

  const ICONS = { play: "Play", pause: "Pause", stop: "Back to the start", retweet: "Repeat" };

  function name(control) {
    const title = control.querySelector(":scope > .widget-label");
    const label = text(title);
    // the widgets write the word "null" as the tooltip of a label that has none
    if (title && title.title === "null") title.removeAttribute("title");
    const handle = control.querySelector("[role=slider]");
    if (handle) {
      handle.setAttribute("aria-label", label);
      const readout = control.querySelector(".widget-readout");
      handle.setAttribute("aria-valuetext", text(readout));
      // typing a value needs a kernel; the page has none
      if (readout) readout.contentEditable = "false";
    }
    const choice = control.querySelector(":scope > select, :scope > input");
    if (choice && !choice.labels.length) choice.setAttribute("aria-label", label);
    if (control.matches(".widget-toggle-buttons")) {
      control.setAttribute("role", "group");
      control.setAttribute("aria-label", label);
      for (const button of control.querySelectorAll("button")) {
        button.setAttribute("aria-pressed", String(button.classList.contains("mod-active")));
      }
    }
    if (control.matches(".widget-play")) {
      for (const button of control.querySelectorAll("button")) {
        // the widget names its icon by a class once it was pressed; before that only Font Awesome's drawing tells it
        const glyph = [...(button.querySelector("i")?.classList ?? [])].map((word) => word.replace("fa-", ""));
        const icon = glyph.find((word) => word in ICONS) ?? button.querySelector("svg")?.dataset.icon ?? "";
        button.setAttribute("aria-label", ICONS[icon] ?? icon);
        button.title = button.getAttribute("aria-label");
      }
    }
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

  // A formula that scrolls must be reachable by keyboard.
  window.addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    const reach = () => {
      for (const formula of document.querySelectorAll("mjx-container[display=true]")) {
        if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
        else formula.removeAttribute("tabindex");
      }
    };
    reach();
    window.addEventListener("resize", reach);
  });

  document.addEventListener("DOMContentLoaded", () => {
    let waiting = false;
    const nameAll = () => {
      waiting = false;
      document.querySelectorAll(".widget-inline-hbox, .widget-toggle-buttons").forEach(name);
    };
    new MutationObserver(() => {
      if (!waiting) requestAnimationFrame(nameAll);
      waiting = true;
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributeFilter: ["class"] });
  });
})();
