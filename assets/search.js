/* What Sphinx's search asks for: how results are ranked, and the text of the pages that were found. Sphinx puts this file
   into language_data.js, which the search page alone loads, after search_texts.js. */

// eslint-disable-next-line no-var -- searchtools.js has declared it so
var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,

  // pages with all the words in their title come first, then sections, then entries of the glossary, then the rest
  score: (result) => {
    const [page, section] = result[1].split(" > ");
    // a numbered page's own heading, which Sphinx takes for a section of it: now equal to the page, and shown once
    if (section && page.endsWith(section)) result.splice(1, 2, page, "");
    // a term of the glossary, which Sphinx shows as the page alone
    if (result[2].startsWith("#term-")) result[1] += ` > ${result[2].slice(6).replaceAll("-", " ")}`;
    const words = new URLSearchParams(location.search).get("q").toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
    const [own, anchor] = [result[1].split(" > ").pop().toLowerCase(), result[2]];
    return result[4] + (words.every((word) => own.includes(word)) ? (anchor ? 200 : 300) : 0);
  },
};

// Sphinx fetches the pages for a few words around what was found, which the browser refuses to pages opened as files.
(() => {
  "use strict";

  const root = new URL(document.documentElement.dataset.content_root, document.baseURI).href;
  window.fetch = async (address) => {
    const name = new URL(address, document.baseURI).href.slice(root.length).replace(/\.html$/, "");
    return new Response(`<div role="main">${window.searchTexts[name] ?? ""}</div>`);
  };
})();
