/* Moves the figures of a page: native controls, a list of states beside them, and pictures as files. One listener for
   the whole page, registered in <head>: a slider is alive as soon as it is on the screen. */
(() => {
  "use strict";

  const known = new WeakMap();
  const pictures = new Map(); // address -> Image, so that the browser keeps it decoded

  const theme = () => (document.documentElement.dataset.theme === "dark" ? "dark" : "light");
  const figures = () => [...document.querySelectorAll("figure.explore")];

  function load(address) {
    if (!pictures.has(address)) {
      const image = new Image();
      image.src = address;
      pictures.set(address, image);
      image.decode().catch(() => pictures.delete(address));
    }
    return pictures.get(address);
  }

  function stateOf(root) {
    let state = known.get(root);
    if (!state) {
      state = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      state.controls = [...root.querySelectorAll("[data-key]")];
      state.start = state.controls.map(startOf);
      known.set(root, state);
    }
    return state;
  }

  function position(control) {
    const chosen = control.querySelector("input[type=range], input:checked, select");
    return chosen ? Number(chosen.value) : 0;
  }

  // as it stands in the page, whatever the reader has moved since
  function startOf(control) {
    const chosen = control.querySelector("input[type=range], input[checked], option[selected]");
    return Number(chosen.getAttribute("value"));
  }

  function put(control, at) {
    const radios = control.querySelectorAll("input[type=radio]");
    if (radios.length) radios[at].checked = true;
    else control.querySelector("input, select").value = at;
  }

  // the last control runs fastest
  const numberOf = (state, at) => state.texts.reduce((sum, texts, i) => sum * texts.length + at[i], 0);

  function show(root) {
    const state = stateOf(root);
    const at = state.controls.map(position);
    const number = numberOf(state, at);
    state.controls.forEach((control, i) => {
      const range = control.querySelector("input[type=range]");
      if (!range) return;
      range.setAttribute("aria-valuetext", state.texts[i][at[i]]);
      control.querySelector(".explore-value").textContent = state.texts[i][at[i]];
    });
    const box = root.querySelector(".explore-picture");
    const look = state.looks[state.shown[number]];
    if ("html" in look) box.innerHTML = look.html;
    else paint(box, look, state.alts[number]);
    const labels = state.controls.map((control) => control.querySelector("label, legend").textContent);
    const words = labels.map((label, i) => `${label} ${state.texts[i][at[i]]}`).join(", ");
    root.querySelector("figcaption > span").textContent = words[0].toUpperCase() + words.slice(1);
    state.moved = true;
    setTimeout(() => loadAround(state, at));
    return state.alts[number];
  }

  function paint(box, look, alt) {
    const image = box.querySelector(`.only-${theme()}`);
    const wanted = load(look[theme()]);
    image.loading = "eager";
    image.alt = alt;
    box.wanted = wanted;
    const swap = () => {
      if (box.wanted === wanted) image.src = wanted.src;
    };
    // until a picture is there the old one stays
    if (wanted.complete) swap();
    else wanted.addEventListener("load", swap, { once: true });
  }

  // the pictures that the next steps lead to
  function loadAround(state, at) {
    state.texts.forEach((texts, i) => {
      for (const step of [1, -1, 2, -2]) {
        const next = at.with(i, at[i] + step);
        if (next[i] < 0 || next[i] >= texts.length) continue;
        const address = state.looks[state.shown[numberOf(state, next)]][theme()];
        if (address) load(address);
      }
    });
  }

  const near = (event) => {
    const root = event.target.closest?.("figure.explore");
    if (root) loadAround(stateOf(root), stateOf(root).controls.map(position));
  };
  document.addEventListener("pointerover", near, { passive: true });
  document.addEventListener("focusin", near);

  let later;
  document.addEventListener("input", (event) => {
    const root = event.target.closest("figure.explore");
    if (!root) return;
    if (event.isTrusted) stop(root);
    const words = show(root);
    clearTimeout(later);
    // a screen reader would stumble over every state that a slider passes, and a browser over every address
    later = setTimeout(() => {
      if (!stateOf(root).timer) root.querySelector(".explore-said").textContent = words;
      writeAddress();
    }, 250);
  });

  // --- play ------------------------------------------------------------------------------------------------------

  function stop(root) {
    const state = stateOf(root);
    clearInterval(state.timer);
    state.timer = 0;
    const button = root.querySelector(".explore-play");
    if (button) name(button, "Play");
  }

  function name(button, verb) {
    button.setAttribute("aria-label", `${verb} ${button.dataset.label}`);
    button.classList.toggle("is-playing", verb === "Pause");
  }

  function play(root, button) {
    const state = stateOf(root);
    if (state.timer) return stop(root);
    const control = button.closest("[data-key]");
    const last = state.texts[state.controls.indexOf(control)].length - 1;
    const go = (at) => {
      put(control, at);
      control.querySelector("input, select").dispatchEvent(new Event("input", { bubbles: true }));
    };
    name(button, "Pause");
    state.timer = setInterval(() => {
      if (position(control) < last) go(position(control) + 1);
      if (position(control) >= last) stop(root);
    }, 700);
    go(position(control) < last ? position(control) + 1 : 0);
  }

  // --- the address of a state: #learning-rate=0.03&initializer=he_normal ---------------------------------------------

  const plain = (text) => text.replaceAll("−", "-");

  // A name that several figures have is preceded by the number of its figure on the page.
  function keys() {
    const all = figures();
    const count = new Map();
    for (const control of document.querySelectorAll("figure.explore [data-key]")) {
      count.set(control.dataset.key, (count.get(control.dataset.key) ?? 0) + 1);
    }
    return all.map((root, i) =>
      stateOf(root).controls.map(({ dataset: { key } }) => (count.get(key) > 1 ? `${i + 1}.${key}` : key)),
    );
  }

  function address(roots, everything) {
    const named = keys();
    const parts = [];
    figures().forEach((root, n) => {
      if (!roots.includes(root)) return;
      const state = stateOf(root);
      state.controls.forEach((control, i) => {
        const at = position(control);
        const value = encodeURIComponent(plain(state.texts[i][at])).replaceAll("%20", "+");
        if (everything || at !== state.start[i]) parts.push(`${encodeURIComponent(named[n][i])}=${value}`);
      });
    });
    return parts.join("&");
  }

  function writeAddress() {
    const moved = address(figures(), false);
    const here = location.href.split("#")[0];
    if (moved) history.replaceState(history.state, "", `${here}#${moved}`);
    else if (location.hash.includes("=")) history.replaceState(history.state, "", here);
  }

  // Names and values that the page does not have, or no longer, are passed over.
  function readAddress() {
    if (!location.hash.includes("=")) return;
    const asked = new URLSearchParams(location.hash.slice(1));
    const named = keys();
    const found = figures().filter((root, n) => {
      const state = stateOf(root);
      const set = state.controls.filter((control, i) => {
        const at = state.texts[i].findIndex((text) => plain(text) === plain(asked.get(named[n][i]) ?? ""));
        if (at >= 0) put(control, at);
        return at >= 0;
      });
      if (set.length) show(root);
      return set.length;
    });
    found[0]?.scrollIntoView({ block: "center" });
  }

  async function copy(root) {
    const text = `${location.href.split("#")[0]}#${address([root], true)}`;
    const said = root.querySelector(".explore-said");
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "The address is copied.";
    } catch {
      said.textContent = `The browser does not allow copying. The address is ${text}`;
    }
    root.querySelector(".explore-copy").classList.add("is-done");
    setTimeout(() => root.querySelector(".explore-copy").classList.remove("is-done"), 1500);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("figure.explore button");
    const root = button?.closest("figure.explore");
    if (button?.matches(".explore-play")) play(root, button);
    if (button?.matches(".explore-copy")) copy(root);
  });

  // --- page and theme --------------------------------------------------------------------------------------------

  // Boxes that scroll sideways must be reached by keyboard.
  function reach() {
    for (const box of document.querySelectorAll(".explore-picture, .katex-display")) {
      if (box.scrollWidth > box.clientWidth + 1) {
        box.tabIndex = 0;
        if (!box.hasAttribute("role")) box.setAttribute("role", "group");
        box.setAttribute("aria-label", box.matches(".katex-display") ? "formula" : "figure");
      } else {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      }
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    readAddress();
    reach();
    new MutationObserver(() => {
      for (const root of figures()) if (stateOf(root).moved) show(root);
    }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  });
  window.addEventListener("hashchange", readAddress);
  window.addEventListener("resize", reach);
})();
