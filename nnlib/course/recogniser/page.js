/* Draw a digit and see what a network says: the same steps as in drawing.py, and the network's forward pass.
   A classic script, written into the page after the figure: a page opened as a file may load no module. */
(() => {
  "use strict";

  const [PAPER, NORMAL, WIDTH, PEN, GRID] = [128, 32, 20, 5, 8];

  // --- from strokes to counts: bitmaps are {width, height, ink}, rows one after the other -----------------------------

  const blank = (width, height) => ({ width, height, ink: new Uint8Array(width * height) });
  const amount = (bitmap) => bitmap.ink.reduce((sum, value) => sum + value, 0);

  function rasterize(strokes, radius = PEN) {
    const out = blank(PAPER, PAPER);
    for (const stroke of strokes) {
      stroke.forEach(([ax, ay], i) => {
        if (i && i === stroke.length - 1) return;
        const [bx, by] = stroke[i + 1] ?? stroke[i];
        const [dx, dy] = [bx - ax, by - ay];
        const length = dx * dx + dy * dy;
        const from = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - radius - 1));
        const to = (a, b) => Math.min(PAPER, Math.ceil(Math.max(a, b) + radius + 1));
        for (let r = from(ay, by); r < to(ay, by); r++) {
          for (let c = from(ax, bx); c < to(ax, bx); c++) {
            const [x, y] = [c + 0.5, r + 0.5];
            const along = length ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
            const [ex, ey] = [x - ax - along * dx, y - ay - along * dy];
            if (ex * ex + ey * ey <= radius * radius) out.ink[r * PAPER + c] = 1;
          }
        }
      });
    }
    return out;
  }

  // the nearest pixel of a rectangle of the bitmap
  function zoom(bitmap, width, height, top = 0, left = 0, h = bitmap.height, w = bitmap.width) {
    const out = blank(width, height);
    for (let r = 0; r < height; r++) {
      const row = top + Math.floor(((2 * r + 1) * h) / (2 * height));
      for (let c = 0; c < width; c++) {
        const column = left + Math.floor(((2 * c + 1) * w) / (2 * width));
        out.ink[r * width + c] = bitmap.ink[row * bitmap.width + column];
      }
    }
    return out;
  }

  // thinner: ink stays where the four neighbours are ink, too; thicker: it comes where one of them is
  function morph(bitmap, thicker) {
    const { width, height, ink } = bitmap;
    const at = (r, c) => (r >= 0 && r < height && c >= 0 && c < width ? ink[r * width + c] : 0);
    const out = blank(width, height);
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) {
        const inked = at(r, c) + at(r - 1, c) + at(r + 1, c) + at(r, c - 1) + at(r, c + 1);
        out.ink[r * width + c] = inked >= (thicker ? 1 : 5) ? 1 : 0;
      }
    }
    return out;
  }

  const inkedRows = ({ width, height, ink }) =>
    [...Array(height).keys()].filter((r) => ink.subarray(r * width, (r + 1) * width).includes(1));

  // shift the rows so that the left edges near top and bottom stand below each other
  function straighten(bitmap) {
    const { width, height, ink } = bitmap;
    const rows = inkedRows(bitmap);
    if (rows.length <= 5) return bitmap;
    const [top, bottom] = [rows[0] + 2, rows.at(-1) - 2];
    const edge = (r) => ink.subarray(r * width, (r + 1) * width).indexOf(1);
    if (edge(top) < 0 || edge(bottom) < 0) return bitmap;
    const slope = (edge(top) - edge(bottom)) / (bottom - top);
    const out = blank(width, height);
    for (let r = 0; r < height; r++) {
      const exact = (r - Math.floor(height / 2)) * slope;
      const shift = Math.sign(exact) * Math.floor(Math.abs(exact) + 0.5);
      for (let c = 0; c < width; c++) {
        if (ink[r * width + c] && c + shift >= 0 && c + shift < width) out.ink[r * width + c + shift] = 1;
      }
    }
    return out;
  }

  function normalize(bitmap) {
    const rows = inkedRows(bitmap);
    let out = blank(NORMAL, NORMAL);
    if (!rows.length) return out;
    const columns = [...Array(bitmap.width).keys()].filter((c) => rows.some((r) => bitmap.ink[r * bitmap.width + c]));
    const [h, w] = [rows.at(-1) - rows[0] + 1, columns.at(-1) - columns[0] + 1];
    const stretched = zoom(bitmap, WIDTH, NORMAL, rows[0], columns[0], h, w);
    const left = (NORMAL - WIDTH) / 2;
    for (let r = 0; r < NORMAL; r++) {
      out.ink.set(stretched.ink.subarray(r * WIDTH, (r + 1) * WIDTH), r * NORMAL + left);
    }
    const ink = amount(out);
    const times = ink > 560 || ink < 108 ? 2 : ink > 412 || ink < 256 ? 1 : 0;
    for (let i = 0; i < times; i++) out = morph(out, ink < 256);
    return straighten(out);
  }

  const squeeze = (bitmap) => zoom(bitmap, NORMAL, NORMAL);

  function countBlocks({ ink }) {
    const counts = Array(64).fill(0);
    ink.forEach((value, i) => {
      counts[8 * Math.floor(i / NORMAL / 4) + Math.floor((i % NORMAL) / 4)] += value;
    });
    return counts;
  }

  // --- the network ----------------------------------------------------------------------------------------------------

  const ACTIVATIONS = {
    linear: (z) => z,
    relu: (z) => z.map((value) => Math.max(value, 0)),
    sigmoid: (z) => z.map((value) => 1 / (1 + Math.exp(-value))),
    tanh: (z) => z.map(Math.tanh),
    softmax: (z) => {
      const most = Math.max(...z);
      const e = z.map((value) => Math.exp(value - most));
      const sum = e.reduce((one, other) => one + other, 0);
      return e.map((value) => value / sum);
    },
  };

  // the numbers of a layer: its weights row by row, then its biases
  const read = (layer) => {
    const bytes = Uint8Array.from(atob(layer.numbers), (letter) => letter.charCodeAt(0));
    return { ...layer, numbers: new Float32Array(bytes.buffer) };
  };

  // a = f(a W + b), layer by layer
  const forward = (layers, x) =>
    layers.reduce((a, { units, numbers, activation }) => {
      const z = [...numbers.subarray(a.length * units)];
      a.forEach((value, i) => {
        for (let j = 0; j < units; j++) z[j] += value * numbers[i * units + j];
      });
      return ACTIVATIONS[activation](z);
    }, x);

  const answer = (layers, counts) => forward(layers, counts.map((count) => count / 16));

  // --- the figure -----------------------------------------------------------------------------------------------------

  function start(root) {
    const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const networks = data.networks.map((layers) => layers.map(read));
    const find = (name) => root.querySelector(`.recogniser-${name}`);
    const [paper, canvas, bitmapCanvas, said, verdict] = ["paper", "canvas", "bitmap", "said", "verdict"].map(find);
    const [menu, fit, undoButton, clearButton] = ["menu", "fit", "undo", "clear"].map(find);
    const chosen = find("networks");
    const cells = [...root.querySelectorAll(".recogniser-pixels td")];
    const rows = [...root.querySelectorAll(".recogniser-answer tbody tr")];
    // strokes: lists of points; example: the number of one of the table, or none; pen: is it down, for the keyboard
    let state = { strokes: [], example: data.examples.length ? 0 : -1, pen: false };
    const past = [];
    const cursor = [3, 3]; // column and row of the keyboard's pen
    let [byKey, pointer, frame, later] = [false, null, 0, 0];

    const middle = ([column, row]) => [((column + 0.5) * PAPER) / GRID, ((row + 0.5) * PAPER) / GRID];
    const percent = (p) => `${(100 * p).toFixed(1)}%`;

    // it takes a frame, and several moves in a frame take one
    const change = (next) => {
      past.push(state);
      state = next;
      refresh();
    };
    const refresh = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        show();
      });
      clearTimeout(later);
      // a screen reader is told where a drawing stops, not what it passes
      later = setTimeout(() => say(verdict.textContent), 900);
    };
    const say = (words) => {
      said.textContent = words;
    };

    function show() {
      const drawn = rasterize(state.strokes);
      const bits = fit.checked ? normalize(drawn) : squeeze(drawn);
      const counts = state.example < 0 ? countBlocks(bits) : data.examples[state.example].counts;
      const p = answer(networks[chosen.value], counts);
      menu.value = state.example;
      undoButton.disabled = !past.length;
      clearButton.disabled = state.example < 0 && !state.strokes.length;
      cells.forEach((cell, i) => ink(cell, counts[i]));
      const order = p.map((_, i) => i).sort((i, j) => p[j] - p[i]);
      rows.forEach((row, i) => {
        row.classList.toggle("is-first", i === order[0]);
        row.querySelector("span").style.width = `${100 * p[i]}%`;
        row.cells[2].textContent = percent(p[i]);
      });
      const [first, second] = order;
      const empty = counts.every((count) => count === 0);
      verdict.textContent =
        `${empty ? "No ink. All the same, the" : "The"} network says ${first} with ${percent(p[first])}, ` +
        `then ${second} with ${percent(p[second])}.`;
      paint(bits, counts);
      root.shown = { counts, probabilities: p, strokes: state.strokes, said: verdict.textContent };
    }

    function ink(cell, count) {
      cell.textContent = count;
      cell.style.setProperty("--ink", count / 16);
      cell.className = count <= 6 ? "" : count <= 8 ? "is-middle" : "is-dark";
    }

    function paint(bits, counts) {
      const colour = (name) => getComputedStyle(root).getPropertyValue(name);
      const [on, off, accent] = [colour("--on"), colour("--off"), colour("--accent")];
      const clean = (target, size) => {
        const context = target.getContext("2d");
        context.setTransform(target.width / size, 0, 0, target.width / size, 0, 0);
        context.globalAlpha = 1;
        context.fillStyle = off;
        context.fillRect(0, 0, size, size);
        context.fillStyle = on;
        return context;
      };
      const blocks = (context, side) =>
        counts.forEach((count, i) => {
          context.globalAlpha = count / 16;
          context.fillRect((i % 8) * side, Math.floor(i / 8) * side, side, side);
        });
      const small = clean(bitmapCanvas, NORMAL);
      if (state.example < 0) bits.ink.forEach((v, i) => v && small.fillRect(i % NORMAL, Math.floor(i / NORMAL), 1, 1));
      else blocks(small, 4);
      const context = clean(canvas, PAPER);
      if (state.example >= 0) blocks(context, 16);
      context.globalAlpha = 1;
      context.lineCap = context.lineJoin = "round";
      context.lineWidth = 2 * PEN;
      context.strokeStyle = on;
      for (const stroke of state.strokes) {
        context.beginPath();
        for (const [x, y] of stroke.length > 1 ? stroke : [stroke[0], stroke[0]]) context.lineTo(x, y);
        context.stroke();
      }
      if (!byKey) return;
      context.strokeStyle = accent;
      context.lineWidth = 1;
      context.beginPath();
      if (state.pen) {
        context.moveTo(...state.strokes.at(-1).at(-1));
        context.lineTo(...middle(cursor));
      }
      context.stroke();
      context.lineWidth = 2;
      context.beginPath();
      context.arc(...middle(cursor), PEN + 1, 0, 2 * Math.PI);
      context.stroke();
    }

    // --- mouse, finger and pen ---

    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const along = (at, low, size) => Math.min(PAPER, Math.max(0, ((at - low) / size) * PAPER));
      return [along(event.clientX, box.left, box.width), along(event.clientY, box.top, box.height)];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button || pointer !== null) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      paper.focus({ preventScroll: true });
      [pointer, byKey] = [event.pointerId, false];
      change({ strokes: [...state.strokes, [place(event)]], example: -1, pen: false });
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== pointer) return;
      const stroke = state.strokes.at(-1);
      const passed = event.getCoalescedEvents?.() ?? [];
      for (const one of passed.length ? passed : [event]) {
        const [[x, y], [ax, ay]] = [place(one), stroke.at(-1)];
        if (Math.hypot(x - ax, y - ay) >= 1) stroke.push([x, y]);
      }
      refresh();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => {
        if (event.pointerId === pointer) pointer = null;
      });
    }

    // --- keyboard ---

    const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const where = () => `Row ${cursor[1] + 1}, column ${cursor[0] + 1}`;

    function line() {
      const last = state.pen ? state.strokes.at(-1) : [];
      const strokes = [...(state.pen ? state.strokes.slice(0, -1) : state.strokes), [...last, middle(cursor)]];
      change({ strokes, example: -1, pen: true });
      say(last.length ? `Line to ${where().toLowerCase()}.` : `${where()}, pen down.`);
    }

    function undo() {
      if (!past.length) return;
      state = past.pop();
      refresh();
      say("Taken back.");
    }

    paper.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key in MOVES) {
        MOVES[event.key].forEach((step, i) => {
          cursor[i] = Math.min(GRID - 1, Math.max(0, cursor[i] + step));
        });
        say(`${where()}.`);
      } else if (event.key === " ") line();
      else if (event.key === "Enter" && state.pen) {
        state = { ...state, pen: false };
        say("Pen lifted.");
      } else if (event.key === "Backspace") undo();
      else return;
      event.preventDefault();
      event.stopPropagation(); // the notebook would take the key for one of its own
      byKey = true;
      refresh();
    });
    paper.addEventListener("focus", () => {
      byKey = paper.matches(":focus-visible") && pointer === null;
      show();
    });
    paper.addEventListener("blur", () => {
      byKey = false;
      show();
    });

    // --- the rest ---

    menu.addEventListener("input", () => change({ strokes: [], example: Number(menu.value), pen: false }));
    for (const other of [fit, chosen]) other.addEventListener("input", refresh);
    undoButton.addEventListener("click", undo);
    clearButton.addEventListener("click", () => change({ strokes: [], example: -1, pen: false }));
    const dressed = { attributeFilter: ["data-theme", "data-jp-theme-light", "class"] };
    const watcher = new MutationObserver(show);
    for (const page of [document.documentElement, document.body]) watcher.observe(page, dressed);
    root.networks = networks;
    root.classList.add("is-alive");
    fit.checked = true;
    show();
  }

  window.recogniser = { rasterize, normalize, squeeze, countBlocks, forward, answer };
  document.querySelectorAll("figure.recogniser:not(.is-alive)").forEach(start);
})();
