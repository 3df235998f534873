/* Judges answers on the page: those of exercises by the data beside each form, which the check of the chapter has written,
   in the same words as in Python; those of quizzes by the folded answer. What was answered is remembered in the reader's browser, where that is allowed. */
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
    // new nodes, so that the same words are told again
    verdict.replaceChildren(...(says ? [says].flat() : []));
    form.classList.toggle("is-right", right);
    form.classList.toggle("is-wrong", Boolean(says) && !right);
    partsOf(form).forEach((box, i) => {
      box.classList.toggle("is-off", i === part);
      box.querySelector("[type=text]")?.setAttribute("aria-invalid", String(i === part));
    });
  }

  // --- quizzes: the options and their folded answer are text of the chapter; the page makes radio buttons of it ------

  function addQuestion(answer) {
    const list = answer.previousElementSibling;
    const asked = list.previousElementSibling;
    const verdict = document.createElement("p");
    const box = document.createElement("fieldset");
    // a question that is put in other words is another one
    const text = [asked, list, answer.querySelector("p > strong")].map((part) => part.textContent).join("");
    const sum = [...text].reduce((before, letter) => (Math.imul(before, 31) + letter.codePointAt(0)) >>> 0, 0);
    box.dataset.exercise = `quiz-${sum.toString(36)}`;
    box.className = "quiz-question";
    asked.id = `${box.dataset.exercise}-asked`;
    box.setAttribute("aria-labelledby", asked.id);
    verdict.className = "answer-verdict";
    verdict.setAttribute("aria-live", "polite");
    asked.before(box);
    box.append(asked, list, verdict);
    for (const option of list.querySelectorAll("li > p")) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      const value = option.querySelector("strong").textContent;
      Object.assign(input, { type: "radio", name: box.dataset.exercise, value, autocomplete: "off" });
      label.append(input, ...option.childNodes);
      option.append(label);
    }
  }

  // the answer has a paragraph for each letter, and that of the right one comes first
  function judgeQuestion(box) {
    const chosen = box.querySelector("input:checked")?.value;
    const paragraphs = [...box.nextElementSibling.querySelectorAll("p")];
    const said = paragraphs.find((paragraph) => paragraph.querySelector("strong").textContent === chosen);
    if (!said) return {};
    const [verdict, ...words] = said.cloneNode(true).childNodes;
    verdict.textContent = said === paragraphs[0] ? "✓ Right." : "✗ Not yet.";
    return { says: [verdict, ...words], right: said === paragraphs[0] };
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

  const exercises = () => [...document.querySelectorAll("[data-exercise]")];
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
      const verdict = box.querySelector(".answer-verdict");
      // nobody has asked just now: nothing is read aloud
      verdict?.setAttribute("aria-live", "off");
      if (box.matches("form")) {
        put(box, Array.isArray(given) ? given : []);
        show(box, Array.isArray(given) ? judge(questionOf(box), answered(box)) : {});
      } else if (box.matches(".quiz-question")) {
        for (const input of box.querySelectorAll("input")) input.checked = input.value === given;
        show(box, judgeQuestion(box));
      } else {
        box.querySelector("input").checked = given === true;
      }
      setTimeout(() => verdict?.setAttribute("aria-live", "polite"), 500);
    }
    count();
  }

  function count() {
    for (const [line, names] of lines) {
      const done = names.filter((name) => memory.right.includes(name)).length;
      line.querySelector("span").textContent = `${done} of ${names.length} answered`;
      line.querySelector("progress").value = done;
      line.querySelector("button").hidden = !names.some((name) => name in memory.given);
    }
  }

  const namesOf = (boxes) => boxes.map((box) => box.dataset.exercise);
  const lines = new Map();

  // the line stands below the heading of the part that holds them all
  function addProgress(all) {
    const heading = smallestPart(all)?.querySelector("h1, h2, h3");
    const line = document.createElement("div");
    line.className = "answer-progress";
    line.innerHTML = `<span role="status"></span><progress max="${all.length}" aria-hidden="true"></progress>
      <button type="button">Forget my answers</button>`;
    line.querySelector("button").addEventListener("click", () => {
      for (const name of namesOf(all)) delete memory.given[name];
      memory.right = memory.right.filter((name) => name in memory.given);
      keep(memory);
      restore();
    });
    lines.set(line, namesOf(all));
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
      shown.title = "questions answered";
      shown.textContent = `${right.length} of ${of}`;
      link.append(shown);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("ul + details.quiz").forEach(addQuestion);
    const names = namesOf(exercises());
    if (names.length) {
      const { given, right } = recall(pageAt(location));
      memory = { of: names.length, given, right: right.filter((name) => names.includes(name)) };
      for (const kind of [".answer", ".quiz-question"]) {
        const all = [...document.querySelectorAll(kind)];
        if (all.length) addProgress(all);
      }
      restore();
    }
    countChapters();
  });

  document.addEventListener("change", ({ target }) => {
    const box = target.closest(".answer-in-code, .quiz-question");
    if (!box) return;
    const quiz = box.matches(".quiz-question");
    const verdict = quiz ? judgeQuestion(box) : { right: target.checked };
    if (quiz) show(box, verdict);
    remember(box.dataset.exercise, quiz ? target.value : target.checked, verdict.right);
  });

  // in a quiz, arrows lead to an option without choosing it, since what is chosen is judged at once
  document.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const options = [...(event.target.closest(".quiz-question")?.querySelectorAll("input") ?? [])];
    if (!step || !options.length) return;
    event.preventDefault();
    options.at((options.indexOf(event.target) + step) % options.length).focus();
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
