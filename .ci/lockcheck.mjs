// Optional platform packages that the lockfile's packages name but the lock lacks, or has in another version:
// with those, `npm ci` ends with EUSAGE "Missing: … from lock file" although `npm install` was content.
import fs from "node:fs";
const lock = JSON.parse(fs.readFileSync(process.argv[2] ?? "package-lock.json", "utf8")).packages;
const find = (at, name) => {
  for (let p = at; ; p = p.slice(0, Math.max(0, p.lastIndexOf("/node_modules/")))) {
    const k = (p ? p + "/" : "") + "node_modules/" + name;
    if (lock[k]) return lock[k];
    if (!p) return undefined;
    if (!p.includes("/node_modules/")) p = "x";
    if (p === "x") return lock["node_modules/" + name];
  }
};
let n = 0;
for (const [at, pkg] of Object.entries(lock))
  for (const [name, range] of Object.entries(pkg.optionalDependencies ?? {})) {
    const got = find(at, name);
    const exact = /^\d/.test(range);
    if (!got || (exact && got.version !== range))
      if (n++ < 8) console.error(`${at}@${pkg.version} wants ${name}@${range}, lock has ${got?.version ?? "none"}`);
  }
if (n) {
  console.error(`${n} missing: pin an older version or use "overrides"`);
  process.exit(1);
}
