// Loaded before an npm script's program: npm runs scripts in the package's folder, and a path given after `--` is
// meant relative to the folder the command was typed in.
if (process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
