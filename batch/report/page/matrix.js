// The matrix, of which only what is in sight is drawn.

const SIZE = { row: 40, column: 90, widest: 124, head: 104, side: 248, narrowSide: 150 };
const AROUND = { rows: 2, columns: 1 };
const LONGEST = 9; // letters of a format that surely fit
const STEP = 2; // columns that are scrolled before others are drawn
const HEADS = NONE; // the place of column heads among rows, and of row heads among columns

const matrix = {
  cursor: [0, 0], drawn: new Map(), columns: [], scroller: null, body: null, heads: null, side: SIZE.side, column: SIZE.column,
  // Asking the browser for them while it has not laid out what was drawn would make it do that twice.
  width: 0, height: 0, top: 0, left: 0,
};

function drawMatrix(into) {
  const { rows, columns } = selection;
  if (!rows.length || !columns.length) {
    matrix.scroller = null;
    fill(into, make("p", { className: "nothing" }, say("nothing")));
    return;
  }
  matrix.side = window.innerWidth < 700 ? SIZE.narrowSide : SIZE.side;
  const share = Math.floor((matrix.width - matrix.side - 16) / columns.length);
  matrix.column = Math.min(Math.max(share, SIZE.column), SIZE.widest);
  matrix.cursor = [Math.min(matrix.cursor[0], rows.length - 1), Math.min(matrix.cursor[1], columns.length - 1)];
  matrix.drawn = new Map();
  matrix.columns = [];
  matrix.heads = make("div", { role: "row", className: "heads", aria: { rowindex: "1" } });
  matrix.body = make("div", { role: "rowgroup" });
  const grid = make(
    "div",
    { role: "grid", id: "grid", aria: { label: say("matrix.label"), rowcount: rows.length + 1, colcount: columns.length + 1 } },
    make("div", { role: "rowgroup", className: "top" }, matrix.heads),
    matrix.body,
  );
  grid.style.width = `${matrix.side + columns.length * matrix.column}px`;
  grid.style.height = `${SIZE.head + rows.length * SIZE.row}px`;
  matrix.top = Math.max(0, Math.min(matrix.top, SIZE.head + rows.length * SIZE.row - matrix.height));
  matrix.left = Math.max(0, Math.min(matrix.left, matrix.side + columns.length * matrix.column - matrix.width));
  grid.style.setProperty("--side", `${matrix.side}px`);
  grid.style.setProperty("--column", `${matrix.column}px`);
  grid.addEventListener("click", onMatrixClick);
  grid.addEventListener("keydown", onMatrixKey);
  grid.addEventListener("focusin", onMatrixFocus);
  matrix.scroller = make("div", { className: "scroller", on: { scroll: onMatrixScroll } }, grid);
  const focused = into.querySelector(".scroller")?.contains(document.activeElement);
  drawInSight();
  fill(into, matrix.scroller);
  if (matrix.top || matrix.left) matrix.scroller.scrollTo(matrix.left, matrix.top);
  if (focused) cellElement(matrix.cursor)?.focus({ preventScroll: true });
}

/** Places from `first` on in sight, with some around, and the cursor's. */
function placesInSight(from, length, size, count, around, cursor) {
  const first = Math.max(0, Math.floor(from / size) - around);
  const last = Math.min(count - 1, Math.ceil((from + length) / size) + around);
  const places = [];
  for (let place = first; place <= last; place++) places.push(place);
  if (cursor >= 0 && (cursor < first || cursor > last)) places.push(cursor);
  return places;
}

function drawInSight() {
  const { scroller, side, cursor } = matrix;
  if (!scroller) return;
  const { rows, columns } = selection;
  // In whole steps, so that scrolling sideways draws anew only now and then.
  const from = Math.floor(matrix.left / (matrix.column * STEP)) * matrix.column * STEP;
  const inSight = placesInSight(from, matrix.width - side + STEP * matrix.column, matrix.column, columns.length, AROUND.columns, cursor[1]);
  if (inSight.join() !== matrix.columns.join()) {
    matrix.columns = inSight;
    const focused = matrix.body.parentNode.contains(document.activeElement);
    fill(matrix.heads, corner(), inSight.map(columnHead));
    for (const row of matrix.drawn.values()) row.remove();
    matrix.drawn.clear();
    if (focused) requestAnimationFrame(() => cellElement(matrix.cursor)?.focus({ preventScroll: true }));
  }
  const wanted = placesInSight(matrix.top, matrix.height - SIZE.head, SIZE.row, rows.length, AROUND.rows, cursor[0]);
  const kept = new Set(wanted);
  for (const [place, row] of matrix.drawn) {
    if (kept.has(place)) continue;
    row.remove();
    matrix.drawn.delete(place);
  }
  const added = wanted.filter((place) => !matrix.drawn.has(place)).map((place) => {
    const row = matrixRow(place);
    matrix.drawn.set(place, row);
    return row;
  });
  matrix.body.append(...added);
}

function onMatrixScroll() {
  matrix.top = matrix.scroller.scrollTop;
  matrix.left = matrix.scroller.scrollLeft;
  drawInSight();
}

const tabindex = (row, column) => (matrix.cursor[0] === row && matrix.cursor[1] === column ? 0 : -1);

const corner = () => make("div", { role: "columnheader", className: "corner", aria: { colindex: "1" } }, say("matrix.corner"));

