import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './run.mjs';

export const TENSORFLOW_VERSION = '2.21.0';

/** The wheel that carries TensorFlow's C library, and its SHA-256: no mirror can slip in another file. */
const WHEELS = {
  'linux-x64': {
    name: 'tensorflow-cpu',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
  },
};

/** Only the headers that the C API includes: all of them are thousands of files. */
const UNPACK = `
import shutil, sys, zipfile
from pathlib import Path

headers = ('tensorflow/c/', 'tensorflow/core/platform/', 'tsl/', 'xla/tsl/c/')
libraries = ('libtensorflow_cc.so.2', 'libtensorflow_framework.so.2')
prefix = 'tensorflow/include/'
deps = Path(sys.argv[2])
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in wheel.namelist():
        if name.startswith(tuple(prefix + folder for folder in headers)) and not name.endswith('/'):
            target = deps / 'include' / name[len(prefix):]
        elif name in ['tensorflow/' + library for library in libraries]:
            target = deps / 'lib' / name.split('/')[1]
        else:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with wheel.open(name) as source, target.open('wb') as file:
            shutil.copyfileobj(source, file, 1 << 20)
`;

/** Put the C library of a Python wheel, which package mirrors carry, where tfjs-node expects the official one. */
export async function unpackWheel(home, say) {
  const wheel = WHEELS[`${process.platform}-${process.arch}`];
  if (!wheel) throw new Error(`there is no recipe for ${process.platform}-${process.arch}`);

  // Better to miss them now than after the download.
  for (const tool of ['python3', 'make', (process.env.CXX || 'g++').split(' ')[0]]) {
    await must(tool, ['--version'], { seconds: 10 });
  }

  const deps = join(home, 'deps');
  const scratch = mkdtempSync(join(home, 'wheel-'));
  const discard = () => rmSync(scratch, { recursive: true, force: true });
  process.once('exit', discard);
  try {
    say(`downloading ${wheel.name} ${TENSORFLOW_VERSION} with pip (250 MB)`);
    const requirements = join(scratch, 'requirements.txt');
    writeFileSync(requirements, `${wheel.name}==${TENSORFLOW_VERSION} --hash=sha256:${wheel.sha256}\n`);
    const options = ['--require-hashes', '--no-deps', '--only-binary=:all:', '--retries=1', '--no-input'];
    // No Python runs what is in the wheel, so one version does for every machine.
    const target = ['--python-version=3.11', `--dest=${scratch}`, `--requirement=${requirements}`];
    await must('python3', ['-m', 'pip', 'download', ...options, ...target], { seconds: 600 });

    say('unpacking its libraries (850 MB)');
    const file = readdirSync(scratch).find((name) => name.endsWith('.whl'));
    await must('python3', ['-c', UNPACK, join(scratch, file), deps], { seconds: 300 });
  } finally {
    process.off('exit', discard);
    discard();
  }
  // The linker asks for the names of the official download.
  symlinkSync('libtensorflow_cc.so.2', join(deps, 'lib', 'libtensorflow.so'));
  symlinkSync('libtensorflow_framework.so.2', join(deps, 'lib', 'libtensorflow_framework.so'));
}
