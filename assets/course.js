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

  // Where a page is opened as a file the browser refuses to fetch the pages found, so results come without summary.
  document.addEventListener("DOMContentLoaded", () => {
    if (location.protocol === "file:" && window.DOCUMENTATION_OPTIONS) {
      window.DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
    }
  });

  // The widgets show a label and a value beside each control, but say neither to a screen reader.
  const text = (element) => (element ? element.textContent.trim() : "");

  function name(control) {
    const label = text(control.querySelector(":scope > .widget-label"));
    const handle = control.querySelector("[role=slider]");
    if (handle) {
      handle.setAttribute("aria-label", label);
      handle.setAttribute("aria-valuetext", text(control.querySelector(".widget-readout")));
    }
    const choice = control.querySelector(":scope > select, :scope > input");
    if (choice && !choice.labels.length) choice.setAttribute("aria-label", label);
    const group = control.querySelector(":scope > .widget-toggle-buttons, :scope > div:has(> .widget-toggle-button)");
    if (group) {
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", label);
    }
    for (const button of control.querySelectorAll(".widget-toggle-button")) {
      button.setAttribute("aria-pressed", String(button.classList.contains("mod-active")));
    }
  }

  // "Play" and its neighbours are icons only; their titles name them
  function nameIcons(root) {
    for (const button of root.querySelectorAll(".widget-play button")) {
      if (!button.getAttribute("aria-label")) button.setAttribute("aria-label", button.title || "Play");
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    let waiting = false;
    const nameAll = () => {
      waiting = false;
      document.querySelectorAll(".widget-inline-hbox").forEach(name);
      nameIcons(document);
    };
    new MutationObserver(() => {
      if (!waiting) requestAnimationFrame(nameAll);
      waiting = true;
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributeFilter: ["class"] });
  });
})();
