// Packs the tarball, installs it in an empty folder, and uses the command and every export from there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { version, exports, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'gypsum-package-'));
const run = (command, ...words) => execFileSync(command, words, { cwd: folder, encoding: 'utf8' });
try {
  const [{ filename, files }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { encoding: 'utf8' }),
  );
  process.stdout.write(`${filename}: ${files.length} files\n`);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  run('npm', 'install', '--no-audit', '--no-fund', join(folder, filename));

  const printed = run(join(folder, 'node_modules', '.bin', 'gypsum'), '--version').trim();
  if (printed !== version) throw new Error(`gypsum --version printed ${printed}, not ${version}`);
  process.stdout.write(`gypsum --version: ${printed}\n`);

  const names = Object.keys(exports).filter((name) => !name.endsWith('.json'));
  tryImports(names.filter((name) => name !== './mocks/msw'));
  // msw is an optional peer: whoever wants those mocks has it.
  run('npm', 'install', '--no-audit', '--no-fund', `msw@${devDependencies.msw}`);
  tryImports(['./mocks/msw']);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function tryImports(names) {
  for (const name of names) {
    const specifier = name.replace('.', 'gypsum-client');
    const script = `const all = Object.keys(await import(${JSON.stringify(specifier)})); if (all.length === 0) throw new Error('exports nothing'); console.log(all.length)`;
    process.stdout.write(
      `import ${specifier}: ${run(process.execPath, '--input-type=module', '-e', script).trim()} names\n`,
    );
  }
}
