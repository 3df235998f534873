// Typeset formulas: reads [[tex, display], ...] as JSON, writes [{html} or {error}, ...]. Warnings are errors.
"use strict";
const katex = require("katex");

const refuse = (code, message) => {
  throw new Error(`${code}: ${message}`);
};

function typeset([tex, displayMode]) {
  try {
    const html = katex.renderToString(tex, { displayMode, output: "htmlAndMathml", throwOnError: true, strict: refuse });
    // KaTeX writes this for a table of one column, and Firefox reports an error
    return { html: html.replaceAll(' columnspacing=""', "") };
  } catch (error) {
    return { error: error.message };
  }
}

const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(formulas.map(typeset)));
