// What the applications under examples/ take beside the same by hand, in examples/NAME/plain: tokens of code, comments
// and layout left out. `node scripts/example-sizes.mjs` prints a table; files that both use count for neither.
import fs from "node:fs";
import path from "node:path";

const root = path.join(path.dirname(import.meta.dirname), "examples");

/** A comment, or a token: a string or a template as a whole, a regular expression, a name, a number, a sign. */
const TOKEN =
  /\/\/[^\n]*|\/\*[^]*?\*\/|(?<token>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|(?<=[(,=:?&|]\s*)\/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\\\n])+\/[a-z]*|[\p{ID_Start}$_#][\p{ID_Continue}$]*|\d[\w.]*|=>|\?\?=?|\?\.|\.\.\.|[!=]==?|[<>]=|&&|\|\||\+\+|--|[-+*/%]=|\S)/gu;

export const tokens = (text) => Array.from(text.matchAll(TOKEN)).filter(({ groups }) => groups.token).length;

/** The files of a folder's application: those that are written twice, or only there. */
const own = (folder, files) => files.map((file) => tokens(fs.readFileSync(path.join(folder, file), "utf8")));
const sum = (numbers) => numbers.reduce((all, n) => all + n, 0);
const code = (folder) => fs.readdirSync(folder).filter((file) => file.endsWith(".ts"));

/** `{ name, headrace, plain, ratio }` of each application. */
export function sizes() {
  const names = fs.readdirSync(root).filter((name) => fs.existsSync(path.join(root, name, "plain")));
  return names.map((name) => {
    const folder = path.join(root, name);
    const by = code(path.join(folder, "plain"));
    const ours = code(folder).filter((file) => by.includes(file));
    const [headrace, plain] = [sum(own(folder, ours)), sum(own(path.join(folder, "plain"), by))];
    return { name, headrace, plain, ratio: Math.round((100 * headrace) / plain) / 100 };
  });
}

if (import.meta.main) console.table(sizes());
