// Which of several cells is better: by verdict, level of support, bits of the format, headroom; of those that do not
// fit, the one that misses least.

/** One number a cell, the lower the better, of all that comes before headroom. */
function gradesOf(table) {
  const bits = table.head.formats.map((format) => format?.bits ?? 0);
  const most = Math.max(...bits);
  const levels = table.head.levels.length + 1;
  const missing = VERDICTS.indexOf("does_not_fit");
  return Uint32Array.from(table.verdict, (verdict, i) => {
    const behind = verdict === missing ? 0 : table.level[table.support[i]] * (most + 1) + most - bits[table.format[i]];
    return verdict * levels * (most + 1) + behind;
  });
}

/** Below zero where cell `a` is better than `b`; equal ones are told apart by their format and their place. */
function compareCells(table, a, b) {
  return (
    table.grades[a] - table.grades[b] ||
    table.headroom[b] - table.headroom[a] ||
    0 ||
    (formatName(table, a) ?? "").localeCompare(formatName(table, b) ?? "") ||
    a - b
  );
}