function columnHead(place) {
  const column = table.columns[selection.columns[place]];
  const head = make(
    "div",
    {
      role: "columnheader",
      className: "head",
      tabIndex: tabindex(HEADS, place),
      title: column.label,
      data: { row: HEADS, column: place },
      aria: { colindex: place + 2, label: say("matrix.column", { gpu: column.label }) },
    },
    make("span", { className: "generation" }, column.generation ?? ""),
    make("span", { className: "name" }, column.label),
    make("span", { className: "memory" }, memoryName(column)),
  );
  head.style.left = `${matrix.side + place * matrix.column}px`;
  return head;
}

function matrixRow(place) {
  const number = selection.rows[place];
  const { label, parameters } = table.rows[number];
  const cut = label.lastIndexOf("/") + 1;
  const head = make(
    "div",
    {
      role: "rowheader",
      className: "side",
      tabIndex: tabindex(place, HEADS),
      title: label,
      data: { row: place, column: HEADS },
      aria: { colindex: "1", label: say("matrix.row", { model: label }) },
    },
    make("span", { className: "of" }, label.slice(0, cut), parameters ? make("span", { className: "size" }, parameters[language]) : null),
    make("span", { className: "name" }, label.slice(cut)),
  );
  const row = make("div", { role: "row", className: "row", aria: { rowindex: place + 2 } }, head, matrix.columns.map((column) => matrixCell(place, column)));
  row.style.top = `${SIZE.head + place * SIZE.row}px`;
  return row;
}

function matrixCell(place, columnPlace) {
  const [row, column] = [selection.rows[place], selection.columns[columnPlace]];
  const i = selection.best[pairAt(table, row, column)];
  const verdict = i === NONE ? "not_asked" : VERDICTS[table.verdict[i]];
  const weighed = i !== NONE && verdict !== "error";
  const words = { model: table.rows[row].label, gpu: table.columns[column].label, verdict: say(`verdict.${verdict}`) };
  if (weighed) Object.assign(words, { format: formatShown(i), headroom: gibSigned(table.headroom[i]) });
  const cell = document.createElement("div");
  cell.className = "cell";
  cell.setAttribute("role", "gridcell");
  cell.setAttribute("aria-colindex", columnPlace + 2);
  cell.setAttribute("aria-label", say(weighed ? "matrix.cell" : "matrix.cell_plain", words));
  cell.tabIndex = tabindex(place, columnPlace);
  cell.dataset.row = place;
  cell.dataset.column = columnPlace;
  cell.dataset.verdict = verdict;
  cell.style.left = `${matrix.side + columnPlace * matrix.column}px`;
  const sign = document.createElement("span");
  sign.className = (words.format?.length ?? 0) > LONGEST ? "sign long" : "sign";
  sign.textContent = weighed ? `${SYMBOLS[verdict]} ${words.format}` : SYMBOLS[verdict];
  cell.append(sign);
  if (weighed) {
    const room = document.createElement("span");
    room.className = "room";
    room.textContent = words.headroom;
    cell.append(room);
    cell.style.backgroundSize = `${percent(needFraction(i))} 3px`;
  }
  if (state.open && state.open[0] === row && state.open[1] === column) cell.classList.add("open");
  return cell;
}

const cellElement = ([row, column]) => matrix.scroller?.querySelector(`[data-row="${row}"][data-column="${column}"]`);

function placeOf(event) {
  const cell = event.target.closest("[data-row]");
  return cell ? [Number(cell.dataset.row), Number(cell.dataset.column)] : null;
}

function activate([row, column]) {
  if (row === HEADS) change({ view: "gpu", gpu: selection.columns[column] }, byId("view"));
  else if (column === HEADS) change({ view: "model", model: selection.rows[row] }, byId("view"));
  else openPanel(selection.rows[row], selection.columns[column]);
}

function onMatrixClick(event) {
  const place = placeOf(event);
  if (!place) return;
  moveTo(place);
  activate(place);
}

function onMatrixFocus(event) {
  const place = placeOf(event);
  if (place && place.join() !== matrix.cursor.join()) setCursor(place);
}

function onMatrixKey(event) {
  const [row, column] = matrix.cursor;
  const [lastRow, lastColumn] = [selection.rows.length - 1, selection.columns.length - 1];
  const page = Math.max(1, Math.floor((matrix.height - SIZE.head) / SIZE.row) - 1);
  const far = event.ctrlKey || event.metaKey;
  const to = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    PageUp: [Math.max(Math.min(row, 0), row - page), column],
    PageDown: [row + page, column],
    Home: [far ? 0 : row, 0],
    End: [far ? lastRow : row, lastColumn],
  }[event.key];
  if (to) {
    event.preventDefault();
    const within = [Math.min(Math.max(to[0], HEADS), lastRow), Math.min(Math.max(to[1], HEADS), lastColumn)];
    // No cell stands where the heads meet.
    if (within[0] !== HEADS || within[1] !== HEADS) moveTo(within);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    activate(matrix.cursor);
  }
}

function setCursor(place) {
  const before = cellElement(matrix.cursor);
  if (before) before.tabIndex = -1;
  matrix.cursor = place;
  const now = cellElement(place);
  if (now) now.tabIndex = 0;
}

/** Puts cursor and focus on a place, and the place in sight. */
function moveTo(place) {
  setCursor(place);
  const { scroller, side } = matrix;
  const [row, column] = place;
  const top = row * SIZE.row;
  const left = column * matrix.column;
  const height = matrix.height - SIZE.head;
  const width = matrix.width - side;
  if (row >= 0) matrix.top = Math.min(top, Math.max(matrix.top, top + SIZE.row - height));
  if (column >= 0) matrix.left = Math.min(left, Math.max(matrix.left, left + matrix.column - width));
  drawInSight();
  scroller.scrollTo(matrix.left, matrix.top);
  cellElement(place)?.focus({ preventScroll: true });
}
