// The matrix, of which only what is in sight is drawn.

const SIZE = { row: 40, column: 90, widest: 124, head: 104, side: 248, narrowSide: 150 };
const AROUND = { rows: 2, columns: 1 };
const LONGEST = 9; // letters of a format that surely fit
const STEP = 2; // columns that are scrolled before others are drawn
const HEADS = NONE; // the place of column heads among rows, and of row heads among columns

const matrix = {
  cursor: [0, 0],
  drawn: new Map(),
  columns: [],
  scroller: null,
  body: null,
  heads: null,
  side: SIZE.side,
  column: SIZE.column,
  // Asking the browser for them while it has not laid out what was drawn would make it do that twice.
  width: 0,
  height: 0,
  top: 0,
  left: 0,
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
    {
      role: "grid",
      id: "grid",
      aria: { label: say("matrix.label"), rowcount: rows.length + 1, colcount: columns.length + 1 },
    },
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
  const inSight = placesInSight(
    from,
    matrix.width - side + STEP * matrix.column,
    matrix.column,
    columns.length,
    AROUND.columns,
    cursor[1],
  );
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
  const added = wanted
    .filter((place) => !matrix.drawn.has(place))
    .map((place) => {
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
