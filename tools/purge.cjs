// Keep what is used of a style sheet: reads {content, css} as JSON, pages and scripts by their paths, writes the rest.
"use strict";
const { PurgeCSS } = require("purgecss");

const { content, css } = JSON.parse(require("fs").readFileSync(0, "utf8"));
// PurgeCSS would drop `:focus-visible {…}`, where no name stands before the colon. Fonts and keyframes stay: it does not
// see those that are asked for in a shorthand ("font: 1em KaTeX_Main").
new PurgeCSS().purge({ content, css: [{ raw: css }], safelist: [/^:/] }).then(([{ css }]) => process.stdout.write(css));
