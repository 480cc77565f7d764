// What the page says, in the language that is chosen.

const LANGUAGES = { en: "English", zh: "中文" };
const TAGS = { en: "en", zh: "zh-CN" };

let texts = {};
let language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
let numbers = {};

function speak(chosen) {
  language = chosen;
  document.documentElement.lang = TAGS[chosen];
  const format = (options) => new Intl.NumberFormat(TAGS[chosen], options);
  numbers = {
    whole: format({ maximumFractionDigits: 0 }),
    // As the rules write them: a tie goes to the even digit, and thousands are not set apart.
    hundredths: format({
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
      roundingMode: "halfEven",
      useGrouping: false,
    }),
    tenths: format({
      minimumFractionDigits: 1,
      maximumFractionDigits: 1,
      roundingMode: "halfEven",
      useGrouping: false,
    }),
    signed: format({
      minimumFractionDigits: 1,
      maximumFractionDigits: 1,
      roundingMode: "floor",
      signDisplay: "exceptZero",
      useGrouping: false,
    }),
    signedHundredths: format({
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
      roundingMode: "halfEven",
      signDisplay: "exceptZero",
      useGrouping: false,
    }),
    atMost: format({ maximumFractionDigits: 1, roundingMode: "floor" }),
    percent: format({ style: "percent", maximumFractionDigits: 0 }),
  };
}

/** The text called `name` with `values` in its places. */
function say(name, values = {}) {
  return texts[name][language].replace(/\{(\w+)\}/g, (_, place) => values[place]);
}

const listed = (words) => words.join(say("list.separator"));
const has = (name) => Object.hasOwn(texts, name);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const GIB = 2 ** 30;
const withMinus = (text) => text.replace("-", "−");
const gib = (bytes) => withMinus(numbers.hundredths.format(bytes / GIB));
const gibTenths = (bytes) => numbers.tenths.format(bytes / GIB);
/** Headroom to a tenth, rounded down, so that a cell promises no memory that is not there. */
const gibSigned = (bytes) => withMinus(numbers.signed.format(bytes / GIB));
const gibSignedHundredths = (bytes) => withMinus(numbers.signedHundredths.format(bytes / GIB));
const whole = (number) => numbers.whole.format(number);
