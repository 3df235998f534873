// Keep what is used of a style sheet: reads {content, css} as JSON, pages and scripts by their paths, writes the rest.
"use strict";
const { PurgeCSS } = require("purgecss");

const { content, css } = JSON.parse(require("fs").readFileSync(0, "utf8"));
// fonts and keyframes stay: of those asked for in a shorthand ("font: 1em KaTeX_Main") PurgeCSS says that nobody does
new PurgeCSS().purge({ content, css: [{ raw: css }] }).then(([{ css }]) => process.stdout.write(css));
