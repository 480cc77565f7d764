// What the filters leave: rows, columns, the best cell of each pair, and how many pairs have which verdict.

const UNKNOWN = "?";

/** The filters there are, each with the values that can be chosen. */
function filtersOf({ rows, columns, axes }) {
  const families = [...new Set(rows.map((row) => row.family ?? UNKNOWN))].sort();
  const generations = new Map();
  for (const column of [...columns].sort((a, b) => a.age - b.age)) {
    const value = column.generation === null ? UNKNOWN : `${column.vendor}/${column.generation}`;
    generations.set(value, column);
  }
  return [
    { name: "family", options: families.map((value) => ({ value, text: value === UNKNOWN ? null : value })) },
    {
      name: "generation",
      options: [...generations].map(([value, { vendor, generation }]) => ({ value, text: generation, group: vendor })),
    },
    ...axes.map(({ path, values, texts: spelt }) => ({
      name: path,
      axis: true,
      options: spelt
        .map((value, code) => ({ value, code, meant: values[code] }))
        .sort((a, b) => compareValues(path, a.meant, b.meant)),
    })),
    { name: "verdict", options: VERDICTS.map((value) => ({ value })) },
  ];
}

function compareValues(path, a, b) {
  if (path === "weight_format") return bitsOf(b) - bitsOf(a) || String(a).localeCompare(String(b));
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a ?? "").localeCompare(String(b ?? ""));
}

const bitsOf = (name) =>
  name === null ? Infinity : (table.head.formats.find((format) => format?.name === name)?.bits ?? 0);

/** For each cell 1 where the filters of axes leave it in. */
function cellsLeft() {
  const left = new Uint8Array(table.cells).fill(1);
  for (const { path, texts: spelt, codes } of table.axes) {
    if (!chosen(path).length) continue;
    const wanted = spelt.map((value) => (chosen(path).includes(value) ? 1 : 0));
    for (let i = 0; i < table.cells; i++) left[i] &= wanted[codes[i]];
  }
  return left;
}

/** Places in `list` of what every word finds; a word that finds nothing here may find something elsewhere. */
function found(list, words, elsewhere) {
  const places = list.map((_, place) => place);
  return words.reduce((left, word) => {
    const here = left.filter((place) => list[place].searched.includes(word));
    const isMeantElsewhere =
      !list.some((each) => each.searched.includes(word)) && elsewhere.some((each) => each.searched.includes(word));
    return isMeantElsewhere ? left : here;
  }, places);
}

function select() {
  const words = state.query.toLowerCase().split(/\s+/).filter(Boolean);
  const families = chosen("family");
  const generations = chosen("generation");
  let rows = found(table.rows, words, table.columns).filter(
    (row) => !families.length || families.includes(table.rows[row].family ?? UNKNOWN),
  );
  let columns = found(table.columns, words, table.rows).filter((column) => {
    const { vendor, generation } = table.columns[column];
    return !generations.length || generations.includes(generation === null ? UNKNOWN : `${vendor}/${generation}`);
  });
  const left = cellsLeft();
  const best = bestOfPairs(left);
  const counts = new Array(VERDICTS.length).fill(0);
  const width = table.columns.length;
  for (const row of rows) for (const column of columns) counts[verdictAt(best, row * width + column)]++;
  const verdicts = chosen("verdict");
  if (verdicts.length) {
    const wanted = VERDICTS.map((verdict) => verdicts.includes(verdict));
    for (let pair = 0; pair < best.length; pair++) if (!wanted[verdictAt(best, pair)]) best[pair] = NONE;
    const isLeft = (row, column) => best[row * width + column] !== NONE || wanted[NOT_ASKED];
    rows = rows.filter((row) => columns.some((column) => isLeft(row, column)));
    columns = columns.filter((column) => rows.some((row) => isLeft(row, column)));
  }
  rows.sort(rowOrder);
  columns.sort(columnOrder);
  return {
    left,
    best,
    counts,
    rows,
    columns,
    cells: left.reduce((sum, one) => sum + one, 0),
    pairs: counts.reduce(
      (sum, count, verdict) => sum + (!verdicts.length || verdicts.includes(VERDICTS[verdict]) ? count : 0),
      0,
    ),
  };
}

const verdictAt = (best, pair) => (best[pair] === NONE ? NOT_ASKED : table.verdict[best[pair]]);

/** For each pair its best cell among those `left`. */
function bestOfPairs(left) {
  const best = new Int32Array(table.rows.length * table.columns.length).fill(NONE);
  const { grades, headroom, row, column, columns } = table;
  for (let i = 0; i < table.cells; i++) {
    if (!left[i]) continue;
    const pair = row[i] * columns.length + column[i];
    const held = best[pair];
    if (held === NONE || grades[i] < grades[held] || (grades[i] === grades[held] && headroom[i] > headroom[held]))
      best[pair] = i;
    else if (grades[i] === grades[held] && !(headroom[i] < headroom[held]) && compareCells(table, i, held) < 0)
      best[pair] = i;
  }
  return best;
}

const byName = (a, b) => a.label.localeCompare(b.label, "en", { numeric: true });

function rowOrder(a, b) {
  const [one, other] = [table.rows[a], table.rows[b]];
  const bySize = state.rows === "size" ? (one.num_parameters ?? Infinity) - (other.num_parameters ?? Infinity) || 0 : 0;
  return bySize || table.rowRank[a] - table.rowRank[b];
}

function columnOrder(a, b) {
  const [one, other] = [table.columns[a], table.columns[b]];
  const byMemory = one.together - other.together || 0;
  const order = { generation: one.age - other.age || byMemory, memory: byMemory, name: 0 }[state.columns];
  return order || table.columnRank[a] - table.columnRank[b];
}

/** Place of each entry when all are ordered by name: comparing names once is enough. */
function ranksOf(list) {
  const ranks = new Uint32Array(list.length);
  list
    .map((_, place) => place)
    .sort((a, b) => byName(list[a], list[b]))
    .forEach((place, rank) => (ranks[place] = rank));
  return ranks;
}
