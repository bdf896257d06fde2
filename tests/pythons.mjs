// Runs pytest in a CPython that is compiled to WebAssembly: `node pythons.mjs PYODIDE PACKAGES PROJECT [arguments]`.
import { pathToFileURL } from "node:url";

const [pyodide, packages, project, ...options] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide({ indexURL: `${pyodide}/` });
for (const [folder, root] of [["/packages", packages], ["/project", project]]) {
  python.FS.mkdirTree(folder);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, folder);
}
python.globals.set("options", python.toPy(options));
process.exit(python.runPython(`
import os, sys

sys.dont_write_bytecode = True
sys.path[:0] = ["/project/src", "/project", "/packages"]
os.chdir("/project")
import pytest

print(sys.version, flush=True)
int(pytest.main(options))
`));
