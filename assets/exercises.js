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

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form.answer");
    if (!form) return;
    event.preventDefault();
    show(form, judge(questionOf(form), answered(form)));
  });

  // what was said holds for what was answered, and no longer
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form.answer");
    if (form) show(form);
  });
})();
