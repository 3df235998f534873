/* What the pages need beside what the theme brings; loaded in <head>, before it. */
(() => {
  "use strict";

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

  // On paper the answers of the quiz and the solutions stand at the end, where they give nothing away.
  const answers = document.createElement("section");
  answers.className = "answers-on-paper";

  function titleOf(answer) {
    if (!answer.matches(".quiz")) return answer.closest("section").querySelector("h2, h3").firstChild.textContent;
    return `Quiz, question ${answer.previousElementSibling.querySelector("strong").textContent.replace(".", "")}`;
  }

  addEventListener("beforeprint", () => {
    const folded = document.querySelectorAll("details.quiz, .tag_solution details.hide");
    if (!folded.length) return;
    answers.innerHTML = "<h2>Answers and solutions</h2>";
    for (const one of folded) {
      const copy = document.createElement("div");
      copy.append(document.createElement("h3"), ...[...one.cloneNode(true).children].filter((part) => part.tagName !== "SUMMARY"));
      copy.firstChild.textContent = titleOf(one);
      for (const part of copy.querySelectorAll("[id]")) part.removeAttribute("id");
      answers.append(copy);
    }
    document.querySelector(".bd-article").append(answers);
  });
  addEventListener("afterprint", () => answers.remove());
})();
