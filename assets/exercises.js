/* Judges answers on the page by the data beside each form, which the check of the chapter has written: the same words as
   in Python. What was answered is remembered in the reader's browser, where that is allowed. */
(() => {
  "use strict";

  // --- judging ---------------------------------------------------------------------------------------------------

  const within = (value, [low, high]) => (low === null || low <= value) && (high === null || value <= high);

  // a number, a fraction, or null
  function readNumber(text, pattern) {
    const found = new RegExp(`^(?:${pattern})$`).exec(text);
    if (!found) return null;
    const [upper, lower] = [found[1], found[2] ?? "1"].map((part) => Number(part.replace(/−/g, "-").replaceAll(",", "")));
    return Number.isFinite(upper / lower) && Number.isFinite(lower) ? upper / lower : null;
  }

  const split = (text) => text.split(/[\s,;()[\]]+/).filter(Boolean);
  const word = (text) => text.trim().replace(/\s+/g, " ").replace(/^['"]+|['"]+$/g, "").toLowerCase();

  // how each kind of part is read; null where it cannot be
  const readers = {
    numeric: (given, { pattern }) => readNumber(given, pattern),
    numbers: (given, { pattern }) => {
      const values = split(given).map((item) => readNumber(item, pattern));
      return values.length && !values.includes(null) ? values : null;
    },
    multiple_choice: (given) => given,
    many_choice: (given) => given,
    string: word,
  };

  // as Python shows a text or a list of texts in a sentence
  function shown(given) {
    const quoted = (text) => {
      const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
      return quote + text.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`) + quote;
    };
    const letters = [...(Array.isArray(given) ? `[${given.map(quoted).join(", ")}]` : quoted(given))];
    return letters.length <= 60 ? letters.join("") : `${letters.slice(0, 57).join("")}...`;
  }

  const fitting = {
    range: (answer, value) => within(value, answer.range),
    ranges: ({ ranges }, values) => values.length === ranges.length && ranges.every((ends, i) => within(values[i], ends)),
    default: () => true,
    undefined: ({ answer }, value) => answer === value || word(answer) === value,
  };

  // what is said about a part, or undefined where it is right
  function finding(part, value) {
    if (part.type !== "many_choice") {
      return part.answers.find((answer) => fitting[answer.type](answer, value)).feedback;
    }
    const off = part.order.find((option) => value.includes(option));
    if (off !== undefined) return part.answers.find(({ answer }) => answer === off).feedback;
    const missing = part.answers.filter(({ answer, correct }) => correct && !value.includes(answer)).length;
    return missing ? part.missing.replace("{missing}", missing) : undefined;
  }

  // {says, right, part}: the words, whether it is right, and the number of the part that is off, if it is one
  function judge({ parts, together, says }, given) {
    const empty = given.findIndex((answer) => !answer?.length || !String(answer).trim());
    if (empty >= 0) return { says: says.unanswered, part: empty };
    const values = parts.map((part, i) => readers[part.type](given[i], part));
    const odd = values.indexOf(null);
    if (odd >= 0) {
      const came = parts[odd].type === "numbers" ? split(given[odd]) : given[odd];
      return { says: parts[odd].unreadable.replace("{came}", () => shown(came)).replace(/\.{4}$/, "..."), part: odd };
    }
    const hint = together.find(({ ranges }) => ranges.every((ends, i) => within(values[i], ends)));
    if (hint) return { says: hint.feedback };
    const findings = parts.map((part, i) => finding(part, values[i]));
    const off = findings.findIndex((said) => said !== undefined);
    return off < 0 ? { says: says.right, right: true } : { says: findings[off], part: off };
  }

  // --- forms -----------------------------------------------------------------------------------------------------

  const partsOf = (form) => [...form.querySelectorAll(".answer-part")];
  const questionOf = (form) => JSON.parse(form.querySelector("script").textContent);

  function answered(form) {
    return partsOf(form).map((part) => {
      const chosen = [...part.querySelectorAll("input:checked")].map((input) => input.value);
      if (part.querySelector("[type=checkbox]")) return chosen;
      return part.querySelector("[type=radio]") ? chosen[0] ?? null : part.querySelector("input").value;
    });
  }

  function show(form, { says, right = false, part } = {}) {
    const verdict = form.querySelector(".answer-verdict");
    // a new node, so that the same words are told again
    verdict.replaceChildren(...(says ? [document.createTextNode(says)] : []));
    form.classList.toggle("is-right", right);
    form.classList.toggle("is-wrong", Boolean(says) && !right);
    partsOf(form).forEach((box, i) => {
      box.classList.toggle("is-off", i === part);
      box.querySelector("[type=text]")?.setAttribute("aria-invalid", String(i === part));
    });
  }

  // --- memory: for each page what was given, which exercises are right, and how many there are ---------------------

  const PREFIX = "nnlib.course answers ";
  const root = new URL(document.documentElement.dataset.content_root ?? "./", document.baseURI);

  // the name of a page within the book, or null
  function pageAt(address) {
    const { origin, pathname } = new URL(address, document.baseURI);
    const own = origin === root.origin && pathname.startsWith(root.pathname) && pathname.endsWith(".html");
    return own ? pathname.slice(root.pathname.length, -".html".length) : null;
  }

  // a browser may refuse storage, and what is stored may be anything
  function recall(name) {
    try {
      const { of, given, right } = JSON.parse(localStorage.getItem(PREFIX + name));
      return { of: Number(of), given: { ...given }, right: [...right] };
    } catch {
      return { of: 0, given: {}, right: [] };
    }
  }

  function keep(memory) {
    try {
      localStorage.setItem(PREFIX + pageAt(location), JSON.stringify(memory));
    } catch {}
  }

  const exercises = () => [...document.querySelectorAll(".answer")];
  let memory = { of: 0, given: {}, right: [] };

  function remember(name, given, right) {
    memory.given[name] = given;
    memory.right = memory.right.filter((other) => other !== name).concat(right ? [name] : []);
    keep(memory);
    count();
  }

  function put(form, given) {
    partsOf(form).forEach((part, i) => {
      for (const input of part.querySelectorAll("input")) {
        if (input.type === "text") input.value = typeof given[i] === "string" ? given[i] : "";
        else input.checked = [given[i]].flat().includes(input.value);
      }
    });
  }

  function restore() {
    for (const box of exercises()) {
      const given = memory.given[box.dataset.exercise];
      if (box.matches("form")) {
        put(box, Array.isArray(given) ? given : []);
        // nobody has asked just now: nothing is read aloud
        const verdict = box.querySelector(".answer-verdict");
        verdict.setAttribute("aria-live", "off");
        show(box, Array.isArray(given) ? judge(questionOf(box), answered(box)) : {});
        setTimeout(() => verdict.setAttribute("aria-live", "polite"), 500);
      } else {
        box.querySelector("input").checked = given === true;
      }
    }
    count();
  }

  function count() {
    const line = document.querySelector(".answer-progress");
    if (!line) return;
    const names = exercises().map((box) => box.dataset.exercise);
    const done = memory.right.filter((name) => names.includes(name)).length;
    line.querySelector("span").textContent = `${done} of ${names.length} answered`;
    line.querySelector("progress").value = done;
    line.querySelector("button").hidden = !Object.keys(memory.given).length;
  }

  // the line stands below the heading of the part that holds all exercises
  function addProgress() {
    const all = exercises();
    const heading = smallestPart(all)?.querySelector("h1, h2, h3");
    const line = document.createElement("div");
    line.className = "answer-progress";
    line.innerHTML = `<span role="status"></span><progress max="${all.length}" aria-hidden="true"></progress>
      <button type="button">Forget my answers</button>`;
    line.querySelector("button").addEventListener("click", () => {
      memory = { of: all.length, given: {}, right: [] };
      keep(memory);
      restore();
    });
    if (heading) heading.after(line);
    else all[0].before(line);
  }

  function smallestPart(all) {
    let part = all[0];
    do part = part.parentElement?.closest("section");
    while (part && !all.every((box) => part.contains(box)));
    return part;
  }

  // how far the reader is in each chapter, beside the links that lead there
  function countChapters() {
    for (const link of document.querySelectorAll(".bd-sidebar-primary nav a[href], .answer-counts a[href]")) {
      const name = pageAt(link.href);
      const { of, right } = name === null || name === pageAt(location) ? memory : recall(name);
      if (!of || !right.length || link.querySelector(".answer-count")) continue;
      const shown = document.createElement("span");
      shown.className = "answer-count";
      shown.title = "exercises answered";
      shown.textContent = `${right.length} of ${of}`;
      link.append(shown);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (exercises().length) {
      memory = { ...recall(pageAt(location)), of: exercises().length };
      addProgress();
      restore();
    }
    countChapters();
  });

  document.addEventListener("change", (event) => {
    const box = event.target.closest(".answer-in-code");
    if (box) remember(box.dataset.exercise, event.target.checked, event.target.checked);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form.answer");
    if (!form) return;
    event.preventDefault();
    const given = answered(form);
    const verdict = judge(questionOf(form), given);
    show(form, verdict);
    remember(form.dataset.exercise, given, Boolean(verdict.right));
  });

  // what was said holds for what was answered, and no longer
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form.answer");
    if (form) show(form);
  });
})();
