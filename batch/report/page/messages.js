// What rules found in a cell, in the language that is chosen.

/** The findings of cell `i`; `lang` is that of a message which there is in one language only. */
function findingsOf(i) {
  const { head, arrays } = details;
  const run = arrays.findings;
  const found = [];
  let at = arrays["findings.starts"][i];
  while (at < arrays["findings.starts"][i + 1]) {
    const [rule, level, prefers, source, kept] = head.kinds[run[at++]];
    if (kept !== null) {
      found.push({ rule, level, prefers, source, lang: kept, message: word(run[at++]) });
      continue;
    }
    const sentence = head.sentences[rule][language];
    const start = at;
    at += placesOf(rule);
    found.push({
      rule,
      level,
      prefers,
      source,
      lang: language,
      message: sentence.map((part) => (typeof part === "string" ? part : word(run[start + part]))).join(""),
    });
  }
  return found;
}

function word(number) {
  const said = details.head.words[number];
  return typeof said === "string" ? said : said[language === "en" ? 0 : 1];
}

const placesCounted = new Map();

/** How many texts the message of `rule` has places for, in both languages together. */
function placesOf(rule) {
  if (!placesCounted.has(rule)) {
    const parts = Object.values(details.head.sentences[rule])
      .flat()
      .filter((part) => typeof part === "number");
    placesCounted.set(rule, Math.max(NONE, ...parts) + 1);
  }
  return placesCounted.get(rule);
}

/** A source as text, or as a link where it is an address that a browser may be sent to. */
function sourceMark(source) {
  if (!/^https:\/\/\S+$/.test(source) || !URL.canParse(source)) return source;
  return make("a", { href: source, rel: "noopener noreferrer", target: "_blank" }, source);
}
